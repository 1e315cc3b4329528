#include <algorithm>
#include <optional>
#include <vector>

#include "base/check.hpp"
#include "base/prng.hpp"
#include "wire/framer.hpp"
#include "wire/skimmer.hpp"

// The first two bytes of the input say how the rest is cut into pieces and which frames are too
// long. However it is cut, the framer must yield the same frames and end in the same way as a plain
// loop over the whole, and a skimmer must see the same. Each piece lies in memory of its own that
// is freed when the framer says that it is done with it.

namespace mq::wire {

namespace {

using Bytes = std::vector<Byte>;

/// What came of a stream.
struct Outcome {
  std::vector<Bytes> frames;
  std::optional<ReasonCode> fault;
  bool is_mid_frame = false;

  bool operator==(const Outcome&) const = default;
};

Outcome cut_whole(ByteView stream, std::size_t maximum_size) {
  Outcome outcome;
  while (!stream.empty()) {
    const auto length = frame_length(stream, maximum_size);
    if (!length) {
      outcome.fault = length.error().reason;
      return outcome;
    }
    if (!*length || **length > stream.size()) {
      outcome.is_mid_frame = true;
      return outcome;
    }
    const ByteView frame = stream.first(**length);
    outcome.frames.emplace_back(frame.begin(), frame.end());
    stream = stream.subspan(frame.size());
  }
  return outcome;
}

/// Takes what the framer has; returns false when the stream is of no use any more.
bool take_frames(Framer& framer, std::size_t maximum_size, Outcome& outcome) {
  for (;;) {
    const auto frame = framer.next(maximum_size);
    if (!frame) {
      outcome.fault = frame.error().reason;
      return false;
    }
    if (!*frame) return true;
    if (const BlockRef block = framer.block()) {
      MQ_CHECK(block->bytes() == (*frame)->data());
      MQ_CHECK(block->size() == (*frame)->size());
    }
    outcome.frames.emplace_back((*frame)->begin(), (*frame)->end());
  }
}

/// A skimmer sees the frames that a framer cuts, of each at least the start.
void check_skimmer(ByteView stream, std::size_t maximum_size, const Outcome& whole, Prng& prng) {
  Skimmer skimmer;
  auto expected = whole.frames.begin();
  const std::size_t longest = 1 + prng.below(stream.size() + 1);
  while (!stream.empty()) {
    const std::size_t size = std::min<std::size_t>(1 + prng.below(longest), stream.size());
    const Bytes piece(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(size));
    stream = stream.subspan(size);
    skimmer.feed(piece);
    for (;;) {
      const auto frame = skimmer.next(maximum_size);
      if (!frame) {
        MQ_CHECK(frame.error().reason == whole.fault && expected == whole.frames.end());
        return;
      }
      if (!*frame) break;
      MQ_CHECK(expected != whole.frames.end() && (*frame)->length == expected->size());
      const ByteView start = (*frame)->bytes;
      MQ_CHECK(start.size() >= std::min(kMostSkimmed, expected->size()));
      MQ_CHECK(std::ranges::equal(start, ByteView(*expected).first(start.size())));
      ++expected;
    }
  }
  MQ_CHECK(!whole.fault && expected == whole.frames.end());
}

Outcome cut_in_pieces(ByteView stream, std::size_t maximum_size, Prng& prng) {
  Outcome outcome;
  Framer framer;
  const std::size_t longest = 1 + prng.below(stream.size() + 1);
  while (!stream.empty()) {
    std::size_t size = std::min<std::size_t>(1 + prng.below(longest), stream.size());
    const std::span<Byte> tail = prng.chance(1, 2) ? framer.tail() : std::span<Byte>();
    if (!tail.empty()) size = std::min(size, tail.size());
    const Bytes piece(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(size));
    stream = stream.subspan(size);
    if (tail.empty()) {
      framer.feed(piece);
    } else {
      std::ranges::copy(piece, tail.begin());
      framer.tail_filled(size);
    }
    if (!take_frames(framer, maximum_size, outcome)) return outcome;
  }
  outcome.is_mid_frame = framer.is_mid_frame();
  return outcome;
}

}  // namespace

}  // namespace mq::wire

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  if (size < 2) return 0;
  mq::Prng prng(data[0]);
  // The limits reach from a few bytes over what the input can hold to what a length can say.
  const std::size_t maximum_size =
      std::min<std::size_t>(std::size_t{1} << (data[1] & 31U), mq::wire::kMaximumPacketSize);
  std::vector<mq::Byte> stream(data + 2, data + size);
  // Enough behind it that a long frame can become whole, part of it read straight to its place.
  if ((data[1] & 0x80U) != 0) stream.resize(stream.size() + 40'000, 0x7F);
  const auto whole = mq::wire::cut_whole(stream, maximum_size);
  MQ_CHECK(mq::wire::cut_in_pieces(stream, maximum_size, prng) == whole);
  mq::wire::check_skimmer(stream, maximum_size, whole, prng);
  return 0;
}

#include "wire/framer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/notation.hpp"
#include "support/packet_table.hpp"

namespace mq::wire {

namespace {

using support::bytes;
using Bytes = std::vector<Byte>;

/// All frames that come out now, copied.
std::vector<Bytes> take_all(Framer& framer) {
  std::vector<Bytes> frames;
  for (;;) {
    const auto frame = framer.next(kMaximumPacketSize);
    REQUIRE(frame.has_value());
    if (!*frame) return frames;
    frames.emplace_back((*frame)->begin(), (*frame)->end());
  }
}

std::vector<Bytes> table_frames() {
  std::vector<Bytes> frames;
  for (const auto& row : support::good_packets()) frames.push_back(row.bytes);
  return frames;
}

Bytes joined(const std::vector<Bytes>& frames) {
  Bytes stream;
  for (const Bytes& frame : frames) stream.insert(stream.end(), frame.begin(), frame.end());
  return stream;
}

void append(std::vector<Bytes>& to, std::vector<Bytes> from) {
  std::ranges::move(from, std::back_inserter(to));
}

}  // namespace

TEST_CASE("the length of a frame is known as soon as its length field is whole") {
  const auto length = [](std::string_view notation) {
    const auto found = frame_length(bytes(notation), kMaximumPacketSize);
    REQUIRE(found.has_value());
    return *found;
  };
  CHECK_FALSE(length("").has_value());
  CHECK_FALSE(length("30").has_value());
  CHECK_FALSE(length("30 80").has_value());
  CHECK_FALSE(length("30 ff ff ff").has_value());
  CHECK(length("c0 00") == 2);
  CHECK(length("30 7f") == 129);
  CHECK(length("30 80 01") == 131);
  CHECK(length("30 ff 7f") == 16386);
  CHECK(length("30 ff ff 7f") == 2097155);
  CHECK(length("30 ff ff ff 7f") == kMaximumPacketSize);
}

TEST_CASE("a length field of five bytes is malformed") {
  const auto length = frame_length(bytes("30 80 80 80 80"), kMaximumPacketSize);
  REQUIRE_FALSE(length.has_value());
  CHECK(length.error().reason == ReasonCode::malformed_packet);
  CHECK(std::string_view(length.error().statement) == "MQTT-1.5.5-1");
}

TEST_CASE("a frame above the limit is refused from its header on, one at the limit is not") {
  CHECK(frame_length(bytes("30 0a"), 12).has_value());
  const auto length = frame_length(bytes("30 0b"), 12);
  REQUIRE_FALSE(length.has_value());
  CHECK(length.error().reason == ReasonCode::packet_too_large);

  Framer framer;
  const auto start = bytes("30 ff ff ff 7f 00");
  framer.feed(start);
  const auto frame = framer.next(1000);
  REQUIRE_FALSE(frame.has_value());
  CHECK(frame.error().reason == ReasonCode::packet_too_large);
  CHECK(framer.tail().empty());
}

TEST_CASE("the limit holds too when the header comes in pieces") {
  Framer framer;
  const auto start = bytes("30 ff ff ff 7f");
  for (std::size_t i = 0; i < 4; ++i) {
    framer.feed(ByteView(start).subspan(i, 1));
    const auto frame = framer.next(1000);
    REQUIRE(frame.has_value());
    CHECK_FALSE(frame->has_value());
  }
  framer.feed(ByteView(start).last(1));
  const auto frame = framer.next(1000);
  REQUIRE_FALSE(frame.has_value());
  CHECK(frame.error().reason == ReasonCode::packet_too_large);
}

TEST_CASE("whole frames are yielded where they lie, without memory") {
  const auto frames = table_frames();
  const Bytes stream = joined(frames);
  Framer framer;
  framer.feed(stream);
  const Byte* at = stream.data();
  for (const Bytes& expected : frames) {
    const auto frame = framer.next(kMaximumPacketSize);
    REQUIRE(frame.has_value());
    REQUIRE(frame->has_value());
    CHECK((*frame)->data() == at);
    CHECK((*frame)->size() == expected.size());
    CHECK_FALSE(framer.block());
    at += expected.size();
  }
  CHECK(take_all(framer).empty());
  CHECK_FALSE(framer.is_mid_frame());
}

TEST_CASE("the same frames come out when the bytes come one at a time") {
  const auto frames = table_frames();
  std::vector<Bytes> seen;
  Framer framer;
  for (const Byte byte : joined(frames)) {
    framer.feed({&byte, 1});
    append(seen, take_all(framer));
  }
  CHECK(seen == frames);
  CHECK_FALSE(framer.is_mid_frame());
}

TEST_CASE("the same frames come out wherever the bytes are cut in two") {
  std::vector<Bytes> frames = table_frames();
  std::erase_if(frames, [](const Bytes& frame) { return frame.size() > 300; });
  const Bytes stream = joined(frames);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Framer framer;
    framer.feed(ByteView(stream).first(cut));
    std::vector<Bytes> seen = take_all(framer);
    framer.feed(ByteView(stream).subspan(cut));
    append(seen, take_all(framer));
    REQUIRE(seen == frames);
  }
}

TEST_CASE("a frame is unfinished until its last byte has come") {
  Framer framer;
  CHECK_FALSE(framer.is_mid_frame());
  const auto frame = bytes("30 05 0001 't' 'hi'");
  for (std::size_t i = 0; i + 1 < frame.size(); ++i) {
    framer.feed(ByteView(frame).subspan(i, 1));
    CHECK(take_all(framer).empty());
    CHECK(framer.is_mid_frame());
  }
  framer.feed(ByteView(frame).last(1));
  CHECK(take_all(framer).size() == 1);
  CHECK_FALSE(framer.is_mid_frame());
}

TEST_CASE("a gathered frame lies in a block of its own size that outlives the framer's next turn") {
  const auto frame = bytes("30 05 0001 't' 'hi'");
  Framer framer;
  framer.feed(ByteView(frame).first(3));
  CHECK(take_all(framer).empty());
  CHECK_FALSE(framer.block());
  framer.feed(ByteView(frame).subspan(3));
  const auto whole = framer.next(kMaximumPacketSize);
  REQUIRE(whole.has_value());
  REQUIRE(whole->has_value());
  const BlockRef block = framer.block();
  REQUIRE(block);
  CHECK(block->size() == frame.size());
  CHECK(block->bytes() == (*whole)->data());
  CHECK(take_all(framer).empty());
  CHECK_FALSE(framer.block());
  CHECK(std::ranges::equal(ByteView(block->bytes(), block->size()), frame));
}

TEST_CASE("the block of a yielded frame is let go when bytes are fed") {
  const auto frame = bytes("30 05 0001 't' 'hi'");
  Framer framer;
  framer.feed(ByteView(frame).first(3));
  CHECK(take_all(framer).empty());
  framer.feed(ByteView(frame).subspan(3));
  REQUIRE(framer.next(kMaximumPacketSize).has_value());
  CHECK(framer.block());
  framer.feed(frame);
  CHECK_FALSE(framer.block());
  CHECK(take_all(framer) == std::vector<Bytes>{frame});
}

TEST_CASE("the rest of a long frame can be read straight to where it belongs") {
  const auto frame = bytes("30 [ ('t') 78*100000 ]");
  Framer framer;
  std::size_t filled = 20'000;
  framer.feed(ByteView(frame).first(filled));
  CHECK(take_all(framer).empty());
  while (!framer.tail().empty()) {
    const std::span<Byte> tail = framer.tail();
    CHECK(tail.size() <= frame.size() - filled);
    const std::size_t size = std::min<std::size_t>(tail.size(), 30000);
    std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(filled), size, tail.begin());
    framer.tail_filled(size);
    CHECK(take_all(framer).empty());
    filled += size;
  }
  CHECK(filled > 20'000);
  framer.feed(ByteView(frame).subspan(filled));
  CHECK(take_all(framer) == std::vector<Bytes>{frame});
}

TEST_CASE("a long frame that was read to its end comes out of next()") {
  const auto frame = bytes("30 [ ('t') 78*100000 ]");
  Framer framer;
  framer.feed(ByteView(frame).first(40'000));
  CHECK(take_all(framer).empty());
  const std::span<Byte> tail = framer.tail();
  REQUIRE(tail.size() == frame.size() - 40'000);
  std::copy(frame.begin() + 40'000, frame.end(), tail.begin());
  framer.tail_filled(tail.size());
  CHECK(take_all(framer) == std::vector<Bytes>{frame});
  CHECK_FALSE(framer.is_mid_frame());
}

TEST_CASE("no more memory is set aside for a frame than a few times what has come of it") {
  const auto frame = bytes("30 [ ('t') 78*1000000 ]");
  Framer framer;
  std::size_t filled = 0;
  const auto feed = [&](std::size_t size) {
    framer.feed(ByteView(frame).subspan(filled, size));
    CHECK(take_all(framer).empty());
    filled += size;
    CHECK(framer.reserved() <= std::max<std::size_t>(4096, 4 * filled));
  };
  for (const std::size_t size : {3, 1, 1, 4000, 90, 1, 15'000, 100'000}) feed(size);
  while (filled < frame.size()) {
    const std::size_t reserved = framer.reserved();
    const auto tail = framer.tail();
    CHECK(framer.reserved() == reserved);  // nothing has come
    if (tail.empty()) {
      feed(1);
      continue;
    }
    std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(filled), tail.size(), tail.begin());
    framer.tail_filled(tail.size());
    filled += tail.size();
    if (filled < frame.size()) CHECK(take_all(framer).empty());
  }
  CHECK(filled == frame.size());
  CHECK(take_all(framer) == std::vector<Bytes>{frame});
}

TEST_CASE("a short frame has no tail to read into: copying it costs less than a read") {
  const auto frame = bytes("30 05 0001 't' 'hi'");
  Framer framer;
  CHECK(framer.tail().empty());
  framer.feed(ByteView(frame).first(1));
  CHECK(take_all(framer).empty());
  CHECK(framer.tail().empty());
  framer.feed(ByteView(frame).subspan(1, 2));
  CHECK(take_all(framer).empty());
  CHECK(framer.tail().empty());
}

}  // namespace mq::wire

#include "wire/skimmer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "base/prng.hpp"
#include "support/notation.hpp"
#include "support/packet_table.hpp"
#include "wire/framer.hpp"

namespace mq::wire {

namespace {

using support::bytes;
using Bytes = std::vector<Byte>;

struct Seen {
  Bytes start;
  std::size_t length;
  bool operator==(const Seen&) const = default;
};

void take_all(Skimmer& skimmer, std::vector<Seen>& seen) {
  while (true) {
    const auto frame = skimmer.next(kMaximumPacketSize);
    REQUIRE(frame.has_value());
    if (!*frame) return;
    seen.push_back({Bytes((*frame)->bytes.begin(), (*frame)->bytes.end()), (*frame)->length});
  }
}

/// What is seen of a stream in pieces of that size.
std::vector<Seen> seen_in_pieces(ByteView stream, std::size_t size) {
  Skimmer skimmer;
  std::vector<Seen> seen;
  while (!stream.empty()) {
    const Bytes piece(stream.begin(),
                      stream.begin() + std::min<std::ptrdiff_t>(size, stream.size()));
    stream = stream.subspan(piece.size());
    skimmer.feed(piece);
    take_all(skimmer, seen);
  }
  return seen;
}

}  // namespace

TEST_CASE("every packet is seen, whole when it is short, in whatever pieces it comes") {
  Bytes stream;
  std::vector<Seen> expected;
  for (const auto& row : support::good_packets()) {
    stream.insert(stream.end(), row.bytes.begin(), row.bytes.end());
    if (row.bytes.size() <= kMostSkimmed) expected.push_back({row.bytes, row.bytes.size()});
  }
  for (const std::size_t size : {1U, 2U, 3U, 5U, 7U, 100U, 5000U}) {
    auto seen = seen_in_pieces(stream, size);
    CHECK(seen.size() == support::good_packets().size());
    std::erase_if(seen, [](const Seen& one) { return one.length > kMostSkimmed; });
    CHECK(seen == expected);
  }
}

TEST_CASE("of a long packet in pieces only the start is there, and what follows is seen") {
  Bytes stream = bytes("30 f0 a2 04");  // 70,000 bytes
  for (std::size_t i = 0; i < 70'000; ++i) stream.push_back(static_cast<Byte>(i));
  const Bytes start(stream.begin(), stream.begin() + kMostSkimmed);
  const Bytes ping = bytes("c0 00");
  stream.insert(stream.end(), ping.begin(), ping.end());
  for (const std::size_t size : {1U, 1000U, 1024U, 60'000U, 70'003U}) {
    CHECK(seen_in_pieces(stream, size) == std::vector<Seen>{{start, 70'004}, {ping, 2}});
  }
}

TEST_CASE("a packet that lies whole in what was fed is yielded in place") {
  Bytes packet = bytes("30 f0 a2 04");
  packet.resize(70'004);
  Skimmer skimmer;
  skimmer.feed(packet);
  const auto frame = skimmer.next(kMaximumPacketSize);
  REQUIRE((frame && *frame));
  CHECK((*frame)->bytes.data() == packet.data());
  CHECK((*frame)->bytes.size() == packet.size());
}

TEST_CASE("a skimmer fails where a framer does, also in pieces") {
  for (const auto& stream : {bytes("30 ff ff ff ff 01"), bytes("30 65 00")}) {
    Skimmer whole;
    whole.feed(stream);
    CHECK_FALSE(whole.next(100).has_value());
    Skimmer in_pieces;
    bool has_failed = false;
    for (const Byte& byte : stream) {
      if (has_failed) break;
      in_pieces.feed({&byte, 1});
      has_failed = !in_pieces.next(100);
    }
    CHECK(has_failed);
  }
}

}  // namespace mq::wire

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include "support/notation.hpp"
#include "support/packet_table.hpp"
#include "wire/decode.hpp"
#include "wire/framer.hpp"

// What a peer can make us spend. The allocations of this program are counted, so that a packet
// that costs memory without need is seen.

namespace {

struct Spent {
  std::size_t bytes;
  std::size_t allocations;
};

Spent spent{};

Spent since(const Spent& before) {
  return {spent.bytes - before.bytes, spent.allocations - before.allocations};
}

}  // namespace

void* operator new(std::size_t size) {
  spent.bytes += size;
  ++spent.allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace mq::wire {

namespace {

using support::bytes;

Spent spent_on_decoding(ByteView frame, Version version) {
  const Spent before = spent;
  const auto packet = decode(frame, version);
  return since(before);
}

}  // namespace

TEST_CASE("only a packet with filters costs memory, in one piece") {
  for (const auto& row : support::good_packets()) {
    CAPTURE(row.name);
    const bool has_filters = std::holds_alternative<Subscribe>(row.packet) ||
                             std::holds_alternative<Unsubscribe>(row.packet);
    CHECK(spent_on_decoding(row.bytes, row.version).allocations == (has_filters ? 1 : 0));
  }
}

TEST_CASE("a packet with a fault costs no memory") {
  for (const auto& row : support::bad_packets()) {
    CAPTURE(row.name);
    CHECK(spent_on_decoding(row.bytes, row.version).allocations == 0);
  }
}

TEST_CASE("a SUBSCRIBE of many filters costs a small multiple of its size") {
  const auto frame = bytes("82 [ 0001 {('a') 00}*500000 ]");
  const Spent on_decoding = spent_on_decoding(frame, Version::v311);
  CHECK(on_decoding.allocations == 1);
  CHECK(on_decoding.bytes <= 6 * frame.size());
}

TEST_CASE("a CONNECT with a hundred thousand user properties costs no memory") {
  const auto frame = bytes("10 [ ('MQTT') 05 02 003c [ {26 ('k') ('v')}*100000 ] ('a') ]");
  REQUIRE(decode(frame, Version::v5).has_value());
  CHECK(spent_on_decoding(frame, Version::v5).allocations == 0);
}

TEST_CASE("whole frames cost no memory, an unfinished one what it is long") {
  const auto frame = bytes("30 [ ('t') 78*1000 ]");
  Framer framer;
  const auto spent_on_feeding = [&](ByteView part) {
    const Spent before = spent;
    framer.feed(part);
    while (framer.next(kMaximumPacketSize).value()) {
    }
    return since(before);
  };
  CHECK(spent_on_feeding(frame).allocations == 0);
  CHECK(spent_on_feeding(ByteView(frame).first(2)).allocations == 0);
  const Spent on_start = spent_on_feeding(ByteView(frame).subspan(2, 10));
  CHECK(on_start.allocations == 1);
  CHECK(on_start.bytes == sizeof(Block) + frame.size());
  CHECK(spent_on_feeding(ByteView(frame).subspan(12)).allocations == 0);
}

TEST_CASE("a frame above the limit costs no memory") {
  const auto start = bytes("30 ffffff7f 00");
  Framer framer;
  const Spent before = spent;
  framer.feed(start);
  CHECK_FALSE(framer.next(2'000'000).has_value());
  CHECK(since(before).allocations == 0);
}

}  // namespace mq::wire

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/prng.hpp"
#include "support/packet_table.hpp"
#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using wire::QoS;
using wire::Version;

namespace {

/// Everything the table knows, good and bad, for one version.
std::vector<std::vector<Byte>> all_packets(Version version) {
  std::vector<std::vector<Byte>> packets;
  for (const auto& row : good_packets()) {
    if (row.version == version) packets.push_back(row.bytes);
  }
  for (const auto& row : bad_packets()) {
    if (row.version == version) packets.push_back(row.bytes);
  }
  return packets;
}

/// Packets of the table, some with bytes changed, taken out or put in.
std::vector<Byte> nonsense(Prng& prng, const std::vector<std::vector<Byte>>& packets) {
  std::vector<Byte> bytes;
  for (auto count = prng.below(6) + 1; count > 0; --count) {
    auto packet = packets[prng.below(packets.size())];
    while (!packet.empty() && prng.chance(1, 3)) {
      const auto at = static_cast<std::ptrdiff_t>(prng.below(packet.size()));
      switch (prng.below(3)) {
        case 0:
          packet[static_cast<std::size_t>(at)] = static_cast<Byte>(prng.next());
          break;
        case 1:
          packet.erase(packet.begin() + at);
          break;
        default:
          packet.insert(packet.begin() + at, static_cast<Byte>(prng.next()));
      }
    }
    bytes.insert(bytes.end(), packet.begin(), packet.end());
  }
  return bytes;
}

std::size_t count_open(const std::vector<Peer*>& peers) {
  return static_cast<std::size_t>(
      std::ranges::count_if(peers, [](const Peer* peer) { return !peer->is_closed(); }));
}

}  // namespace

TEST_CASE("any bytes end in an answer or a closed connection, and others do not notice") {
  for (const auto version : {Version::v31, Version::v311, Version::v5}) {
    const auto packets = all_packets(version);
    REQUIRE(packets.size() > 20);
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
      CAPTURE(seed);
      Prng prng(seed);
      World world(seed % 2 == 0 ? durable() : quiet());
      auto& listener =
          world.peer().join("listener").subscribe("healthy", {.qos = QoS::at_least_once});
      for (int i = 0; i < 5; ++i) {
        auto& peer = world.peer();
        peer.version = version;
        peer.is_deaf = true;
        if (prng.chance(4, 5)) peer.join("hostile" + std::to_string(prng.below(2)), version);
        const auto bytes = nonsense(prng, packets);
        for (ByteView rest = bytes; !rest.empty() && !peer.is_closed();) {
          const auto size = std::min<std::size_t>(prng.below(50) + 1, rest.size());
          peer.send_bytes(rest.first(size));
          rest = rest.subspan(size);
        }
        if (prng.chance(1, 2) && !peer.is_closed()) peer.drop();
        if (prng.chance(1, 4)) world.advance(Seconds(static_cast<int>(prng.below(100))));
      }
      listener.all();
      world.peer().join("publisher").publish("healthy", "x", QoS::at_least_once, 1);
      CHECK(listener.next().ends_with("'x'"));
    }
  }
}

TEST_CASE("of those who have not been let in not more is kept than 32 MB, of whoever they are") {
  World world(quiet());
  constexpr std::size_t kMost = 32;  // of 1 MB
  std::vector<Byte> start{0x10, 0xf8, 0xff, 0x3f, 0, 4, 'M', 'Q', 'T', 'T'};
  const std::vector<Byte> header(start.begin(), start.begin() + 4);
  start.resize((1U << 20U) - 5);  // one byte is missing
  std::vector<Peer*> strangers;
  const auto come = [&](std::size_t count) {
    for (; count > 0; --count) strangers.push_back(&world.peer().send_bytes(start));
  };
  const auto there = [&] { return count_open(strangers) == kMost; };
  come(kMost);
  REQUIRE(there());
  SUBCASE("who has less comes in in two pieces") {
    wire::Connect connect;
    connect.client_id = std::string_view("slow");
    std::vector<Byte> bytes;
    wire::encode(connect, Version::v311, bytes);
    auto& slow = world.peer();
    slow.send_bytes(ByteView(bytes).first(5)).send_bytes(ByteView(bytes).subspan(5));
    CHECK(slow.all() == "CONNACK 00");
  }
  SUBCASE("one more is one too many") {
    come(10);
    CHECK(there());
  }
  SUBCASE("who only says that much will come takes little") {
    for (auto* peer : strangers) peer->drop();
    strangers.clear();
    for (int i = 0; i < 1000; ++i) strangers.push_back(&world.peer().send_bytes(header));
    CHECK(count_open(strangers) == 1000);
  }
  SUBCASE("who leaves makes room") {
    for (auto* peer : strangers) peer->drop();
    strangers.clear();
    come(kMost);
    CHECK(there());
  }
}

TEST_CASE("of packets that are not whole no more is kept than a part of what may be in use") {
  auto config = quiet();
  config.memory_limit = 8U << 20U;  // of which clients may take a half, others an eighth
  World world(config);
  const std::vector<Byte> payload(1'900'000);
  std::vector<Byte> bytes;
  wire::encode(wire::Publish{.topic = "t", .payload = payload}, Version::v311, bytes);
  const Byte last = bytes.back();
  bytes.pop_back();
  std::vector<Peer*> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(&world.peer().join("client " + std::to_string(i)).send_bytes(bytes));
  }
  CHECK(count_open(clients) == 2);
  auto& listener = world.peer().join("listener").subscribe("t", {});
  for (auto* client : clients) {
    if (!client->is_closed()) client->send_bytes({&last, 1});  // it makes room
  }
  CHECK(listener.all().size() > 0);
  auto& other = world.peer().join("another").send_bytes(bytes);
  CHECK_FALSE(other.is_closed());
  const std::vector<Byte> connect(700'000, 0);
  std::vector<Byte> start{0x10, 0xf8, 0xff, 0x3f};
  start.insert(start.end(), connect.begin(), connect.end());
  std::vector<Peer*> strangers;
  for (int i = 0; i < 4; ++i) strangers.push_back(&world.peer().send_bytes(start));
  CHECK(count_open(strangers) == 1);
  CHECK_FALSE(other.is_closed());
}

TEST_CASE("what waits for a password to be verified counts as well, until it is") {
  auto config = quiet();
  config.listeners.front().has_passwords = true;
  World world(config);
  wire::Connect connect;
  connect.user_name = "u";
  const std::vector<Byte> will(60'000);
  connect.will = wire::Will{.topic = "t", .payload = will};
  std::vector<std::string> ids;
  const auto come = [&](std::size_t count) {
    std::size_t closed = 0;
    for (; count > 0; --count) {
      connect.client_id = ids.emplace_back(std::to_string(ids.size()));
      closed += world.peer().connect(connect).is_closed() ? 1 : 0;
    }
    return closed;
  };
  REQUIRE(come(500) == 0);  // 30 MB
  SUBCASE("of more than 32 MB") {
    CHECK(come(100) > 0);
  }
  SUBCASE("who is let in is a stranger no longer") {
    for (const auto& asked : world.core().take_verifications()) {
      world.core().on_verified(asked.connection, broker::Verdict::right, world.now);
    }
    world.settle();
    CHECK(come(100) == 0);
  }
}

#include "server/packet_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "wire/encode.hpp"

using namespace mq;
using namespace mq::server;
using Passage = net::BrokerDriver::Passage;

namespace {

constexpr broker::ConnectionId kFirst{0, 1};
constexpr broker::ConnectionId kSecond{0, 2};

template <class Packet>
std::vector<Byte> bytes_of_packet(const Packet& packet, wire::Version version) {
  std::vector<Byte> bytes;
  wire::encode(packet, version, bytes);
  return bytes;
}

wire::Connect connect(wire::Version version) {
  wire::Connect connect;
  connect.version = version;
  connect.client_id = "dev";
  connect.user_name = "alice";
  connect.password = bytes_of("secret");
  return connect;
}

wire::Publish publish(std::string_view topic) {
  wire::Publish publish;
  publish.qos = wire::QoS::at_least_once;
  publish.packet_id = 7;
  publish.topic = topic;
  publish.payload = bytes_of("hidden");
  return publish;
}

struct Told {
  std::string all;
  std::size_t limit = 1000;
  PacketLog log{[this](std::string_view line) { all.append(line) += '\n'; },
                [this] { return limit; }};
};

}  // namespace

TEST_CASE("each packet is a line, in whatever pieces it comes, without payload and password") {
  Told told;
  told.log.on_bytes(kFirst, Passage::opened, {});
  auto bytes = bytes_of_packet(connect(wire::Version::v5), wire::Version::v5);
  const auto more = bytes_of_packet(publish("a/b"), wire::Version::v5);
  bytes.insert(bytes.end(), more.begin(), more.end());
  told.log.on_bytes(kFirst, Passage::received, ByteView(bytes).first(bytes.size() - more.size()));
  told.log.on_connected(kFirst, "dev");
  for (const Byte& byte : more) told.log.on_bytes(kFirst, Passage::received, {&byte, 1});
  wire::Puback puback;
  puback.packet_id = 7;
  told.log.on_bytes(kFirst, Passage::sent, bytes_of_packet(puback, wire::Version::v5));
  CHECK(told.all ==
        "Received CONNECT (id \"dev\", version 5, keep alive 0, clean start, user name) from a new "
        "client.\n"
        "Received PUBLISH \"a/b\" (6 bytes, QoS 1, id 7) from client \"dev\".\n"
        "Sent PUBACK (id 7) to client \"dev\".\n");
}

TEST_CASE("names can neither end the line nor speak to the terminal") {
  Told told;
  told.log.on_bytes(kFirst, Passage::opened, {});
  told.log.on_connected(kFirst, "x\n");
  told.log.on_bytes(kFirst, Passage::received,
                    bytes_of_packet(publish("a\x1b[2J\nb"), wire::Version::v311));
  CHECK(told.all.find('\x1b') == std::string::npos);
  CHECK(told.all.find('\n') == told.all.size() - 1);
}

TEST_CASE("connections that were there before, or broke in a packet, are nobody else's business") {
  Told told;
  const auto bytes = bytes_of_packet(publish("a"), wire::Version::v311);
  told.log.on_bytes(kFirst, Passage::received, bytes);
  CHECK(told.all.empty());
  told.log.on_bytes(kFirst, Passage::opened, {});
  told.log.on_bytes(kFirst, Passage::received, ByteView(bytes).first(3));
  told.log.on_bytes(kFirst, Passage::closed, {});
  told.log.on_bytes(kSecond, Passage::opened, {});
  told.log.on_bytes(kSecond, Passage::received, bytes);
  CHECK(told.all == "Received PUBLISH \"a\" (6 bytes, QoS 1, id 7) from a new client.\n");
  const std::vector<Byte> endless{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01};
  told.log.on_bytes(kSecond, Passage::received, endless);
  told.log.on_bytes(kSecond, Passage::received, bytes);
  CHECK(told.all.ends_with("from a new client.\n"));
}

TEST_CASE(
    "a packet that the broker will not take costs no memory, and what comes behind is nobody's") {
  for (const std::size_t limit : {8U, 0U}) {
    Told told;
    told.limit = limit;
    told.log.on_bytes(kFirst, Passage::opened, {});
    const auto bytes = bytes_of_packet(publish("a"), wire::Version::v311);  // 13 bytes
    told.log.on_bytes(kFirst, Passage::received, bytes);
    CHECK(told.all.empty() == (limit == 8));
    told.log.on_bytes(kFirst, Passage::received,
                      bytes_of_packet(wire::Pingreq{}, wire::Version::v5));
    CHECK(told.all.contains("PINGREQ") == (limit == 0));
  }
}

TEST_CASE(
    "a long packet that comes in pieces is told, and what it says of those behind it is known") {
  Told told;
  told.limit = 0;
  told.log.on_bytes(kFirst, Passage::opened, {});
  const auto feed = [&told](ByteView bytes) {
    while (!bytes.empty()) {
      const ByteView piece = bytes.first(std::min<std::size_t>(1000, bytes.size()));
      told.log.on_bytes(kFirst, Passage::received, piece);
      bytes = bytes.subspan(piece.size());
    }
  };
  const std::vector<Byte> large(60'000);
  wire::Connect long_connect = connect(wire::Version::v5);
  long_connect.password = large;
  feed(bytes_of_packet(long_connect, wire::Version::v5));
  wire::Publish long_publish = publish("a/b");
  long_publish.payload = large;
  feed(bytes_of_packet(long_publish, wire::Version::v5));
  CHECK(told.all ==
        "Received CONNECT (60029 bytes) from a new client.\n"
        "Received PUBLISH \"a/b\" (60000 bytes, QoS 1, id 7) from a new client.\n");
}

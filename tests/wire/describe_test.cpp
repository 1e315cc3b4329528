#include "wire/describe.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "wire/encode.hpp"

using namespace mq;
using namespace mq::wire;

namespace {

std::string whole(ByteView bytes, Version version) {
  return describe({bytes, bytes.size()}, version);
}

/// What is said when no more than so many bytes of a packet are there.
template <class Packet>
std::string cut(const Packet& packet, Version version, std::size_t size) {
  std::vector<Byte> bytes;
  encode(packet, version, bytes);
  return describe({ByteView(bytes).first(size), bytes.size()}, version);
}

}  // namespace

TEST_CASE("a packet in words says why, when an acknowledgement is not a plain one") {
  std::vector<Byte> bytes;
  encode(Puback{.packet_id = 7, .reason = ReasonCode::no_matching_subscribers, .properties = {}},
         Version::v5, bytes);
  CHECK(whole(bytes, Version::v5) == "PUBACK (id 7, No matching subscribers)");
}

TEST_CASE("a name in words is quoted, so that what follows it cannot be its own") {
  const std::string topic = "a\" (1 bytes, QoS 0)\\\n";
  std::vector<Byte> bytes;
  Publish publish;
  publish.topic = topic;
  encode(publish, Version::v5, bytes);
  CHECK(whole(bytes, Version::v5) == R"(PUBLISH "a\" (1 bytes, QoS 0)\\\x0a" (0 bytes, QoS 0))");
}

TEST_CASE("a long name is shortened, and not what follows it; of many, some are shown") {
  const std::string topic(300, 'a');
  std::vector<Byte> bytes;
  Publish publish;
  publish.topic = topic;
  encode(publish, Version::v5, bytes);
  CHECK(whole(bytes, Version::v5) ==
        "PUBLISH \"" + std::string(256, 'a') + "\"... (0 bytes, QoS 0)");
  Unsubscribe unsubscribe;
  unsubscribe.packet_id = 1;
  unsubscribe.filters = {"a", "b"};
  bytes.clear();
  encode(unsubscribe, Version::v5, bytes);
  CHECK(whole(bytes, Version::v5) == R"(UNSUBSCRIBE (id 1, "a", "b"))");
  unsubscribe.filters.assign(10, "c");
  bytes.clear();
  encode(unsubscribe, Version::v5, bytes);
  CHECK(whole(bytes, Version::v5) ==
        R"(UNSUBSCRIBE (id 1, "c", "c", "c", "c", "c", "c", "c", "c", and 2 more))");
}

TEST_CASE("an UNSUBACK of 3.1.1 has no codes to tell") {
  std::vector<Byte> bytes;
  Unsuback unsuback;
  unsuback.packet_id = 10;
  encode(unsuback, Version::v311, bytes);
  CHECK(whole(bytes, Version::v311) == "UNSUBACK (id 10)");
}

TEST_CASE(
    "the start of a PUBLISH says as much as the whole, once its topic and properties are there") {
  const std::vector<Byte> payload(1'000'000);
  Publish publish;
  publish.topic = "a/b";
  publish.qos = QoS::at_least_once;
  publish.packet_id = 7;
  publish.payload = payload;
  for (const Version version : {Version::v311, Version::v5}) {
    for (const std::size_t size : {12U, 13U, 100U, 200U, 1024U}) {
      CHECK(cut(publish, version, size) == R"(PUBLISH "a/b" (1000000 bytes, QoS 1, id 7))");
    }
    CHECK(cut(publish, version, 8).starts_with("PUBLISH (10000"));
  }
}

TEST_CASE("of the start of any other packet there are its name and length") {
  Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.subscriptions = {{.filter = "a", .options = {}}};
  CHECK(cut(subscribe, Version::v5, 5) == "SUBSCRIBE (9 bytes)");
  CHECK(cut(Connect{.client_id = "a"}, Version::v311, 10) == "CONNECT (15 bytes)");
}

#include "wire/describe.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "wire/encode.hpp"

using namespace mq;
using namespace mq::wire;

TEST_CASE("a packet in words says why, when an acknowledgement is not a plain one") {
  std::vector<Byte> bytes;
  encode(Puback{.packet_id = 7, .reason = ReasonCode::no_matching_subscribers, .properties = {}},
         Version::v5, bytes);
  CHECK(describe(bytes, Version::v5) == "PUBACK (id 7, No matching subscribers)");
}

TEST_CASE("a name in words is quoted, so that what follows it cannot be its own") {
  const std::string topic = "a\" (1 bytes, QoS 0)\\\n";
  std::vector<Byte> bytes;
  Publish publish;
  publish.topic = topic;
  encode(publish, Version::v5, bytes);
  CHECK(describe(bytes, Version::v5) == R"(PUBLISH "a\" (1 bytes, QoS 0)\\\x0a" (0 bytes, QoS 0))");
}

TEST_CASE("a long name is shortened, and not what follows it; of many, some are shown") {
  const std::string topic(300, 'a');
  std::vector<Byte> bytes;
  Publish publish;
  publish.topic = topic;
  encode(publish, Version::v5, bytes);
  CHECK(describe(bytes, Version::v5) ==
        "PUBLISH \"" + std::string(256, 'a') + "\"... (0 bytes, QoS 0)");
  Unsubscribe unsubscribe;
  unsubscribe.packet_id = 1;
  unsubscribe.filters = {"a", "b"};
  bytes.clear();
  encode(unsubscribe, Version::v5, bytes);
  CHECK(describe(bytes, Version::v5) == R"(UNSUBSCRIBE (id 1, "a", "b"))");
  unsubscribe.filters.assign(10, "c");
  bytes.clear();
  encode(unsubscribe, Version::v5, bytes);
  CHECK(describe(bytes, Version::v5) ==
        R"(UNSUBSCRIBE (id 1, "c", "c", "c", "c", "c", "c", "c", "c", and 2 more))");
}

TEST_CASE("an UNSUBACK of 3.1.1 has no codes to tell") {
  std::vector<Byte> bytes;
  Unsuback unsuback;
  unsuback.packet_id = 10;
  encode(unsuback, Version::v311, bytes);
  CHECK(describe(bytes, Version::v311) == "UNSUBACK (id 10)");
}

#include "wire/decode.hpp"

#include <doctest/doctest.h>

#include <array>

#include "wire/encode.hpp"

namespace mq::wire {

TEST_CASE("a PUBLISH comes back from its bytes as it was") {
  std::vector<Byte> bytes;
  PropertyList properties;
  properties.add(PropertyId::message_expiry_interval, 7).add_user("name", "value");
  encode(Publish{.qos = QoS::at_least_once,
                 .topic = "home/bedroom/temp",
                 .packet_id = 9,
                 .properties = properties.view(),
                 .payload = bytes_of("21.5")},
         Version::v5, bytes);
  const auto packet = decode_publish(bytes, Version::v5);
  REQUIRE(packet.has_value());
  CHECK(packet->topic == "home/bedroom/temp");
  CHECK(packet->packet_id == 9);
  CHECK(text_of(packet->payload) == "21.5");
  CHECK(packet->properties.number(PropertyId::message_expiry_interval) == 7);
}

TEST_CASE("a PUBLISH with QoS 3 is malformed [MQTT-3.3.1-4]") {
  const std::array<Byte, 7> bytes = {0x36, 5, 0, 1, 't', 0, 1};
  const auto packet = decode(bytes, Version::v311);
  REQUIRE(!packet.has_value());
  CHECK(packet.error().reason == ReasonCode::malformed_packet);
}

}  // namespace mq::wire

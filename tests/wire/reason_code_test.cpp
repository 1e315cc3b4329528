#include "wire/reason_code.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "support/notation.hpp"

namespace mq::wire {

TEST_CASE("each packet may carry the reason codes that the standard lists for it") {
  struct Expected {
    PacketType type;
    std::string_view codes;
  };
  const Expected expected[] = {
      {PacketType::connect, ""},
      {PacketType::connack,
       "00 80 81 82 83 84 85 86 87 88 89 8a 8c 90 95 97 99 9a 9b 9c 9d 9f"},  // [MQTT-3.2.2-8]
      {PacketType::publish, ""},
      {PacketType::puback, "00 10 80 83 87 90 91 97 99"},           // [MQTT-3.4.2-1]
      {PacketType::pubrec, "00 10 80 83 87 90 91 97 99"},           // [MQTT-3.5.2-1]
      {PacketType::pubrel, "00 92"},                                // [MQTT-3.6.2-1]
      {PacketType::pubcomp, "00 92"},                               // [MQTT-3.7.2-1]
      {PacketType::suback, "00 01 02 80 83 87 8f 91 97 9e a1 a2"},  // [MQTT-3.9.3-2]
      {PacketType::unsuback, "00 11 80 83 87 8f 91"},               // [MQTT-3.11.3-2]
      {PacketType::disconnect,
       "00 04 80 81 82 83 87 89 8b 8c 8d 8e 8f 90 93 94 95 96 97 98 99 9a 9b 9c 9d 9e 9f a0 a1"
       "a2"},                          // [MQTT-3.14.2-1]
      {PacketType::auth, "00 18 19"},  // [MQTT-3.15.2-1]
  };
  for (const auto& [type, listed] : expected) {
    const auto codes = support::bytes(listed);
    for (unsigned code = 0; code < 256; ++code) {
      CAPTURE(type);
      CAPTURE(code);
      const bool is_listed = std::ranges::find(codes, code) != codes.end();
      CHECK(is_allowed(static_cast<ReasonCode>(code), type) == is_listed);
    }
  }
}

TEST_CASE("what 0x00 is called depends on the packet") {
  CHECK(name(ReasonCode::success, PacketType::puback) == "Success");
  CHECK(name(ReasonCode::success, PacketType::disconnect) == "Normal disconnection");
  CHECK(name(ReasonCode::success, PacketType::suback) == "Granted QoS 0");
}

TEST_CASE("every code has a name, whichever packet says it, and other numbers have none") {
  CHECK(name(ReasonCode::not_authorized, PacketType::connack) == "Not authorized");
  CHECK(name(ReasonCode::session_taken_over, PacketType::disconnect) == "Session taken over");
  CHECK(name(ReasonCode::session_taken_over, PacketType::puback) == "Session taken over");
  CHECK(name(static_cast<ReasonCode>(0x03), PacketType::suback) == "Unknown reason");
  CHECK(name(static_cast<ReasonCode>(0xFF), PacketType::connack) == "Unknown reason");
}

TEST_CASE("a refusal in version 3 is the nearest of its five return codes, if one is near") {
  CHECK(connack_code(ReasonCode::success, Version::v311) == 0);
  CHECK(connack_code(ReasonCode::unsupported_protocol_version, Version::v31) == 1);
  CHECK(connack_code(ReasonCode::client_identifier_not_valid, Version::v311) == 2);
  CHECK(connack_code(ReasonCode::server_unavailable, Version::v311) == 3);
  CHECK(connack_code(ReasonCode::server_busy, Version::v311) == 3);
  CHECK(connack_code(ReasonCode::bad_user_name_or_password, Version::v311) == 4);
  CHECK(connack_code(ReasonCode::not_authorized, Version::v31) == 5);
  CHECK(connack_code(ReasonCode::not_authorized, Version::v5) == 0x87);
  for (unsigned code = 0x80; code < 0x100; ++code) {
    const auto answer = connack_code(static_cast<ReasonCode>(code), Version::v311);
    CHECK((!answer || (*answer >= 1 && *answer <= 5)));
  }
  CHECK_FALSE(connack_code(ReasonCode::malformed_packet, Version::v311));
  CHECK_FALSE(connack_code(ReasonCode::qos_not_supported, Version::v311));
}

TEST_CASE("the return codes of version 3 have names") {
  CHECK(connect_return_name(0) == "Connection Accepted");
  CHECK(connect_return_name(5) == "Connection Refused: not authorized");
  CHECK(connect_return_name(6) == "Connection Refused: unknown reason");
}

}  // namespace mq::wire

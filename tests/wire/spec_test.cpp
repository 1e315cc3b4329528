#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "support/notation.hpp"
#include "wire/decode.hpp"
#include "wire/encode.hpp"
#include "wire/faults.hpp"

// Statements about the form of packets that the table of packets has no row for.

namespace mq::wire {

namespace {

using support::bytes;

constexpr QoS kQoS1 = QoS::at_least_once;

std::string_view statement_of(std::string_view notation) {
  const auto frame = bytes(notation);
  const auto packet = decode(frame, Version::v5);
  return packet ? std::string_view("well-formed") : packet.error().statement;
}

/// What a packet says with this string in it.
void check_string(std::string_view notation) {
  const auto with = [&](std::string_view text) {
    std::string whole(notation);
    whole.replace(whole.find('$'), 1, text);
    return std::string(statement_of(whole));
  };
  CAPTURE(notation);
  CHECK(with("'x'") == "well-formed");
  CHECK(with("efbbbf") == "well-formed");
  CHECK(with("'a' ff") == "MQTT-1.5.4-1");
  CHECK(with("eda080") == "MQTT-1.5.4-1");
  CHECK(with("'a' 00") == "MQTT-1.5.4-2");
}

}  // namespace

TEST_CASE("what CONNECT calls a string is UTF-8") {
  check_string("10 [ ('MQTT') 05 02 003c 00 ($) ]");
  check_string("10 [ ('MQTT') 05 06 003c 00 ('a') 00 ($) () ]");
  check_string("10 [ ('MQTT') 05 82 003c 00 ('a') ($) ]");
}

TEST_CASE("topics and filters are UTF-8 and without U+0000") {
  check_string("30 [ ($) 00 ]");
  check_string("82 [ 0001 00 ($) 00 ]");
  check_string("a2 [ 0001 00 ($) ]");
}

TEST_CASE("properties that are strings are UTF-8") {
  check_string("30 [ ('t') [ 08 ($) ] ]");
  check_string("30 [ ('t') [ 03 ($) ] ]");
}

TEST_CASE("both halves of a user property are UTF-8") {
  check_string("30 [ ('t') [ 26 ($) ('v') ] ]");
  check_string("30 [ ('t') [ 26 ('k') ($) ] ]");
}

TEST_CASE("wildcards stand in filters, and in no topic") {
  CHECK(statement_of("82 [ 0001 00 ('a/+') 00 ]") == "well-formed");
  CHECK(statement_of("30 [ ('a/+') 00 ]") == "MQTT-3.3.2-2");
  CHECK(statement_of("30 [ ('#') 00 ]") == "MQTT-3.3.2-2");
}

TEST_CASE("no properties are a length of 0 [MQTT-2.2.2-1]") {
  std::vector<Byte> written;
  encode(Publish{.topic = "t"}, Version::v5, written);
  CHECK(written == bytes("30 [ ('t') 00 ]"));
  written.clear();
  encode(Subscribe{1, {}, {{"t", {}}}}, Version::v5, written);
  CHECK(written == bytes("82 [ 0001 00 ('t') 00 ]"));
  CHECK(statement_of("82 [ 0001 ]") == "");
}

TEST_CASE("CONNACK has no flag but the one of a session that is present [MQTT-3.2.2-1]") {
  std::vector<Byte> written;
  for (const bool session_present : {false, true}) {
    encode(Connack{.session_present = session_present}, Version::v311, written);
    encode(Connack{.session_present = session_present}, Version::v5, written);
  }
  encode(Connack{.code = 0x87}, Version::v5, written);
  CHECK(written == bytes("20 02 0000 20 03 000000 20 02 0100 20 03 010000 20 03 008700"));
}

TEST_CASE("a length takes as few bytes as it can [MQTT-1.5.5-1]") {
  for (const auto& [size, length] : {std::pair{127U, "7f"},
                                     {128U, "8001"},
                                     {16'383U, "ff7f"},
                                     {16'384U, "808001"},
                                     {2'097'151U, "ffff7f"},
                                     {2'097'152U, "80808001"}}) {
    const std::vector<Byte> payload(size - 3);
    std::vector<Byte> written;
    encode(Publish{.topic = "t", .payload = payload}, Version::v311, written);
    const auto start = bytes("30 " + std::string(length) + " 0001 't'");
    REQUIRE(written.size() == start.size() + payload.size());
    CHECK(std::equal(start.begin(), start.end(), written.begin()));
  }
}

TEST_CASE("a PUBLISH of QoS 0 has no packet id, one above it has [MQTT-2.2.1-2]") {
  std::vector<Byte> written;
  encode(Publish{.topic = "t", .packet_id = 7}, Version::v311, written);
  encode(Publish{.qos = kQoS1, .topic = "t", .packet_id = 7}, Version::v311, written);
  CHECK(written == bytes("30 [ ('t') ] 32 [ ('t') 0007 ]"));
}

TEST_CASE(
    "CONNECT has the fields that its flags announce, in their order [MQTT-3.1.2-9] "
    "[MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT-3.1.2-18] "
    "[MQTT-3.1.2-19] [MQTT-3.1.3-1] [MQTT-3.1.3-3]") {
  Connect connect{.version = Version::v5, .keep_alive = 60, .client_id = "id"};
  std::vector<Byte> written;
  encode(connect, Version::v5, written);
  CHECK(written == bytes("10 [ ('MQTT') 05 02 003c 00 ('id') ]"));
  connect.will = Will{.topic = "w", .payload = bytes_of("gone"), .qos = kQoS1, .retain = true};
  connect.user_name = "user";
  connect.password = bytes_of("secret");
  written.clear();
  encode(connect, Version::v5, written);
  CHECK(written ==
        bytes("10 [ ('MQTT') 05 ee 003c 00 ('id') 00 ('w') ('gone') ('user') ('secret') ]"));
  CHECK(statement_of("10 [ ('MQTT') 05 06 003c 00 ('id') ]") == "");
  CHECK(statement_of("10 [ ('MQTT') 05 82 003c 00 ('id') ]") == "");
  CHECK(statement_of("10 [ ('MQTT') 05 42 003c 00 ('id') ]") == "");
  CHECK(statement_of("10 [ ('MQTT') 05 02 003c 00 ]") == "");
}

TEST_CASE("reserved bits and QoS 3 in a v3 SUBSCRIBE are malformed") {
  for (const auto* options : {"03", "04", "80"}) {
    const auto frame = bytes("82 [ 0001 ('t') " + std::string(options) + " ]");
    const auto packet = decode(frame, Version::v311);
    REQUIRE_FALSE(packet.has_value());
    CHECK(packet.error().reason == ReasonCode::malformed_packet);
  }
}

}  // namespace mq::wire

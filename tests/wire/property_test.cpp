#include "wire/property.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/notation.hpp"

namespace mq::wire {

namespace {

using support::bytes;

/// Table 2-4 of MQTT 5.0, written down a second time: the places by the letters of `kPlaces`.
struct Expected {
  unsigned id;
  PropertyType type;
  std::string_view places;
  std::string_view name;
};

using enum PropertyType;

constexpr Expected kExpected[] = {
    {1, byte, "publish will", "payload-format-indicator"},
    {2, four_bytes, "publish will", "message-expiry-interval"},
    {3, text, "publish will", "content-type"},
    {8, text, "publish will", "response-topic"},
    {9, binary, "publish will", "correlation-data"},
    {11, varint, "publish subscribe", "subscription-identifier"},
    {17, four_bytes, "connect connack disconnect", "session-expiry-interval"},
    {18, text, "connack", "assigned-client-identifier"},
    {19, two_bytes, "connack", "server-keep-alive"},
    {21, text, "connect connack auth", "authentication-method"},
    {22, binary, "connect connack auth", "authentication-data"},
    {23, byte, "connect", "request-problem-information"},
    {24, four_bytes, "will", "will-delay-interval"},
    {25, byte, "connect", "request-response-information"},
    {26, text, "connack", "response-information"},
    {28, text, "connack disconnect", "server-reference"},
    {31, text, "connack puback pubrec pubrel pubcomp suback unsuback disconnect auth",
     "reason-string"},
    {33, two_bytes, "connect connack", "receive-maximum"},
    {34, two_bytes, "connect connack", "topic-alias-maximum"},
    {35, two_bytes, "publish", "topic-alias"},
    {36, byte, "connack", "maximum-qos"},
    {37, byte, "connack", "retain-available"},
    {38, pair,
     "connect connack publish will puback pubrec pubrel pubcomp subscribe suback unsubscribe "
     "unsuback disconnect auth",
     "user-property"},
    {39, four_bytes, "connect connack", "maximum-packet-size"},
    {40, byte, "connack", "wildcard-subscription-available"},
    {41, byte, "connack", "subscription-identifier-available"},
    {42, byte, "connack", "shared-subscription-available"},
};

/// By bit of PropertyRow::places.
constexpr std::string_view kPlaces[] = {"will",      "connect",  "connack",     "publish",
                                        "puback",    "pubrec",   "pubrel",      "pubcomp",
                                        "subscribe", "suback",   "unsubscribe", "unsuback",
                                        "pingreq",   "pingresp", "disconnect",  "auth"};

std::uint16_t places_of(std::string_view names) {
  const std::string padded = " " + std::string(names) + " ";
  unsigned places = 0;
  for (unsigned place = 0; place < 16; ++place) {
    const bool is_named = padded.find(" " + std::string(kPlaces[place]) + " ") != std::string::npos;
    if (is_named) places |= 1U << place;
  }
  return static_cast<std::uint16_t>(places);
}

}  // namespace

TEST_CASE("the table of properties is the standard's") {
  REQUIRE(property_table().size() == std::size(kExpected));
  for (std::size_t i = 0; i < std::size(kExpected); ++i) {
    const PropertyRow& row = property_table()[i];
    CAPTURE(row.name);
    CHECK(static_cast<unsigned>(row.id) == kExpected[i].id);
    CHECK(row.type == kExpected[i].type);
    CHECK(row.places == places_of(kExpected[i].places));
    CHECK(row.name == kExpected[i].name);
  }
}

TEST_CASE("a property is found by its number and by its name, and no other is") {
  unsigned known = 0;
  for (unsigned id = 0; id < 256; ++id) {
    const PropertyRow* row = find_property(static_cast<std::uint8_t>(id));
    if (row == nullptr) continue;
    ++known;
    CHECK(static_cast<unsigned>(row->id) == id);
    CHECK(find_property(row->name) == row);
  }
  CHECK(known == 27);
  CHECK(find_property("topic_alias") == nullptr);
  CHECK(find_property("") == nullptr);
}

TEST_CASE("properties are written one behind the other and read in that order") {
  PropertyList list;
  list.add(PropertyId::payload_format_indicator, 1)
      .add(PropertyId::server_keep_alive, 0x0102)
      .add(PropertyId::message_expiry_interval, 0x01020304)
      .add(PropertyId::subscription_identifier, 128)
      .add(PropertyId::content_type, "text")
      .add(PropertyId::correlation_data, bytes("00ff"))
      .add_user("name", "value");
  const Properties properties = list.view();
  CHECK(std::ranges::equal(properties.encoded(),
                           bytes("01 01 13 0102 02 01020304 0b 8001 03 ('text') 09 (00ff)"
                                 "26 ('name') ('value')")));

  auto at = properties.begin();
  CHECK(at->id == PropertyId::payload_format_indicator);
  CHECK(at->number == 1);
  CHECK(std::ranges::equal(at.encoded(), bytes("01 01")));
  ++at;
  CHECK(at->number == 0x0102);
  ++at;
  CHECK(at->number == 0x01020304);
  ++at;
  CHECK(at->number == 128);
  CHECK(at->bytes.empty());
  ++at;
  CHECK(text_of(at->bytes) == "text");
  CHECK(at->number == 0);
  ++at;
  CHECK(std::ranges::equal(at->bytes, bytes("00ff")));
  ++at;
  CHECK(at->id == PropertyId::user_property);
  CHECK(text_of(at->bytes) == "name");
  CHECK(at->value == "value");
  CHECK(std::ranges::equal(at.encoded(), bytes("26 ('name') ('value')")));
  ++at;
  CHECK(at == Properties::end());
}

TEST_CASE("the first property with an id answers for it, and none when there is none") {
  PropertyList list;
  list.add(PropertyId::subscription_identifier, 5)
      .add(PropertyId::subscription_identifier, 6)
      .add(PropertyId::reason_string, "why")
      .add(PropertyId::authentication_data, bytes("0102"));
  const Properties properties = list.view();
  CHECK(properties.number(PropertyId::subscription_identifier) == 5);
  CHECK(properties.text(PropertyId::reason_string) == "why");
  REQUIRE(properties.binary(PropertyId::authentication_data).has_value());
  CHECK(std::ranges::equal(*properties.binary(PropertyId::authentication_data), bytes("0102")));
  CHECK_FALSE(properties.find(PropertyId::topic_alias).has_value());
  CHECK_FALSE(properties.number(PropertyId::topic_alias).has_value());
  CHECK_FALSE(Properties().text(PropertyId::reason_string).has_value());
}

TEST_CASE("properties can be taken over as they were read") {
  const auto encoded = bytes("26 ('a') ('b') 01 01 26 ('c') ('d')");
  PropertyList users;
  const Properties all(encoded);
  for (auto at = all.begin(); at != Properties::end(); ++at) {
    if (at->id == PropertyId::user_property) users.add_encoded(at.encoded());
  }
  CHECK(std::ranges::equal(users.view().encoded(), bytes("26 ('a') ('b') 26 ('c') ('d')")));
}

TEST_CASE("a list is empty until something is added") {
  PropertyList list;
  CHECK(list.empty());
  CHECK(list.view().empty());
  CHECK(list.view().begin() == Properties::end());
  list.add(PropertyId::topic_alias, 1);
  CHECK_FALSE(list.empty());
}

}  // namespace mq::wire

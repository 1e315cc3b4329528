#include "cli/json_line.hpp"

#include <doctest/doctest.h>

#include <string>

#include "cli/json.hpp"
#include "cli/json_message.hpp"

using namespace mq;
using namespace mq::cli;
using wire::PropertyId;

namespace {

JsonLine read(std::string_view line) {
  auto message = parse_json_line(line);
  REQUIRE_MESSAGE(message.has_value(), message.error());
  return *std::move(message);
}

std::string payload(std::string_view value) {
  return read("{\"topic\":\"a\",\"payload\":" + std::string(value) + "}").payload;
}

std::string fault(std::string_view line) {
  const auto message = parse_json_line(line);
  REQUIRE_FALSE(message.has_value());
  return message.error();
}

std::string property_fault(std::string_view properties) {
  return fault("{\"properties\":{" + std::string(properties) + "},\"payload\":null}");
}

std::string written(const JsonLine& line) {
  std::string text;
  append_json_message({.qos = *line.qos,
                       .retain = *line.retain,
                       .topic = *line.topic,
                       .properties = line.properties.view(),
                       .payload = bytes_of(line.payload)},
                      "now", JsonPayload::text, text);
  return text;
}

}  // namespace

TEST_CASE("what append_json_message() writes comes back as it was") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  wire::PropertyList properties;
  properties.add(PropertyId::payload_format_indicator, 1U)
      .add(PropertyId::message_expiry_interval, 0xFFFF'FFFFU)
      .add(PropertyId::content_type, std::string_view("text/\"plain\""))
      .add(PropertyId::response_topic, std::string_view("r/\u00e9"))
      .add(PropertyId::correlation_data, bytes_of(bytes))
      .add_user("b", "1")
      .add_user("a", "")
      .add_user("b", "\u001f");
  for (const std::string& payload :
       {std::string("x\0\n\u0085\U0001F600", 9), bytes, std::string()}) {
    std::string text;
    const wire::Publish message{.qos = wire::QoS::exactly_once,
                                .retain = true,
                                .topic = "a/\u00e9/\"",
                                .properties = properties.view(),
                                .payload = bytes_of(payload)};
    append_json_message(message, "now", JsonPayload::text, text);
    const JsonLine line = read(text);
    CHECK(line.payload == payload);
    CHECK(text_of(line.properties.view().encoded()) == text_of(properties.view().encoded()));
    CHECK(written(line) == text);
  }
}

TEST_CASE("what a line does not say is left open") {
  const JsonLine line = read(R"({"payload":"x","comment":[1]})");
  CHECK_FALSE(line.topic);
  CHECK_FALSE(line.qos);
  CHECK_FALSE(line.retain);
  CHECK(line.properties.empty());
}

TEST_CASE("a payload is a string, base64, nothing, or another value that stands for its text") {
  CHECK(payload(R"("a\u00e9\u0000\n")") == std::string("a\u00e9\0\n", 5));
  CHECK(payload("null").empty());
  CHECK(payload("21.50") == "21.50");
  CHECK(payload(" 123456789012345678901234567890 ") == "123456789012345678901234567890");
  CHECK(payload(R"({ "payload": [1.0, "}\"],"] })") == R"({ "payload": [1.0, "}\"],"] })");
  CHECK(read(R"({"payload":null,"payload_b64":"AP8="})").payload == std::string("\0\xFF", 2));
}

TEST_CASE("what belongs to the connection it came by is left out") {
  CHECK(read(R"({"mid":7,"properties":{"subscription-identifier":[1,2],"topic-alias":3},)"
             R"("payload":null})")
            .properties.empty());
}

TEST_CASE("what mosquitto 2.0 prints is read: retain as a number, user properties as an object") {
  const JsonLine line =
      read(R"({"tst":"2026-11-23T08:58:39.966231Z+0000","topic":"a","qos":1,"retain":1,)"
           R"("payloadlen":1,"mid":1,"properties":{"content-type":"t",)"
           R"("user-properties":{"b":"1","a":"\u00e9, } \"","b":"2" , "":""}},"payload":"x"})");
  CHECK(line.retain == true);
  CHECK(read(R"({"retain":0,"payload":null})").retain == false);
  wire::PropertyList expected;
  expected.add(PropertyId::content_type, std::string_view("t"))
      .add_user("b", "1")
      .add_user("a", "\u00e9, } \"")
      .add_user("b", "2")
      .add_user("", "");
  CHECK(text_of(line.properties.view().encoded()) == text_of(expected.view().encoded()));
}

TEST_CASE("what is wrong with a line is told with its place [MQTT-4.7.3-2]") {
  CHECK(fault("") == "column 1: unexpected end of input; expected '[', '{', or a literal");
  CHECK(fault(R"({"topic":"a" "qos":1})") == "column 18: unexpected string literal; expected '}'");
  CHECK(fault("{\"topic\":\"\xFF\"}").starts_with("column 11: invalid string: ill-formed UTF-8"));
  CHECK(fault("{} {}").starts_with("column 4: "));
  CHECK(fault("[1]") == "column 1: must be an object, in braces");
  CHECK(fault(R"({"topic":1,"payload":""})") == "topic: must be a string");
  CHECK(fault(R"({"topic":"a/+","payload":""})").starts_with("topic: must be one topic"));
  CHECK(fault(R"({"topic":"a\u0000","payload":""})") == "topic: must not have a NUL in it");
  CHECK(fault(R"({"qos":3,"payload":""})") == "qos: must be 0, 1 or 2");
  CHECK(fault(R"({"qos":-1,"payload":""})") == "qos: must be 0, 1 or 2");
  CHECK(fault(R"({"retain":2,"payload":""})") == "retain: must be true or false");
  CHECK(fault(R"({"topic":"a"})") == "there is no payload; an empty one is null");
  CHECK(fault(R"({"payload_b64":"AA"})") == "payload_b64: is not base64");
  CHECK(fault(R"({"payload_b64":1})") == "payload_b64: must be a string");
  CHECK(fault(R"({"properties":[],"payload":""})") == "properties: must be an object");
}

TEST_CASE("properties keep to the standard's rules") {
  CHECK(property_fault(R"("colour":"red")") == "properties, colour: is no property of a message");
  CHECK(property_fault(R"("receive-maximum":1)").ends_with("is no property of a message"));
  CHECK(
      property_fault(R"("payload-format-indicator":2)").ends_with("must be a number from 0 to 1"));
  CHECK(
      property_fault(R"("message-expiry-interval":4294967296)").ends_with("from 0 to 4294967295"));
  CHECK(property_fault(R"("content-type":1)") == "properties, content-type: must be a string");
  CHECK(property_fault(R"("content-type":"\u0000")").starts_with("properties, content-type: "));
  CHECK(property_fault(R"("response-topic":"a/#")") ==
        "properties, response-topic: response topic is empty or has wildcards");
  CHECK(property_fault(R"("correlation-data_b64":"!")").ends_with("is not base64"));
  CHECK(fault(R"({"retain":"1","payload":""})") == "retain: must be true or false");
  for (const auto* singular : {R"("user-property":"a")", R"("user-property_b64":"YQ==")"}) {
    CHECK(property_fault(singular).ends_with("is written as user-properties, a list of objects"));
  }
  CHECK(property_fault(R"("user-properties":"a")")
            .ends_with("must be an object or a list of objects"));
  CHECK(property_fault(R"("user-properties":{"a":1})").ends_with("\"a\" must be a string"));
  CHECK(property_fault(R"("user-properties":[{"a":1}])").ends_with("\"a\" must be a string"));
  CHECK(property_fault("\"content-type\":\"" + std::string(65'536, 'x') + '"')
            .ends_with("must not be longer than 65535 bytes"));
}

TEST_CASE("base64: what is written is read, anything else is not") {
  for (std::string bytes; bytes.size() < 9; bytes += static_cast<char>(250 + bytes.size())) {
    std::string text;
    append_base64(bytes_of(bytes), text);
    CHECK(read_base64(text) == bytes);
  }
  for (const auto* text : {"A", "AA", "AAA", "=", "====", "A===", "AA=A", "AAA\n", "A-_A"}) {
    CHECK_FALSE(read_base64(text));
  }
}

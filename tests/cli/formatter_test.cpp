#include "cli/formatter.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "cli/escape.hpp"
#include "cli/json.hpp"

using namespace mq;
using namespace mq::cli;
using wire::PropertyId;

namespace {

/// 2026-11-23 08:58:39.966231 UTC
constexpr WallTime kWall{std::chrono::microseconds{1'795'424'319'966'231}};

struct Printer {
  Printer() {
    setenv("TZ", "UTC", 1);
    properties.add(PropertyId::payload_format_indicator, 1U)
        .add(PropertyId::message_expiry_interval, 60U)
        .add(PropertyId::content_type, "text/plain")
        .add(PropertyId::response_topic, "answer")
        .add(PropertyId::correlation_data, bytes_of("id"))
        .add(PropertyId::subscription_identifier, 7U)
        .add(PropertyId::topic_alias, 3U)
        .add_user("a", "1")
        .add_user("a", "2");
  }

  std::string print(std::string_view payload, MessageFormat format) {
    wire::Publish message{.qos = wire::QoS::at_least_once,
                          .retain = true,
                          .topic = topic,
                          .packet_id = 5,
                          .properties = {},
                          .payload = bytes_of(payload)};
    if (has_properties) message.properties = properties.view();
    Formatter formatter(std::move(format), notices);
    std::string out;
    formatter.append(message, kWall, out);
    return out;
  }
  /// By a format, without the newline.
  std::string print(std::string_view payload, std::string_view format) {
    const auto pieces = parse_format(format);
    REQUIRE_MESSAGE(pieces.has_value(), pieces.error().message);
    return print(payload, {.pieces = *pieces, .end = ""});
  }

  std::string_view topic = "a/b";
  wire::PropertyList properties;
  bool has_properties = true;
  std::string said;
  Notices notices{"mqsub",
                  [this](std::string_view text) {
                    said += text;
                    return true;
                  },
                  Medium::file, Notices::Loudness::normal};
};

std::string formatted(std::string_view payload, const MessageFormat& format) {
  return Printer().print(payload, format);
}

std::string by(std::string_view format, std::string_view payload = "hello") {
  return Printer().print(payload, format);
}

std::string bare(std::string_view format, std::string_view payload = "hello") {
  Printer printer;
  printer.has_properties = false;
  return printer.print(payload, format);
}

std::string escaped(std::string_view text) {
  std::string out;
  escape(text, Newlines::kept, out);
  return out;
}

std::string fault_of(std::string_view format) {
  const auto pieces = parse_format(format);
  REQUIRE_FALSE(pieces.has_value());
  return pieces.error().message;
}

constexpr std::string_view kFront =
    R"({"tst":"2026-11-23T08:58:39.966231+0000","topic":"a/b","qos":1,"retain":true,)";

}  // namespace

TEST_CASE("a message is its payload and a newline; an empty one is nothing at all") {
  CHECK(formatted("hello", {}) == "hello\n");
  CHECK(formatted("", {}) == "");
  CHECK(formatted("hello", {.end = ""}) == "hello");
}

TEST_CASE("with the topic an empty payload is (null), also without a newline") {
  CHECK(formatted("hello", {.has_topic = true}) == "a/b hello\n");
  CHECK(formatted("", {.has_topic = true}) == "a/b (null)\n");
  CHECK(formatted("", {.has_topic = true, .end = ""}) == "a/b (null)");
}

TEST_CASE("in a pipe the bytes are the payload's; on a terminal nothing can steer it") {
  const std::string nasty("a\x1b[31m\0\xff", 8);
  CHECK(formatted(nasty, {}) == nasty + "\n");
  CHECK(formatted(nasty, {.medium = Medium::terminal}) == "a\\x1b[31m\\x00\\xff\n");
  CHECK(formatted(nasty, {.pieces = *parse_format("\\e[1m%p"), .medium = Medium::terminal}) ==
        "\x1b[1ma\\x1b[31m\\x00\\xff\n");
}

TEST_CASE("on a terminal no part of a payload looks like another message") {
  const auto shown = [](std::string_view payload, MessageFormat format) {
    format.medium = Medium::terminal;
    return formatted(payload, format);
  };
  CHECK(shown("one\nx/y two", {.has_topic = true}) == "a/b one\\x0ax/y two\n");
  CHECK(shown("one\nx/y two", {.pieces = *parse_format("%t: %p")}) == "a/b: one\\x0ax/y two\n");
  CHECK(shown("one\n", {.has_topic = true}) == "a/b one\n\n");
  CHECK(shown("one\n\n", {.has_topic = true}) == "a/b one\\x0a\n\n");
  CHECK(shown("one\n", {.pieces = *parse_format("%t: %p|@@")}) == "a/b: one\n|@\n");
  CHECK(shown("one\n", {.pieces = *parse_format("%p@N%t")}) == "one\\x0a966231000a/b\n");
  CHECK(shown("one\n", {.pieces = *parse_format("%p%p")}) == "one\\x0aone\n\n");
  CHECK(shown("one\ntwo", {}) == "one\ntwo\n");
  CHECK(shown("one\ntwo", {.pieces = *parse_format("%p")}) == "one\ntwo\n");
  CHECK(formatted("one\nx/y two", {.has_topic = true}) == "a/b one\nx/y two\n");

  Printer printer;
  printer.topic = "a\nx/y two";
  CHECK(printer.print("p", {.has_topic = true, .medium = Medium::terminal}) == "a\\x0ax/y two p\n");
}

TEST_CASE("the colour of a topic is not part of its width") {
  CHECK(formatted("x", {.has_topic = true, .is_coloured = true}) == "\x1b[36ma/b\x1b[0m x\n");
  CHECK(formatted("x", {.pieces = *parse_format("%5t|"), .is_coloured = true}) ==
        "\x1b[36m  a/b\x1b[0m|\n");
}

TEST_CASE("escaping leaves text as it is, in any script, with tabs and newlines") {
  CHECK(escaped("grün\t東京\n🌡") == "grün\t東京\n🌡");
  CHECK(escaped("\r\x7f") == "\\x0d\\x7f");
  CHECK(escaped("\xC2\x9B"
                "31m") == "\\xc2\\x9b31m");  // U+009B begins a control sequence
  CHECK(escaped("\xC2\xA0") == "\xC2\xA0");
  CHECK(escaped("\xE6\x9D") == "\\xe6\\x9d");  // cut off in the middle
  CHECK(escaped("\x80x\xF8") == "\\x80x\\xf8");
}

TEST_CASE("what turns the direction of writing or ends a line is escaped") {
  CHECK(escaped("a\u202Eb\u2028c\u200Fd\u2066") ==
        R"(a\xe2\x80\xaeb\xe2\x80\xa8c\xe2\x80\x8fd\xe2\x81\xa6)");
  CHECK(escaped("\u200D\u2030") == "\u200D\u2030");
}

TEST_CASE("-F: what the message is") {
  CHECK(by("%t|%p|%l|%q|%r|%m|%%") == "a/b|hello|5|1|1|5|%");
  CHECK(by("%x %X", "j\xff") == "6aff 6AFF");
  CHECK(by("") == "");
}

TEST_CASE("-F: the properties of MQTT 5; one that is missing is as wide as it would be") {
  CHECK(by("%A|%C|%D|%E|%F|%P|%R|%S") == "3|text/plain|id|60|1|a:1 a:2|answer|7");
  CHECK(bare("%A|%C|%D|%E|%F|%P|%R|%S") == "|||||||");
  CHECK(bare("%3A|%4C|%-2E|%03S") == "   |    |  |000");
}

TEST_CASE("-F: widths, to the left with -, zeros before numbers; precision cuts text") {
  CHECK(by("%6t|%-6t|%.2t|%5.1t") == "   a/b|a/b   |a/|    a");
  CHECK(by("%4l|%-4l|%04l|%-04l|%06t") == "   5|5   |0005|5   |   a/b");
  CHECK(by("%8p|%-8p|%3p") == "   hello|hello   |hel");
  Printer printer;
  CHECK(printer.print("grün", "%5.3C") == "  tex");
}

TEST_CASE("-F: text is measured in characters") {
  Printer printer;
  printer.properties = {};
  printer.properties.add(PropertyId::content_type, "grün!");
  CHECK(printer.print("", "%6C|%.3C|") == " grün!|grü|");
}

TEST_CASE("-F: hex in groups, with any separator; a width leaves room for whole bytes") {
  CHECK(by("%.2x", "\x01\x02\x03") == "01 02 03");
  CHECK(by("%.4:X", "\xab\xcd\xef") == "ABCD:EF");
  CHECK(by("%8x|%-8x|%08x|%4x", "\x01\x02\x03") == "  010203|010203  |00010203|0102");
  CHECK(by("%5.2-x", "\x01\x02\x03") == "01-02");
  CHECK(by("%.2x", "") == "");
}

TEST_CASE("-F: a payload that is a number in IEEE 754; another size is told") {
  const float half = 0.5F;
  const double third = 1.0 / 3;
  CHECK(by("%f|%7.2f", {reinterpret_cast<const char*>(&half), 4}) == "0.500000|   0.50");
  CHECK(by("%.3d", {reinterpret_cast<const char*>(&third), 8}) == "0.333");
  Printer printer;
  CHECK(printer.print("hello", "%3f") == "   ");
  CHECK(printer.said == "mqsub: message on a/b: %f takes 4 bytes, not 5\n");
}

TEST_CASE("-F: when it came") {
  CHECK(by("%U") == "1795424319.966231000");
  CHECK(by("%I") == "2026-11-23T08:58:39+0000");
  CHECK(by("@Y-@m-@d @H:@M:@S.@N @@") == "2026-11-23 08:58:39.966231000 @");
}

TEST_CASE("-F: escapes") {
  CHECK(by(R"(\\\a\e\n\r\t\v\0)") == std::string("\\\a\x1b\n\r\t\v\0", 8));
}

TEST_CASE("-F: what makes no sense is shown with a caret and what would be right") {
  CHECK(fault_of("%t %k").starts_with("-F: %k is no code\n  %t %k\n      ^ allowed: %% %A %C"));
  CHECK(fault_of("%-08").starts_with("-F: the format ends too early\n  %-08\n      ^ allowed: %%"));
  CHECK(fault_of("ü\x1b%@s")
            .starts_with("-F: %@s has a separator, which is for hex digits only\n"
                         "  ü\\x1b%@s\n         ^ allowed: x X"));
  CHECK(fault_of("@").starts_with("-F: the format ends too early\n  @\n   ^ allowed: @% @a @A"));
  CHECK(fault_of(R"(a\q)").starts_with("-F: \\q is no escape\n  a\\q\n    ^ allowed: \\\\ \\0"));
  CHECK(fault_of("%10001t").starts_with("-F: too wide\n"));
}

TEST_CASE("%j: a line of JSON, its keys in mosquitto's order") {
  CHECK(bare("%j") == std::string(kFront) + R"("payloadlen":5,"mid":5,"payload":"hello"})");
  CHECK(by("%j").contains(
      R"("mid":5,"properties":{"payload-format-indicator":1,"message-expiry-interval":60,)"
      R"("content-type":"text/plain","response-topic":"answer","correlation-data":"id",)"
      R"("subscription-identifier":7,"topic-alias":3,"user-properties":[{"a":"1"},{"a":"2"}]},)"
      R"("payload":"hello"})"));
  CHECK(bare("%j", "").ends_with(R"("payloadlen":0,"mid":5,"payload":null})"));
}

TEST_CASE("%j is valid whatever the payload: NUL, quotes, controls, no UTF-8") {
  CHECK(bare("%j", std::string("a\0\"\\\n\x1b\x7f\xC2\x9B", 9))
            .ends_with(R"("payload":"a\u0000\"\\\n\u001b\u007f\u009b"})"));
  CHECK(bare("%j", "a\u202E\u2028\u00e9").ends_with("\"payload\":\"a\\u202e\\u2028\u00e9\"}"));
  CHECK(bare("%j", "\xff").ends_with(R"("payload_b64":"/w=="})"));
  CHECK(bare("%j", "\xff\xfe").ends_with(R"("payload_b64":"//4="})"));
  CHECK(bare("%j", std::string("\x00\xff\x01", 3)).ends_with(R"("payload_b64":"AP8B"})"));
  Printer printer;
  printer.properties = {};
  printer.properties.add(PropertyId::correlation_data, bytes_of("\xff"));
  CHECK(printer.print("", "%j").contains(R"("properties":{"correlation-data_b64":"/w=="},)"));
}

TEST_CASE("%j: several subscription identifiers are a list") {
  Printer printer;
  printer.properties = {};
  printer.properties.add(PropertyId::subscription_identifier, 1U)
      .add(PropertyId::subscription_identifier, 200U);
  CHECK(printer.print("", "%j").contains(R"("subscription-identifier":[1,200])"));
}

TEST_CASE("%J: the payload's own text on one line, numbers untouched; else a string") {
  CHECK(bare("%J", "{\n \"n\" : 12345678901234567890,\t\"s\":\"a \\\" b\" }")
            .ends_with(R"("payload":{"n":12345678901234567890,"s":"a \" b"}})"));
  CHECK(bare("%J", "1.50").ends_with("\"payload\":1.50}"));
  CHECK(bare("%J", "hello").ends_with(R"("payload":"hello"})"));
  CHECK(bare("%J", "[1] 2").ends_with(R"("payload":"[1] 2"})"));
  CHECK(bare("%J", "\"\x7f\"").ends_with(R"("payload":"\u007f"})"));
  CHECK(bare("%J", "\"\u202E\u00e9\"").ends_with("\"payload\":\"\\u202e\u00e9\"}"));
  CHECK(bare("%J", "\xff").ends_with(R"("payload_b64":"/w=="})"));
}

TEST_CASE("--pretty: laid out as mosquitto does") {
  Printer printer;
  printer.properties = {};
  printer.properties.add_user("k", "v").add_user("k", "w");
  const std::string text = printer.print(
      "[1,{}]", {.pieces = *parse_format("%J"), .end = "", .json = JsonStyle::pretty});
  CHECK(text ==
        "{\n\t\"tst\":\t\"2026-11-23T08:58:39.966231+0000\",\n\t\"topic\":\t\"a/b\",\n"
        "\t\"qos\":\t1,\n\t\"retain\":\ttrue,\n\t\"payloadlen\":\t6,\n\t\"mid\":\t5,\n"
        "\t\"properties\":\t{\n\t\t\"user-properties\":\t[{\n\t\t\t\t\"k\":\t\"v\"\n\t\t\t}, {\n"
        "\t\t\t\t\"k\":\t\"w\"\n\t\t\t}]\n\t},\n\t\"payload\":\t[1, {\n\t\t}]\n}");
}

TEST_CASE("--pretty: what is nested deeply is not indented as deeply") {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "{\"\":";
  deep += "1" + std::string(10'000, '}');
  std::string text;
  append_json(deep, JsonStyle::pretty, text);
  CHECK(text.size() < 20 * deep.size());
  std::string compact;
  append_json(text, JsonStyle::compact, compact);
  CHECK(compact == deep);
}

TEST_CASE("what has a NUL in it is no JSON, whatever stands before that") {
  CHECK_FALSE(is_json(std::string_view("{}\0}", 4)));
  CHECK(is_json("{}"));
}

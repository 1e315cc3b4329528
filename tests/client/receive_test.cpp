#include <doctest/doctest.h>

#include <array>

#include "support/conversation.hpp"

using namespace mq;
using namespace mq::support;
using wire::PropertyId;
using wire::PropertyList;
using wire::Publish;
using wire::QoS;
using wire::ReasonCode;

namespace {

Publish message(QoS qos, std::uint16_t id, std::string_view payload = "x") {
  return {
      .qos = qos, .topic = "a", .packet_id = id, .properties = {}, .payload = bytes_of(payload)};
}
constexpr auto kQoS1 = QoS::at_least_once;
constexpr auto kQoS2 = QoS::exactly_once;

wire::Pubrel pubrel(std::uint16_t id) {
  return {.packet_id = id, .properties = {}};
}

Publish aliased(std::string_view topic, const PropertyList& alias) {
  return {.topic = topic, .properties = alias.view(), .payload = {}};
}

PropertyList only(PropertyId id, std::uint32_t number) {
  PropertyList properties;
  properties.add(id, number);
  return properties;
}

constexpr std::array<Byte, 2> kTwoCodes{1, 0x80};
const std::array kEitherVersion{client::Settings(), v5()};

}  // namespace

TEST_CASE(
    "QoS 1 is acknowledged at once and delivered as often as it comes [MQTT-2.2.1-5] "
    "[MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.3.2-5]") {
  for (const auto& settings : kEitherVersion) {
    Conversation talk(settings);
    talk.join();
    CHECK(talk.reply(message(kQoS1, 7)) == "arrived PUBLISH a q1 id=7 'x'");
    CHECK(talk.sent() == "PUBACK 7");
    Publish again = message(kQoS1, 7);
    again.dup = true;
    CHECK(talk.reply(again) == "arrived PUBLISH a q1 id=7 dup 'x'");
    CHECK(talk.sent() == "PUBACK 7");
  }
}

TEST_CASE(
    "QoS 2 is delivered once, however often PUBLISH comes [MQTT-2.2.1-5] [MQTT-3.3.4-1] "
    "[MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT-4.3.3-12]") {
  for (const auto& settings : kEitherVersion) {
    Conversation talk(settings);
    talk.join();
    CHECK(talk.reply(message(kQoS2, 7)) == "arrived PUBLISH a q2 id=7 'x'");
    CHECK(talk.sent() == "PUBREC 7");
    Publish again = message(kQoS2, 7);
    again.dup = true;
    CHECK(talk.reply(again) == "");
    CHECK(talk.sent() == "PUBREC 7");
    CHECK(talk.reply(pubrel(7)) == "");
    CHECK(talk.sent() == "PUBCOMP 7");
    CHECK(talk.reply(message(kQoS2, 7)) == "arrived PUBLISH a q2 id=7 'x'");  // [MQTT-4.3.3-12]
  }
}

TEST_CASE("QoS 2 survives a connection in a resumed session, and only there [MQTT-3.2.2-5]") {
  for (auto settings : kEitherVersion) {
    settings.client_id = "me";
    settings.clean_start = false;
    Conversation talk(settings);
    talk.join();
    talk.reply(message(kQoS2, 7));
    talk.come_back({.session_present = true, .properties = {}});
    CHECK(talk.reply(message(kQoS2, 7)) == "");
    talk.come_back({});
    CHECK(talk.reply(message(kQoS2, 7)) == "arrived PUBLISH a q2 id=7 'x'");
  }
}

TEST_CASE("PUBREL for an unknown id is completed all the same, in v5 with the reason") {
  Conversation talk(v5());
  talk.join();
  CHECK(talk.reply(pubrel(9)) == "");
  CHECK(talk.sent() == "PUBCOMP 9 92");
  Conversation old;
  old.join();
  old.reply(pubrel(9));
  CHECK(old.sent() == "PUBCOMP 9");
}

TEST_CASE("more QoS 2 messages than our receive maximum are an error") {
  Conversation talk(v5(only(PropertyId::receive_maximum, 2)));
  talk.join();
  CHECK(talk.reply(message(kQoS2, 1)) != "");
  CHECK(talk.reply(message(kQoS2, 2)) != "");
  CHECK(talk.reply(message(kQoS2, 2)) == "");  // a repetition is none more
  talk.sent();
  CHECK(talk.reply(message(kQoS2, 3)) == "");
  CHECK(talk.sent() == "DISCONNECT 93");
}

TEST_CASE("a topic alias stands for the topic that it came with [MQTT-3.3.2-7] [MQTT-3.3.2-10]") {
  Conversation talk(v5(only(PropertyId::topic_alias_maximum, 2)));
  talk.join();
  const PropertyList one = only(PropertyId::topic_alias, 1);
  const PropertyList two = only(PropertyId::topic_alias, 2);
  CHECK(talk.reply(aliased("first", one)) == "arrived PUBLISH first q0 {topic-alias=1} ''");
  CHECK(talk.reply(aliased("second", two)) == "arrived PUBLISH second q0 {topic-alias=2} ''");
  CHECK(talk.reply(aliased("", one)) == "arrived PUBLISH first q0 {topic-alias=1} ''");
  CHECK(talk.reply(aliased("other", one)) == "arrived PUBLISH other q0 {topic-alias=1} ''");
  CHECK(talk.reply(aliased("", one)) == "arrived PUBLISH other q0 {topic-alias=1} ''");
  talk.come_back({});
  talk.sent();
  CHECK(talk.reply(aliased("", one)) == "");
  CHECK(talk.sent() == "DISCONNECT 82");
}

TEST_CASE("a topic alias above what we named is refused") {
  for (const std::uint32_t maximum : {0U, 2U}) {
    Conversation talk(maximum == 0 ? v5() : v5(only(PropertyId::topic_alias_maximum, maximum)));
    talk.join();
    CHECK(talk.reply(aliased("a", only(PropertyId::topic_alias, 3))) == "");
    CHECK(talk.sent() == "DISCONNECT 94");
  }
}

TEST_CASE("messages that come in pieces, and many in one piece, are all there [MQTT-4.2.0-1]") {
  Conversation talk;
  talk.join();
  std::vector<Byte> bytes;
  wire::encode(message(QoS::at_most_once, 0, "one"), wire::Version::v311, bytes);
  wire::encode(message(QoS::at_most_once, 0, "two"), wire::Version::v311, bytes);
  CHECK(talk.reply_bytes(bytes) == "arrived PUBLISH a q0 'one'; arrived PUBLISH a q0 'two'");
  std::string all;
  for (const Byte& byte : bytes) all += talk.reply_bytes({&byte, 1}) + ".";
  CHECK(all == ".......arrived PUBLISH a q0 'one'........arrived PUBLISH a q0 'two'.");
}

TEST_CASE("the rest of a long message is read into its place") {
  Conversation talk;
  talk.join();
  const std::string payload(100'000, 'x');
  std::vector<Byte> bytes;
  wire::encode(message(QoS::at_most_once, 0, payload), wire::Version::v311, bytes);
  CHECK(talk.reply_bytes(ByteView(bytes).first(40'000)) == "");
  const auto tail = talk.core.tail();
  REQUIRE(tail.size() == bytes.size() - 40'000);
  std::copy(bytes.begin() + 40'000, bytes.end(), tail.begin());
  talk.core.on_tail(tail.size(), talk.now);
  CHECK(talk.events() == "arrived PUBLISH a q0 '" + payload + "'");
}

TEST_CASE("what comes behind a disconnect is neither delivered nor acknowledged [MQTT-3.14.4-1]") {
  for (const auto& settings : kEitherVersion) {
    Conversation talk(settings);
    talk.join();
    std::vector<Byte> bytes;
    wire::encode(message(kQoS1, 1, "one"), settings.version, bytes);
    wire::encode(message(kQoS1, 2, "two"), settings.version, bytes);
    talk.core.on_bytes(bytes, talk.now);
    CHECK(line_of(*talk.core.next_event(talk.now)) == "arrived PUBLISH a q1 id=1 'one'");
    talk.core.disconnect(ReasonCode::normal_disconnection, talk.now);
    CHECK(talk.events() == "");
    CHECK(talk.sent() == "PUBACK 1; DISCONNECT");
  }
}

TEST_CASE("SUBSCRIBE and UNSUBSCRIBE are answered under their ticket") {
  Conversation talk(v5());
  CHECK_FALSE(talk.core.subscribe({}, talk.now));
  talk.join();
  wire::Subscribe subscribe;
  subscribe.subscriptions = {{"a/#", {.qos = kQoS1}}, {"b", {}}};
  CHECK(talk.core.subscribe(subscribe, talk.now) == 1);
  wire::Unsubscribe unsubscribe;
  unsubscribe.filters = {"c", "d"};
  CHECK(talk.core.unsubscribe(unsubscribe, talk.now) == 2);
  CHECK(talk.sent() == "SUBSCRIBE 65535 a/# q1 b q0; UNSUBSCRIBE 65534 c d");
  CHECK(talk.reply(wire::Unsuback{.packet_id = 65'534, .properties = {}, .codes = kTwoCodes}) ==
        "");  // 1 is no code of UNSUBACK
  CHECK(talk.sent() == "DISCONNECT 82");
}

TEST_CASE("an answer has one code for each topic filter") {
  Conversation talk(v5());
  talk.join();
  wire::Subscribe request;
  request.subscriptions = {{"a", {}}, {"b", {}}};
  REQUIRE(talk.core.subscribe(request, talk.now));
  REQUIRE(talk.core.subscribe(request, talk.now));
  talk.sent();
  const ByteView codes(kTwoCodes);
  CHECK(talk.reply(wire::Suback{.packet_id = 65'535, .properties = {}, .codes = codes}) ==
        "subscribed 1 1 128");
  CHECK(talk.reply(wire::Suback{.packet_id = 65'534, .properties = {}, .codes = codes.first(1)}) ==
        "");
  CHECK(talk.sent() == "DISCONNECT 82");
}

TEST_CASE("an answer to nothing is a protocol error, and so is one of the wrong kind") {
  Conversation talk(v5());
  talk.join();
  wire::Subscribe request;
  request.subscriptions = {{"a", {}}, {"b", {}}};
  REQUIRE(talk.core.subscribe(request, talk.now));
  talk.sent();
  constexpr std::array<Byte, 2> kDone{0, 0};
  CHECK(talk.reply(wire::Unsuback{.packet_id = 65'535, .properties = {}, .codes = kDone}) == "");
  CHECK(talk.sent() == "DISCONNECT 82");
}

TEST_CASE("v3 UNSUBACK has no codes") {
  Conversation talk;
  talk.join();
  wire::Unsubscribe request;
  request.filters = {"a"};
  REQUIRE(talk.core.unsubscribe(request, talk.now));
  talk.sent();
  CHECK(talk.reply(wire::Unsuback{.packet_id = 65'535, .properties = {}, .codes = {}}) ==
        "unsubscribed 1");
}

TEST_CASE("a request ends with its connection") {
  Conversation talk;
  talk.join();
  wire::Unsubscribe request;
  request.filters = {"a"};
  REQUIRE(talk.core.unsubscribe(request, talk.now));
  talk.come_back({});
  CHECK(talk.reply(wire::Unsuback{.packet_id = 65'535, .properties = {}, .codes = {}}) ==
        "lost violation 130 for good");
}

TEST_CASE("a server that takes no acknowledgements while it sends on is given up [MQTT3-4.8.0-2]") {
  Conversation talk;
  talk.join();
  std::vector<Byte> bytes;
  for (int i = 0; i < 10'000; ++i) wire::encode(message(kQoS1, 1, ""), wire::Version::v311, bytes);
  int rounds = 0;
  while (talk.core.is_connected()) {
    talk.core.on_bytes(bytes, talk.now);
    while (talk.core.next_event(talk.now)) {
    }
    REQUIRE(++rounds < 10'000);
  }
  CHECK(rounds > 100);
}

#include <doctest/doctest.h>

#include <array>

#include "support/conversation.hpp"

// Statements of the client's side that no other test is about.

using namespace mq;
using namespace mq::support;
using wire::PropertyId;
using wire::PropertyList;
using wire::Publish;
using wire::QoS;

namespace {

constexpr auto kQoS1 = QoS::at_least_once;
constexpr auto kQoS2 = QoS::exactly_once;

Publish message(QoS qos, std::uint16_t id) {
  return {.qos = qos, .topic = "a", .packet_id = id, .payload = bytes_of("x")};
}

}  // namespace

TEST_CASE("with an authentication method nothing but CONNECT goes out first [MQTT-3.1.2-30]") {
  PropertyList properties;
  properties.add(PropertyId::authentication_method, "riddles");
  Conversation talk(v5(properties));
  talk.open();
  talk.publish("a", "x", kQoS1);
  CHECK(talk.core.subscribe({}, talk.now) == std::nullopt);
  talk.advance(Seconds(29));
  CHECK(talk.sent() == "CONNECT '' v5 k=60 clean {authentication-method=riddles}");
}

TEST_CASE("an empty client id comes with a clean session [MQTT3-3.1.3-7]") {
  client::Settings settings;
  settings.clean_start = true;
  Conversation talk(settings);
  talk.open();
  CHECK(talk.sent() == "CONNECT '' v4 k=60 clean");
}

TEST_CASE(
    "with the receive maximum used up only PUBLISH waits [MQTT-3.3.4-8] [MQTT-4.9.0-1] "
    "[MQTT-4.9.0-2] [MQTT-4.9.0-3]") {
  PropertyList limits;
  limits.add(PropertyId::receive_maximum, 1U);
  Conversation talk(v5());
  talk.join(limits);
  talk.publish("a", "1", kQoS1);
  talk.publish("a", "2", kQoS1);
  CHECK(talk.sent() == "PUBLISH a q1 id=1 '1'");
  wire::Subscribe subscribe;
  subscribe.subscriptions = {{"b", {}}};
  REQUIRE(talk.core.subscribe(subscribe, talk.now));
  talk.publish("a", "QoS 0", QoS::at_most_once);
  CHECK(talk.sent() == "SUBSCRIBE 65535 b q0; PUBLISH a q0 'QoS 0'");
  CHECK(talk.reply(message(kQoS2, 1)) == "sent x1; arrived PUBLISH a q2 id=1 'x'");
  CHECK(talk.sent() == "PUBREC 1");
  talk.advance(Seconds(60));
  CHECK(talk.sent() == "PINGREQ");
}

TEST_CASE(
    "acknowledgements go out in the order of the messages, wanted or not [MQTT-4.5.0-2] "
    "[MQTT-4.6.0-2] [MQTT-4.6.0-3]") {
  Conversation talk;
  talk.join();
  std::vector<Byte> bytes;
  for (const auto id : std::array<std::uint16_t, 3>{5, 3, 4}) {
    wire::encode(message(kQoS1, id), talk.core.version(), bytes);
    wire::encode(message(kQoS2, id), talk.core.version(), bytes);
  }
  talk.reply_bytes(bytes);
  CHECK(talk.sent() == "PUBACK 5; PUBREC 5; PUBACK 3; PUBREC 3; PUBACK 4; PUBREC 4");
}

TEST_CASE("PUBRELs go out in the order of the PUBRECs [MQTT-4.6.0-4]") {
  Conversation talk;
  talk.join();
  for (const auto* text : {"1", "2", "3"}) talk.publish("a", text, kQoS2);
  talk.sent();
  std::vector<Byte> bytes;
  for (const auto id : std::array<std::uint16_t, 3>{2, 3, 1}) {
    wire::encode(wire::Pubrec{id, {}, {}}, talk.core.version(), bytes);
  }
  talk.reply_bytes(bytes);
  CHECK(talk.sent() == "PUBREL 2; PUBREL 3; PUBREL 1");
}

TEST_CASE("a QoS 2 message that expires here is acknowledged to its end [MQTT-4.3.3-13]") {
  Conversation talk(v5());
  talk.join();
  PropertyList expiry;
  expiry.add(PropertyId::message_expiry_interval, 1U);
  auto publish = message(kQoS2, 1);
  publish.properties = expiry.view();
  talk.reply(publish);
  talk.advance(Seconds(10));
  talk.reply(wire::Pubrel{1, {}, {}});
  CHECK(talk.sent() == "PUBREC 1; PUBCOMP 1");
}

TEST_CASE(
    "the client's acknowledgements carry no reason string and no user properties, so none "
    "can be too large [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.6.2-2] [MQTT-3.7.2-2]") {
  Conversation talk(v5());
  PropertyList limits;
  limits.add(PropertyId::maximum_packet_size, 20U);
  talk.join(limits);
  talk.publish("a", "1", kQoS2);
  talk.reply(message(kQoS1, 1));
  talk.reply(message(kQoS2, 2));
  talk.reply(wire::Pubrec{1, {}, {}});
  talk.reply(wire::Pubrel{9, {}, {}});
  CHECK(talk.sent() == "PUBLISH a q2 id=1 '1'; PUBACK 1; PUBREC 2; PUBREL 1; PUBCOMP 9 92");
}

TEST_CASE("a client's DISCONNECT carries no code that only CONNACK may carry [MQTT-3.14.2-1]") {
  Conversation talk(v5());
  talk.join();
  std::vector<Byte> bytes;
  wire::encode(wire::Connect{.version = wire::Version::v5}, wire::Version::v5, bytes);
  bytes[4] = 'X';  // of the protocol's name
  CHECK(talk.reply_bytes(bytes) == "");
  CHECK(talk.sent() == "DISCONNECT 82");
}

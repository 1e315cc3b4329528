#include <doctest/doctest.h>

#include <array>

#include "support/conversation.hpp"
#include "support/notation.hpp"

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

/// What a v5 client answers to these bytes behind CONNACK.
std::string answer_to(std::string_view frame) {
  Conversation talk(v5());
  talk.join();
  CHECK(talk.reply_bytes(bytes(frame)) == "");
  CHECK(talk.core.transport() == client::Transport::drain);
  return talk.sent();
}

std::string with(std::string_view frame, std::string_view text) {
  std::string whole(frame);
  return whole.replace(whole.find('$'), 1, text);
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
  for (const auto& settings : {client::Settings(), v5()}) {
    Conversation talk(settings);
    talk.join();
    std::vector<Byte> bytes;
    for (const auto id : std::array<std::uint16_t, 3>{5, 3, 4}) {
      wire::encode(message(kQoS1, id), talk.core.version(), bytes);
      wire::encode(message(kQoS2, id), talk.core.version(), bytes);
    }
    talk.reply_bytes(bytes);
    CHECK(talk.sent() == "PUBACK 5; PUBREC 5; PUBACK 3; PUBREC 3; PUBACK 4; PUBREC 4");
  }
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
    "what the client answers has a code of its own, no reason string and no user properties, so "
    "that none can be too large [MQTT-3.4.2-1] [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-1] "
    "[MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-1] [MQTT-3.6.2-2] [MQTT-3.6.2-3] "
    "[MQTT-3.7.2-1] [MQTT-3.7.2-2] [MQTT-3.7.2-3]") {
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

TEST_CASE(
    "reserved flags end the connection [MQTT-2.1.3-1] [MQTT-3.3.1-4] [MQTT-3.6.1-1] "
    "[MQTT-3.14.1-1] [MQTT-3.15.1-1]") {
  for (const auto* frame :
       {"42 02 0001", "52 02 0001", "60 02 0001", "63 02 0001", "72 02 0001", "92 [ 0001 00 00 ]",
        "b2 [ 0001 00 00 ]", "d1 00", "e1 00", "f1 [ 18 [ 15 ('m') ] ]", "36 [ ('t') 0001 00 ]"}) {
    CAPTURE(frame);
    CHECK(answer_to(frame) == "DISCONNECT 81");
  }
  Conversation talk(v5());
  talk.open().sent();
  CHECK(talk.reply_bytes(bytes("21 03 00 00 00")) == "");
  CHECK(talk.sent() == "DISCONNECT 81");
}

TEST_CASE(
    "a string that is not UTF-8, or has U+0000, ends the connection [MQTT-1.5.4-1] "
    "[MQTT-1.5.4-2]") {
  for (const auto* text : {"ff", "c080", "eda080", "'a' 00"}) {
    for (const auto* frame : {"30 [ ($) 00 ]", "30 [ ('t') [ 03 ($) ] ]",
                              "30 [ ('t') [ 26 ('k') ($) ] ]", "e0 [ 00 [ 1f ($) ] ]"}) {
      CAPTURE(with(frame, text));
      CHECK(answer_to(with(frame, text)) == "DISCONNECT 81");
    }
  }
}

TEST_CASE("U+FEFF stays where it is, on either way [MQTT-1.5.4-3]") {
  Conversation talk(v5());
  talk.join();
  talk.publish("\ufeffa", "", QoS::at_most_once);
  CHECK(talk.sent() == "PUBLISH \ufeffa q0 ''");
  CHECK(talk.reply(Publish{.topic = "a\ufeff"}) == "sent x1; arrived PUBLISH a\ufeff q0 ''");
}

TEST_CASE("topics with wildcards, and topic alias 0, end the connection") {
  CHECK(answer_to("30 [ ('a/+') 00 ]") == "DISCONNECT 90");
  CHECK(answer_to("30 [ ('t') [ 08 ('#') ] ]") == "DISCONNECT 82");
  CHECK(answer_to("30 [ ('t') [ 23 0000 ] ]") == "DISCONNECT 94");
}

TEST_CASE("DUP is the client's own, whatever the message had [MQTT-3.3.1-2] [MQTT-3.3.1-3]") {
  Conversation talk;
  talk.join();
  for (const auto qos : {QoS::at_most_once, kQoS1, kQoS2}) {
    auto repeated = message(qos, 9);
    repeated.dup = true;
    CHECK(talk.core.publish(repeated, talk.now));
  }
  CHECK(talk.sent() == "PUBLISH a q0 'x'; PUBLISH a q1 id=1 'x'; PUBLISH a q2 id=2 'x'");
}

TEST_CASE("with a clean start a client forgets what the old session had brought [MQTT-3.1.2-4]") {
  for (const auto& settings : {client::Settings(), v5()}) {
    Conversation talk(settings);
    talk.join();
    CHECK(talk.reply(message(kQoS2, 7)) == "arrived PUBLISH a q2 id=7 'x'");
    talk.come_back({});
    CHECK(talk.reply(message(kQoS2, 7)) == "arrived PUBLISH a q2 id=7 'x'");
  }
}

TEST_CASE("a session is there as long as its connection, however long [MQTT-4.1.0-1]") {
  Conversation talk;
  talk.join();
  talk.reply(message(kQoS2, 7));
  talk.sent();
  for (int i = 0; i < 24 * 60; ++i) {
    talk.advance(Seconds(60));
    REQUIRE(talk.sent() == "PINGREQ");
    talk.reply(wire::Pingresp{});
  }
  CHECK(talk.reply(message(kQoS2, 7)) == "");
  CHECK(talk.sent() == "PUBREC 7");
}

TEST_CASE("no PUBREC refuses, so that none frees its packet id [MQTT-4.3.3-9]") {
  Conversation talk(v5());
  talk.join();
  talk.reply(message(kQoS2, 7));
  CHECK(talk.sent() == "PUBREC 7");
  CHECK(talk.reply(message(kQoS2, 7)) == "");
  CHECK(talk.sent() == "PUBREC 7");
  talk.reply(wire::Pubrel{7, {}, {}});
  CHECK(talk.reply(message(kQoS2, 7)) == "arrived PUBLISH a q2 id=7 'x'");
}

TEST_CASE("nobody gets no local in a shared subscription [MQTT-3.8.3-4]") {
  Conversation talk(v5());
  talk.join();
  const wire::SubscriptionOptions no_local{.no_local = true};
  wire::Subscribe request;
  request.subscriptions = {{"a", no_local}, {"$share/g/a", {}}};
  CHECK(talk.core.subscribe(request, talk.now));
  CHECK(talk.sent() == "SUBSCRIBE 65535 a q0 $share/g/a q0");
  request.subscriptions.push_back({"$share/g/b", no_local});
  CHECK(talk.core.subscribe(request, talk.now) == std::nullopt);
  CHECK(talk.sent() == "");
}

TEST_CASE("what was sent once does not expire any more [MQTT-4.3.3-7]") {
  PropertyList session;
  session.add(PropertyId::session_expiry_interval, 86'400U);
  Conversation talk(v5(session));
  talk.join();
  PropertyList expiry;
  expiry.add(PropertyId::message_expiry_interval, 1U);
  auto publish = message(kQoS2, 0);
  publish.properties = expiry.view();
  CHECK(talk.core.publish(publish, talk.now));
  CHECK(talk.sent() == "PUBLISH a q2 id=1 {message-expiry-interval=1} 'x'");
  talk.now.steady += Seconds(3600);
  talk.come_back({.session_present = true});
  CHECK(talk.sent() == "PUBLISH a q2 id=1 dup {message-expiry-interval=1} 'x'");
}

TEST_CASE(
    "a goodbye that is larger than the server accepts goes without its properties "
    "[MQTT-3.14.2-3] [MQTT-3.14.2-4]") {
  for (const std::uint32_t maximum : {20U, 40U}) {
    auto settings = v5();
    settings.goodbye.add(PropertyId::reason_string, std::string_view("gone for lunch"))
        .add_user("k", "v");
    PropertyList limits;
    limits.add(PropertyId::maximum_packet_size, maximum);
    Conversation talk(settings);
    talk.join(limits);
    talk.core.disconnect(wire::ReasonCode::normal_disconnection, talk.now);
    CHECK(talk.sent() ==
          (maximum == 20 ? "DISCONNECT" : "DISCONNECT {reason-string=gone for lunch, k:v}"));
  }
}

TEST_CASE(
    "a SUBSCRIBE or UNSUBSCRIBE that is larger than the server accepts is not sent "
    "[MQTT-3.2.2-15]") {
  PropertyList limits;
  limits.add(PropertyId::maximum_packet_size, 20U);
  Conversation talk(v5());
  talk.join(limits);
  CHECK_FALSE(talk.core.subscribe({.subscriptions = {{"thirteen/byte", {}}}}, talk.now));
  CHECK_FALSE(talk.core.unsubscribe({.filters = {"fourteen/bytes"}}, talk.now));
  CHECK(talk.sent() == "");
  CHECK(talk.core.subscribe({.subscriptions = {{"twelve/bytes", {}}}}, talk.now));
  CHECK(talk.sent().starts_with("SUBSCRIBE"));
  CHECK(talk.core.unsubscribe({.filters = {"thirteen/byte"}}, talk.now));
  CHECK(talk.sent().starts_with("UNSUBSCRIBE"));
}

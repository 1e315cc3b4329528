#include <doctest/doctest.h>

#include "support/conversation.hpp"

using namespace mq;
using namespace mq::support;
using client::Settings;
using wire::Connack;
using wire::PropertyId;
using wire::PropertyList;
using wire::Puback;
using wire::Pubcomp;
using wire::Publish;
using wire::Pubrec;
using wire::QoS;
using wire::ReasonCode;
using wire::Version;

namespace {

constexpr auto kQoS0 = QoS::at_most_once;
constexpr auto kQoS1 = QoS::at_least_once;
constexpr auto kQoS2 = QoS::exactly_once;
constexpr Connack kFresh{};
constexpr Connack kResumed{.session_present = true, .properties = {}};

Puback puback(std::uint16_t id) {
  return {.packet_id = id, .properties = {}};
}
Pubrec pubrec(std::uint16_t id) {
  return {.packet_id = id, .properties = {}};
}
Pubcomp pubcomp(std::uint16_t id) {
  return {.packet_id = id, .properties = {}};
}

/// A client whose session outlives its connections.
Settings persistent(Version version = Version::v311) {
  Settings settings;
  settings.version = version;
  settings.client_id = "me";
  settings.clean_start = false;
  return settings;
}

PropertyList only(PropertyId id, std::uint32_t number) {
  PropertyList properties;
  properties.add(id, number);
  return properties;
}

}  // namespace

TEST_CASE("QoS 0: sent once and settled when the transport has it [MQTT-4.3.1-1]") {
  Conversation talk;
  talk.join();
  talk.publish("a/b", "1", kQoS0);
  talk.publish("a/b", "2", kQoS0);
  CHECK(talk.events() == "");
  CHECK(talk.sent() == "PUBLISH a/b q0 '1'; PUBLISH a/b q0 '2'");
  CHECK(talk.events() == "sent x2");
}

TEST_CASE("QoS 0: what the connection took with it is told as dropped") {
  Conversation talk;
  talk.join();
  talk.publish("a", "1", kQoS0);
  talk.publish("a", "2", kQoS0);
  talk.core.on_sent(6, talk.now);  // the first, all but its last byte
  CHECK(talk.events() == "sent x1");
  CHECK(talk.cut() == "dropped x1; lost closed");
}

TEST_CASE(
    "QoS 1: the packet id is new and the same until PUBACK [MQTT-4.3.2-1] [MQTT-4.3.2-2] "
    "[MQTT-4.3.2-3]") {
  for (const auto version : {Version::v311, Version::v5}) {
    Conversation talk(persistent(version));
    talk.join();
    CHECK(talk.publish("a", "1", kQoS1) == 1);
    CHECK(talk.publish("a", "2", kQoS1) == 2);
    CHECK(talk.sent() == "PUBLISH a q1 id=1 '1'; PUBLISH a q1 id=2 '2'");
    CHECK(talk.core.unsettled() == 2);
    CHECK(talk.reply(puback(2)) == "acknowledged 2");
    CHECK(talk.reply(puback(1)) == "acknowledged 1");
    CHECK(talk.core.unsettled() == 0);
    talk.publish("a", "3", kQoS1);
    CHECK(talk.sent() == "PUBLISH a q1 id=3 '3'");
  }
}

TEST_CASE(
    "QoS 2: PUBREL follows PUBREC, PUBCOMP ends it [MQTT-4.3.3-1] [MQTT-4.3.3-2] "
    "[MQTT-4.3.3-4]") {
  Conversation talk;
  talk.join();
  talk.publish("a", "once", kQoS2);
  CHECK(talk.sent() == "PUBLISH a q2 id=1 'once'");
  CHECK(talk.reply(pubrec(1)) == "");
  CHECK(talk.sent() == "PUBREL 1");
  CHECK(talk.core.unsettled() == 1);
  CHECK(talk.reply(pubcomp(1)) == "acknowledged 1");
  CHECK(talk.sent() == "");
}

TEST_CASE(
    "QoS 2: a repeated PUBREC gets PUBREL again, an unknown one its reason [MQTT-4.3.3-1] "
    "[MQTT-4.3.3-2] [MQTT-4.3.3-4]") {
  Conversation talk(v5());
  talk.join();
  talk.publish("a", "once", kQoS2);
  CHECK(talk.sent() == "PUBLISH a q2 id=1 'once'");
  talk.reply(pubrec(1));
  talk.reply(Pubrec{.packet_id = 1, .reason = ReasonCode::no_matching_subscribers});
  CHECK(talk.sent() == "PUBREL 1; PUBREL 1");
  talk.reply(pubcomp(1));
  CHECK(talk.reply(pubrec(1)) == "");
  CHECK(talk.sent() == "PUBREL 1 92");
}

TEST_CASE(
    "a refused message is settled with its reason; a refusing PUBREC ends QoS 2 [MQTT-4.4.0-2]") {
  Conversation talk(v5());
  talk.join();
  talk.publish("a", "1", kQoS1);
  talk.publish("a", "2", kQoS2);
  talk.sent();
  CHECK(talk.reply(Puback{1, ReasonCode::not_authorized, {}}) == "refused 1 135");
  CHECK(talk.reply(Pubrec{2, ReasonCode::quota_exceeded, {}}) == "refused 2 151");
  CHECK(talk.sent() == "");
  CHECK(talk.core.unsettled() == 0);
}

TEST_CASE("no matching subscribers is no failure") {
  Conversation talk(v5());
  talk.join();
  talk.publish("a", "1", kQoS1);
  talk.sent();
  CHECK(talk.reply(Puback{1, ReasonCode::no_matching_subscribers, {}}) == "acknowledged 1");
}

TEST_CASE("an acknowledgement of the wrong kind is a protocol error") {
  Conversation puback_for_qos2(v5());
  puback_for_qos2.join();
  puback_for_qos2.publish("a", "1", kQoS2);
  puback_for_qos2.sent();
  puback_for_qos2.reply(puback(1));
  CHECK(puback_for_qos2.sent() == "DISCONNECT 82");

  Conversation pubcomp_too_early(v5());
  pubcomp_too_early.join();
  pubcomp_too_early.publish("a", "1", kQoS2);
  pubcomp_too_early.sent();
  pubcomp_too_early.reply(pubcomp(1));
  CHECK(pubcomp_too_early.sent() == "DISCONNECT 82");
}

TEST_CASE("acknowledgements of what is not under way are passed over") {
  Conversation talk;
  talk.join();
  CHECK(talk.reply(puback(7)) == "");
  CHECK(talk.reply(pubcomp(7)) == "");
  CHECK(talk.sent() == "");
  CHECK(talk.core.is_connected());
}

TEST_CASE("no more are under way than the server's receive maximum [MQTT-3.3.4-7]") {
  Conversation talk(v5());
  talk.join(only(PropertyId::receive_maximum, 2));
  for (const auto* text : {"1", "2", "3"}) talk.publish("a", text, kQoS1);
  talk.publish("a", "4", kQoS2);
  CHECK(talk.sent() == "PUBLISH a q1 id=1 '1'; PUBLISH a q1 id=2 '2'");
  talk.reply(puback(1));
  talk.reply(puback(2));
  CHECK(talk.sent() == "PUBLISH a q1 id=3 '3'; PUBLISH a q2 id=4 '4'");
  talk.publish("a", "5", kQoS1);
  talk.reply(puback(3));
  talk.publish("a", "6", kQoS1);
  talk.reply(pubrec(4));
  CHECK(talk.sent() == "PUBLISH a q1 id=5 '5'; PUBREL 4");
  talk.reply(pubcomp(4));
  CHECK(talk.sent() == "PUBLISH a q1 id=6 '6'");
}

TEST_CASE("our own limit holds where the server's is larger") {
  Settings settings;
  settings.in_flight_max = 1;
  Conversation talk(settings);
  talk.join();
  talk.publish("a", "1", kQoS1);
  talk.publish("a", "2", kQoS1);
  CHECK(talk.sent() == "PUBLISH a q1 id=1 '1'");
}

TEST_CASE("a v3 server gets QoS 1 without a window, QoS 2 twenty at a time") {
  Conversation talk;
  talk.join();
  for (int i = 0; i < 100; ++i) talk.publish("a", "", kQoS1);
  CHECK(talk.core.unsettled() == 100);
  const std::string all = talk.sent();
  CHECK(std::count(all.begin(), all.end(), ';') == 99);
  Conversation careful;
  careful.join();
  for (int i = 0; i < 100; ++i) careful.publish("a", "", kQoS2);
  const std::string some = careful.sent();
  CHECK(std::count(some.begin(), some.end(), ';') == 19);
}

TEST_CASE(
    "in a resumed session everything is sent again, in order, with DUP [MQTT-4.4.0-1] "
    "[MQTT-3.3.1-1] [MQTT-4.3.3-3] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.6.0-1] "
    "[MQTT3-3.1.2-4]") {
  for (const auto version : {Version::v311, Version::v5}) {
    Conversation talk(persistent(version));
    talk.join();
    talk.publish("a", "1", kQoS1);
    talk.publish("a", "2", kQoS2);
    talk.publish("a", "3", kQoS2);
    talk.publish("a", "4", kQoS1);
    talk.sent();
    talk.reply(pubrec(2));
    CHECK(talk.reply(puback(4)) == "acknowledged 4");
    talk.publish("a", "5", kQoS1);  // not sent before the connection breaks
    talk.come_back(kResumed);
    CHECK(talk.sent() ==
          "PUBREL 2; PUBLISH a q1 id=1 dup '1'; PUBLISH a q2 id=3 dup '3'; PUBLISH a q1 id=5 dup "
          "'5'");
    CHECK(talk.reply(puback(1)) == "acknowledged 1");
    CHECK(talk.reply(pubcomp(2)) == "acknowledged 2");
    talk.reply(pubrec(3));
    CHECK(talk.reply(pubcomp(3)) == "acknowledged 3");
    CHECK(talk.reply(puback(5)) == "acknowledged 5");
    CHECK(talk.core.unsettled() == 0);
  }
}

TEST_CASE("as long as a connection lasts nothing is sent twice [MQTT-4.4.0-1]") {
  Conversation talk(persistent(Version::v5));
  talk.join();
  talk.publish("a", "1", kQoS1);
  talk.publish("a", "2", kQoS2);
  talk.publish("a", "3", kQoS2);
  talk.reply(pubrec(3));
  talk.sent();
  for (int minute = 0; minute < 24 * 60; ++minute) {
    CHECK(talk.advance(Seconds(60)) == "");
    REQUIRE(talk.sent() == "PINGREQ");
    talk.reply(wire::Pingresp{});
  }
}

TEST_CASE("PUBREL of an earlier connection does not wait for the receive maximum [MQTT-3.3.4-8]") {
  auto settings = persistent();
  settings.version = Version::v5;
  settings.ack_timeout = Seconds(10);
  Conversation talk(settings);
  talk.join();
  talk.publish("a", "1", kQoS1);
  talk.publish("a", "2", kQoS2);
  talk.publish("a", "3", kQoS1);
  talk.sent();
  talk.reply(pubrec(2));
  const auto narrow = only(PropertyId::receive_maximum, 1);
  talk.come_back({.session_present = true, .properties = narrow.view()});
  CHECK(talk.sent() == "PUBREL 2; PUBLISH a q1 id=1 dup '1'");
  CHECK(talk.reply(puback(1)) == "acknowledged 1");
  CHECK(talk.sent() == "PUBLISH a q1 id=3 dup '3'");
  CHECK(talk.reply(puback(3)) == "acknowledged 3");
  CHECK(talk.advance(Seconds(11)) == "lost unanswered");
  talk.come_back(kResumed);
  CHECK(talk.sent() == "PUBREL 2");
  CHECK(talk.reply(pubcomp(2)) == "acknowledged 2");
  CHECK(talk.core.unsettled() == 0);
}

TEST_CASE("a request gets no packet id that a message of an earlier connection has") {
  auto settings = persistent();
  settings.version = Version::v5;
  settings.queued_messages_max = 200'000;
  Conversation talk(settings);
  talk.join();
  for (std::uint32_t id = 1; id <= 65'533; ++id) {
    talk.publish("a", "", kQoS1);
    talk.sent();
    talk.reply(puback(static_cast<std::uint16_t>(id)));
  }
  talk.publish("a", "x", kQoS1);
  talk.publish("a", "y", kQoS1);
  CHECK(talk.sent() == "PUBLISH a q1 id=65534 'x'; PUBLISH a q1 id=65535 'y'");
  const auto narrow = only(PropertyId::receive_maximum, 1);
  talk.come_back({.session_present = true, .properties = narrow.view()});
  CHECK(talk.sent() == "PUBLISH a q1 id=65534 dup 'x'");
  wire::Subscribe request;
  request.subscriptions.push_back({"b", {}});
  REQUIRE(talk.core.subscribe(request, talk.now));
  CHECK(talk.sent() == "SUBSCRIBE 65533 b q0");
}

TEST_CASE("with no packet id left there is no request [MQTT-2.2.1-3]") {
  auto settings = persistent();
  settings.queued_messages_max = 200'000;
  Conversation talk(settings);
  talk.join();
  for (int i = 0; i < 65'535; ++i) {
    talk.publish("a", "", kQoS1);
    talk.sent();
  }
  wire::Subscribe request;
  request.subscriptions.push_back({"b", {}});
  CHECK_FALSE(talk.core.subscribe(request, talk.now));
  CHECK(talk.sent() == "");
}

TEST_CASE("what was published between two connections is sent behind the rest, without DUP") {
  Conversation talk(persistent());
  talk.join();
  talk.publish("a", "1", kQoS1);
  talk.sent();
  talk.cut();
  talk.publish("a", "2", kQoS1);
  talk.advance(Seconds(1));
  talk.core.on_open(talk.now);
  talk.sent();
  talk.reply(kResumed);
  CHECK(talk.sent() == "PUBLISH a q1 id=1 dup '1'; PUBLISH a q1 id=2 '2'");
}

TEST_CASE("in a fresh session what was not acknowledged is sent as new") {
  Conversation talk;
  talk.join();
  talk.publish("a", "1", kQoS1);
  talk.publish("a", "2", kQoS2);
  talk.publish("a", "3", kQoS2);
  talk.sent();
  talk.reply(pubrec(2));
  talk.cut();
  talk.advance(Seconds(1));
  talk.core.on_open(talk.now);
  talk.sent();
  // The second was taken over with PUBREC, so it must not be sent again [MQTT-4.3.3-6].
  CHECK(talk.reply(kFresh) == "connected again; acknowledged 2");
  CHECK(talk.sent() == "PUBLISH a q1 id=1 '1'; PUBLISH a q2 id=3 '3'");
  CHECK(talk.core.unsettled() == 2);
}

TEST_CASE("DUP of one session is not carried into the next") {
  Conversation talk(persistent());
  talk.join();
  talk.publish("a", "1", kQoS1);
  talk.sent();
  talk.come_back(kResumed);
  CHECK(talk.sent() == "PUBLISH a q1 id=1 dup '1'");
  talk.come_back(kFresh);
  CHECK(talk.sent() == "PUBLISH a q1 id=1 '1'");
}

TEST_CASE("packet ids go round without a clash with those of requests [MQTT-2.2.1-3]") {
  Settings settings;
  settings.queued_messages_max = 200'000;
  Conversation talk(settings);
  talk.join();
  wire::Subscribe request;
  request.subscriptions.push_back({"a", {}});
  REQUIRE(talk.core.subscribe(request, talk.now));
  CHECK(talk.sent() == "SUBSCRIBE 65535 a q0");
  for (std::uint32_t id = 1; id <= 65'534; ++id) {
    talk.publish("a", "", kQoS1);
    talk.sent();
    talk.reply(puback(static_cast<std::uint16_t>(id)));
  }
  talk.publish("a", "next", kQoS1);
  CHECK(talk.sent() == "");  // its id is the one of SUBSCRIBE
  constexpr std::array<Byte, 1> kGranted{0};
  talk.reply(wire::Suback{.packet_id = 65'535, .properties = {}, .codes = kGranted});
  CHECK(talk.sent() == "PUBLISH a q1 id=65535 'next'");
  REQUIRE(talk.core.subscribe(request, talk.now));
  CHECK(talk.sent() == "SUBSCRIBE 65534 a q0");
  talk.publish("a", "first again", kQoS1);
  CHECK(talk.sent() == "PUBLISH a q1 id=1 'first again'");
}

TEST_CASE("publish takes no more than the limits, until something leaves") {
  Settings settings;
  settings.queued_bytes_max = 1000;
  Conversation talk(settings);
  talk.join();
  const std::string payload(600, 'x');
  const Publish qos0{.topic = "a", .properties = {}, .payload = bytes_of(payload)};
  const Publish qos1{.qos = kQoS1, .topic = "a", .properties = {}, .payload = bytes_of(payload)};
  CHECK(talk.core.publish(qos0, talk.now));
  CHECK(talk.core.publish(qos0, talk.now));
  CHECK_FALSE(talk.core.publish(qos0, talk.now));
  CHECK_FALSE(talk.core.has_room(kQoS1));
  talk.sent();
  CHECK(talk.core.publish(qos1, talk.now));
  talk.sent();
  CHECK(talk.core.publish(qos1, talk.now));
  talk.sent();
  CHECK_FALSE(talk.core.publish(qos1, talk.now));
  talk.reply(puback(1));
  CHECK(talk.core.publish(qos1, talk.now));

  Settings few;
  few.queued_messages_max = 2;
  Conversation counted(few);
  counted.join();
  counted.publish("a", "", kQoS1);
  counted.publish("a", "", kQoS1);
  CHECK_FALSE(counted.core.has_room(kQoS1));
}

TEST_CASE("what the server does not take is refused here [MQTT-3.2.2-11] [MQTT-3.2.2-14]") {
  Conversation talk(v5());
  talk.publish("a", "queued before", kQoS2);
  PropertyList limits;
  limits.add(PropertyId::maximum_qos, 1);
  limits.add(PropertyId::retain_available, std::uint32_t{0});
  limits.add(PropertyId::maximum_packet_size, 20);
  talk.join(limits);
  CHECK(talk.events() == "");
  talk.publish("a", "1", kQoS2);
  CHECK(talk.events() == "refused 2 155");
  CHECK(
      talk.core.publish({.retain = true, .topic = "a", .properties = {}, .payload = {}}, talk.now));
  CHECK(talk.events() == "refused x1 154");
  talk.publish("a", std::string(100, 'x'), kQoS1);
  talk.publish("a", std::string(100, 'x'), kQoS0);
  CHECK(talk.events() == "refused 3 149; refused x1 149");  // [MQTT-3.2.2-15]
  CHECK(talk.sent() == "");
  CHECK(talk.core.unsettled() == 0);
  talk.publish("a", "fits", kQoS1);
  CHECK(talk.sent() == "PUBLISH a q1 id=4 'fits'");
}

TEST_CASE(
    "topic aliases: the first topics get one, the rest go in full [MQTT-3.3.2-8] [MQTT-3.3.2-9] "
    "[MQTT-3.2.2-17]") {
  Conversation talk(v5());
  talk.join(only(PropertyId::topic_alias_maximum, 2));
  for (const auto* topic : {"first", "second", "third", "first", "a"}) {
    talk.publish(topic, "", kQoS0);
  }
  talk.publish("second", "x", kQoS1);
  CHECK(talk.sent() ==
        "PUBLISH first q0 {topic-alias=1} ''; PUBLISH second q0 {topic-alias=2} ''; "
        "PUBLISH third q0 ''; PUBLISH  q0 {topic-alias=1} ''; PUBLISH a q0 ''; "
        "PUBLISH  q1 id=1 {topic-alias=2} 'x'");
}

TEST_CASE("an alias does not make a packet larger than the server takes [MQTT-3.2.2-15]") {
  Conversation talk(v5());
  PropertyList properties;
  properties.add(PropertyId::topic_alias_maximum, 2U).add(PropertyId::maximum_packet_size, 30U);
  talk.join(properties);
  talk.publish("topic", std::string(20, 'x'), kQoS0);
  talk.publish("topic", "x", kQoS0);
  CHECK(talk.sent() ==
        "PUBLISH topic q0 'xxxxxxxxxxxxxxxxxxxx'; PUBLISH topic q0 {topic-alias=1} 'x'");
}

TEST_CASE("topic aliases end with the connection [MQTT-3.3.2-7]") {
  Settings settings = v5(only(PropertyId::session_expiry_interval, 60));
  Conversation talk(settings);
  const PropertyList alias = only(PropertyId::topic_alias_maximum, 5);
  talk.join(alias);
  talk.publish("topic", "1", kQoS1);
  talk.publish("topic", "2", kQoS1);
  talk.sent();
  talk.come_back({.session_present = true, .properties = alias.view()});
  CHECK(talk.sent() ==
        "PUBLISH topic q1 id=1 dup {topic-alias=1} '1'; "
        "PUBLISH  q1 id=2 dup {topic-alias=1} '2'");
  talk.come_back(kResumed);
  CHECK(talk.sent() == "PUBLISH topic q1 id=1 dup '1'; PUBLISH topic q1 id=2 dup '2'");
}

TEST_CASE(
    "properties of a message are passed on as they are, also beside an alias [MQTT-3.2.2-18]") {
  PropertyList properties;
  properties.add(PropertyId::message_expiry_interval, 5).add_user("name", "value");
  for (const std::uint32_t aliases : {0U, 1U}) {
    Conversation talk(v5());
    talk.join(aliases == 0 ? PropertyList() : only(PropertyId::topic_alias_maximum, aliases));
    REQUIRE(talk.core.publish(
        {.qos = kQoS1, .topic = "topic", .properties = properties.view(), .payload = {}},
        talk.now));
    CHECK(talk.sent() == (aliases == 0 ? "PUBLISH topic q1 id=1 {message-expiry-interval=5, "
                                         "name:value} ''"
                                       : "PUBLISH topic q1 id=1 {message-expiry-interval=5, "
                                         "name:value, topic-alias=1} ''"));
  }
}

TEST_CASE("long payloads go out whole, in every version, with and without an alias") {
  const std::string payload(300'000, 'x');
  for (const auto version : {Version::v31, Version::v311, Version::v5}) {
    for (const auto qos : {kQoS0, kQoS1, kQoS2}) {
      Settings settings;
      settings.version = version;
      Conversation talk(settings);
      talk.join(version == Version::v5 ? only(PropertyId::topic_alias_maximum, 1) : PropertyList());
      talk.publish("a", payload, qos);
      const std::string id = qos == kQoS0 ? "" : " id=1";
      CHECK(talk.sent() ==
            "PUBLISH a q" + std::to_string(static_cast<int>(qos)) + id + " '" + payload + "'");
    }
  }
  Conversation talk(v5());
  talk.join(only(PropertyId::topic_alias_maximum, 1));
  talk.publish("topic", payload, kQoS1);
  CHECK(talk.sent() == "PUBLISH topic q1 id=1 {topic-alias=1} '" + payload + "'");
}

TEST_CASE("a message that no packet can hold is refused, and the next one goes out") {
  const std::vector<Byte> huge(wire::kMaximumPacketSize);
  for (const QoS qos : {kQoS0, kQoS1}) {
    Conversation talk(persistent());
    talk.open().sent();
    talk.reply(kFresh);
    CHECK(
        talk.core.publish({.qos = qos, .topic = "a", .properties = {}, .payload = huge}, talk.now));
    CHECK(talk.events() == "refused x1 149");
    CHECK(
        talk.core.publish({.qos = kQoS0, .topic = "a", .properties = {}, .payload = {}}, talk.now));
    CHECK(talk.sent() == "PUBLISH a q0 ''");
  }
}

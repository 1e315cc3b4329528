#include <doctest/doctest.h>

#include <algorithm>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using wire::PropertyId;
using wire::PropertyList;
using wire::Publish;
using wire::QoS;
using wire::SubscriptionOptions;
using wire::Version;

namespace {

constexpr SubscriptionOptions kQoS1{.qos = QoS::at_least_once};
constexpr SubscriptionOptions kQoS2{.qos = QoS::exactly_once};

Publish with(const PropertyList& properties, std::string_view topic, std::string_view payload) {
  return Publish{.topic = topic, .properties = properties.view(), .payload = bytes_of(payload)};
}

}  // namespace

TEST_CASE("a QoS 0 message reaches every subscriber, whatever dialect it speaks [MQTT-4.3.1-1]") {
  World world(quiet());
  auto& v31 = world.peer().join("v31", Version::v31).subscribe("a/b");
  auto& v311 = world.peer().join("v311").subscribe("a/+");
  auto& v5 = world.peer().join("v5", Version::v5).subscribe("#");
  for (const auto version : {Version::v31, Version::v311, Version::v5}) {
    world.peer().join("publisher", version).publish("a/b", "hello");
    for (auto* peer : {&v31, &v311, &v5}) CHECK(peer->all() == "PUBLISH a/b q0 'hello'");
  }
}

TEST_CASE("long payloads arrive whole in every dialect") {
  World world(quiet());
  const std::string payload(300'000, 'x');
  auto& v311 = world.peer().join("v311").subscribe("a", kQoS1);
  auto& v5 = world.peer().join("v5", Version::v5).subscribe("a");
  world.peer().join("publisher").publish("a", payload, QoS::at_least_once, 1);
  CHECK(v311.all() == "PUBLISH a q1 id=1 '" + payload + "'");
  CHECK(v5.all() == "PUBLISH a q0 '" + payload + "'");
}

TEST_CASE("a message that arrives byte by byte is forwarded all the same [MQTT-4.2.0-1]") {
  World world(quiet());
  auto& subscriber = world.peer().join("s").subscribe("a");
  auto& publisher = world.peer().join("p");
  std::vector<Byte> bytes;
  for (int i = 0; i < 3; ++i) {
    wire::encode(Publish{.topic = "a", .properties = {}, .payload = bytes_of("hello")},
                 Version::v311, bytes);
  }
  for (const Byte& byte : bytes) publisher.send_bytes({&byte, 1});
  CHECK(subscriber.all() == "PUBLISH a q0 'hello'; PUBLISH a q0 'hello'; PUBLISH a q0 'hello'");
}

TEST_CASE("many messages in one read reach a slow reader in order once it reads [MQTT-4.2.0-1]") {
  World world(quiet());
  auto& subscriber = world.peer().join("s").subscribe("a");
  auto& publisher = world.peer().join("p");
  subscriber.reads = false;
  std::vector<Byte> bytes;
  for (int i = 0; i < 3; ++i) {
    const auto text = std::to_string(i);
    wire::encode(Publish{.topic = "a", .properties = {}, .payload = bytes_of(text)}, Version::v311,
                 bytes);
  }
  publisher.send_bytes(bytes);
  std::fill(bytes.begin(), bytes.end(), Byte{0});  // the memory of the turn is used again
  CHECK(subscriber.all() == "");
  subscriber.reads = true;
  publisher.publish("a", "3");
  CHECK(subscriber.all() ==
        "PUBLISH a q0 '0'; PUBLISH a q0 '1'; PUBLISH a q0 '2'; PUBLISH a q0 '3'");
}

TEST_CASE("who reads too slowly loses QoS 0 messages, and only that client does") {
  auto config = quiet();
  config.max_unread_bytes = 1000;
  World world(config);
  auto& slow = world.peer().join("slow").subscribe("a");
  auto& fast = world.peer().join("fast").subscribe("a");
  auto& publisher = world.peer().join("p");
  slow.reads = false;
  const std::string payload(600, 'x');
  for (int i = 0; i < 5; ++i) publisher.publish("a", payload);
  int received = 0;
  while (!fast.next().empty()) ++received;
  CHECK(received == 5);
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::unread)] == 3);
  world.advance(Seconds(1));
  const auto* dropped = std::get_if<broker::fact::Dropped>(&world.facts.back());
  REQUIRE(dropped != nullptr);
  CHECK(dropped->client_id == "slow");
  CHECK(dropped->count == 3);
}

TEST_CASE(
    "a QoS 1 message is acknowledged, and delivered until it is [MQTT-4.3.2-4] [MQTT-2.2.1-5] "
    "[MQTT-3.3.4-1] [MQTT-4.3.2-1] [MQTT-4.3.2-2]") {
  for (const auto version : {Version::v311, Version::v5}) {
    World world(quiet());
    auto& subscriber = world.peer().join("s", version).subscribe("a", kQoS1);
    auto& publisher = world.peer().join("p", version);
    CHECK(publisher.publish("a", "x", QoS::at_least_once, 7).all() == "PUBACK 7");
    CHECK(subscriber.all() == "PUBLISH a q1 id=1 'x'");
    publisher.publish("a", "y", QoS::at_least_once, 8);
    CHECK(subscriber.all() == "PUBLISH a q1 id=2 'y'");
  }
}

TEST_CASE("a publisher hears its own message before the acknowledgement") {
  World world(quiet());
  auto& peer = world.peer().join("a").subscribe("t", kQoS1);
  CHECK(peer.publish("t", "x", QoS::at_least_once, 1).all() == "PUBLISH t q1 id=1 'x'; PUBACK 1");
}

TEST_CASE("v5 publishers learn that nobody subscribes (0x10) [MQTT-3.4.2-1] [MQTT-3.5.2-1]") {
  World world(quiet());
  auto& publisher = world.peer().join("p", Version::v5);
  CHECK(publisher.publish("a", "x", QoS::at_least_once, 1).all() == "PUBACK 1 10");
  CHECK(publisher.publish("a", "x", QoS::exactly_once, 2).all() == "PUBREC 2 10");
}

TEST_CASE(
    "a QoS 2 message is delivered once however often it comes [MQTT-4.3.3-10] [MQTT-4.3.3-8] "
    "[MQTT-2.2.1-5] [MQTT-4.3.3-1] [MQTT-4.3.3-12]") {
  for (const auto version : {Version::v311, Version::v5}) {
    World world(quiet());
    auto& subscriber = world.peer().join("s", version).subscribe("a", kQoS2);
    auto& publisher = world.peer().resume("p", version);
    CHECK(publisher.publish("a", "x", QoS::exactly_once, 3).all() == "PUBREC 3");
    publisher.drop();
    auto& again = world.peer().resume("p", version);
    again.send(Publish{.qos = QoS::exactly_once,
                       .dup = true,
                       .topic = "a",
                       .packet_id = 3,
                       .properties = {},
                       .payload = bytes_of("x")});
    CHECK(again.all() == "PUBREC 3");
    CHECK(subscriber.all() == "PUBLISH a q2 id=1 'x'");
    CHECK(again.send(wire::Pubrel{3, {}, {}}).all() == "PUBCOMP 3");
    again.publish("a", "y", QoS::exactly_once, 3);
    CHECK(subscriber.all() == "PUBLISH a q2 id=2 'y'");
  }
}

TEST_CASE("a PUBREL for an unknown id is answered (0x92 in v5) [MQTT-4.3.3-11] [MQTT-3.7.2-1]") {
  World world(quiet());
  CHECK(world.peer().join("a", Version::v5).send(wire::Pubrel{9, {}, {}}).all() == "PUBCOMP 9 92");
  CHECK(world.peer().join("b").send(wire::Pubrel{9, {}, {}}).all() == "PUBCOMP 9");
}

TEST_CASE(
    "outgoing QoS 2 goes PUBLISH, PUBREC, PUBREL, PUBCOMP [MQTT-4.3.3-4] [MQTT-4.3.3-2] "
    "[MQTT-4.3.3-5]") {
  World world(quiet());
  auto& subscriber = world.peer().resume("s").subscribe("a", kQoS2);
  world.peer().join("p").publish("a", "x", QoS::exactly_once, 1);
  CHECK(subscriber.all() == "PUBLISH a q2 id=1 'x'");
  CHECK(subscriber.send(wire::Pubrec{1, {}, {}}).all() == "PUBREL 1");
  CHECK(subscriber.send(wire::Pubrec{1, {}, {}}).all() == "PUBREL 1");
  CHECK(subscriber.send(wire::Pubcomp{1, {}, {}}).all() == "");
  subscriber.drop();
  CHECK(world.peer().resume("s").all() == "");
}

TEST_CASE(
    "a PUBREC with a code below 0x80 is answered with PUBREL, which PUBCOMP ends [MQTT-4.3.3-4] "
    "[MQTT-4.3.3-2] [MQTT-4.3.3-5]") {
  World world(quiet());
  auto& subscriber = world.peer().resume("s", Version::v5).subscribe("a", kQoS2);
  world.peer().join("p", Version::v5).publish("a", "x", QoS::exactly_once, 1);
  CHECK(subscriber.all() == "PUBLISH a q2 id=1 'x'");
  const wire::Pubrec pubrec{1, wire::ReasonCode::no_matching_subscribers, {}};
  CHECK(subscriber.send(pubrec).all() == "PUBREL 1");
  CHECK(subscriber.send(pubrec).all() == "PUBREL 1");
  CHECK(subscriber.send(wire::Pubcomp{1, {}, {}}).all() == "");
  subscriber.drop();
  CHECK(world.peer().resume("s", Version::v5).all() == "");
}

TEST_CASE(
    "a PUBREC that refuses ends the delivery, one for an unknown id gets 0x92 [MQTT-4.4.0-2] "
    "[MQTT-3.6.2-1]") {
  World world(quiet());
  auto& subscriber = world.peer().resume("s", Version::v5).subscribe("a", kQoS2);
  world.peer().join("p").publish("a", "x", QoS::exactly_once, 1);
  subscriber.all();
  CHECK(subscriber.send(wire::Pubrec{1, wire::ReasonCode::quota_exceeded, {}}).all() == "");
  CHECK(subscriber.send(wire::Pubrec{1, {}, {}}).all() == "PUBREL 1 92");
}

TEST_CASE(
    "after a reconnect everything unacknowledged comes again, in order, with DUP [MQTT-4.4.0-1] "
    "[MQTT-3.3.1-1] [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT3-4.6.0-1]") {
  for (const auto version : {Version::v311, Version::v5}) {
    World world(quiet());
    auto& first = world.peer().resume("s", version).subscribe("a", kQoS2);
    auto& publisher = world.peer().join("p", version);
    publisher.publish("a", "one", QoS::at_least_once, 1);
    publisher.publish("a", "two", QoS::exactly_once, 2);
    publisher.publish("a", "three", QoS::exactly_once, 3);
    publisher.publish("a", "four", QoS::at_least_once, 4);
    first.all();
    first.send(wire::Pubrec{2, {}, {}});
    first.puback(4);
    first.all();
    first.drop();
    publisher.publish("a", "five", QoS::at_least_once, 5);
    CHECK(world.peer().resume("s", version).all() ==
          "PUBREL 2; PUBLISH a q1 id=1 dup 'one'; PUBLISH a q2 id=3 dup 'three'; "
          "PUBLISH a q1 id=5 'five'");
  }
}

TEST_CASE("as long as a connection lasts nothing is sent twice [MQTT-4.4.0-1]") {
  World world(quiet());
  auto& subscriber = world.peer().resume("s", Version::v5).subscribe("a", kQoS2);
  auto& publisher = world.peer().join("p");
  publisher.publish("a", "one", QoS::at_least_once, 1);
  publisher.publish("a", "two", QoS::exactly_once, 2);
  publisher.publish("a", "three", QoS::exactly_once, 3);
  subscriber.all();
  CHECK(subscriber.send(wire::Pubrec{3, {}, {}}).all() == "PUBREL 3");
  world.advance(std::chrono::hours(24));
  CHECK(subscriber.send(wire::Pingreq{}).all() == "PINGRESP");
}

TEST_CASE("what one receiver gets at QoS 1 or 2 differs for the others only where it has to") {
  World world(quiet());
  constexpr SubscriptionOptions kAsPublished{.qos = QoS::exactly_once, .retain_as_published = true};
  auto& early = world.peer().join("early").subscribe("#", kQoS2);
  auto& publisher = world.peer().join("p");
  publisher.publish("before", "x", QoS::at_least_once, 7);
  CHECK(early.all() == "PUBLISH before q1 id=1 'x'");
  auto& late = world.peer().join("late").subscribe("#", kQoS2);
  auto& as_late = world.peer().join("as late").subscribe("#", kQoS2);
  auto& once = world.peer().join("once").subscribe("#", kQoS1);
  auto& v5 = world.peer().join("v5", Version::v5).subscribe("#", kQoS2);
  auto& retaining = world.peer().join("retaining", Version::v5).subscribe("#", kAsPublished);
  for (const std::string& payload : {std::string("short"), std::string(600, 'l')}) {
    publisher.send(Publish{.qos = QoS::exactly_once,
                           .dup = true,
                           .retain = true,
                           .topic = "a/b",
                           .packet_id = static_cast<std::uint16_t>(payload.size()),
                           .properties = {},
                           .payload = bytes_of(payload)});
    const bool is_second = payload.size() > 100;
    const auto line = [&](const std::string& before_payload) {
      return "PUBLISH a/b " + before_payload + " '" + payload + "'";
    };
    CHECK(early.all() == line(is_second ? "q2 id=3" : "q2 id=2"));
    const std::string second = is_second ? "id=2" : "id=1";
    for (auto* peer : {&late, &as_late, &v5}) CHECK(peer->all() == line("q2 " + second));
    CHECK(once.all() == line("q1 " + second));
    CHECK(retaining.all() == line("q2 " + second + " retain"));
  }
}

TEST_CASE("no more messages are under way than the receiver allows [MQTT-3.3.4-9]") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::receive_maximum, 2U);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "s";
  connect.properties = properties.view();
  auto& subscriber = world.peer().connect(connect);
  subscriber.all();
  subscriber.subscribe("a", kQoS1);
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 4; ++i) {
    publisher.publish("a", std::to_string(i), QoS::at_least_once, i);
  }
  CHECK(subscriber.all() == "PUBLISH a q1 id=1 '1'; PUBLISH a q1 id=2 '2'");
  CHECK(subscriber.puback(1).all() == "PUBLISH a q1 id=3 '3'");
  CHECK(subscriber.puback(2).puback(3).all() == "PUBLISH a q1 id=4 '4'");
}

TEST_CASE("max_inflight_messages bounds the window of v3 clients too") {
  World world(quiet());
  auto& subscriber = world.peer().join("s").subscribe("a", kQoS1);
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 25; ++i) publisher.publish("a", "x", QoS::at_least_once, i);
  int received = 0;
  while (!subscriber.next().empty()) ++received;
  CHECK(received == 20);
}

TEST_CASE(
    "a publisher with too many QoS 2 messages under way is disconnected (0x93) [MQTT-3.3.4-7]") {
  auto config = quiet();
  config.max_inflight_messages = 2;
  World world(config);
  auto& publisher = world.peer().join("p", Version::v5);
  publisher.publish("a", "x", QoS::exactly_once, 1).publish("a", "x", QoS::exactly_once, 2);
  publisher.all();
  CHECK(publisher.publish("a", "x", QoS::exactly_once, 3).all() == "DISCONNECT 93; closed");
}

TEST_CASE(
    "QoS above max_qos and unwanted retain are answered by name [MQTT-3.2.2-11] [MQTT-3.2.2-14]") {
  auto config = quiet();
  config.listeners[0].max_qos = QoS::at_least_once;
  config.retain_available = false;
  World world(config);
  CHECK(world.peer().join("a", Version::v5).publish("t", "", QoS::exactly_once, 1).all() ==
        "DISCONNECT 9B; closed");
  CHECK(world.peer().join("a", Version::v5).retain("t", "x").all() == "DISCONNECT 9A; closed");
}

TEST_CASE("nobody but the broker publishes below $SYS") {
  World world(quiet());
  auto& subscriber = world.peer().join("s").subscribe("$SYS/#");
  CHECK(world.peer().join("p", Version::v5).publish("$SYS/x", "x", QoS::at_least_once, 1).all() ==
        "PUBACK 1 87");
  CHECK(world.peer().join("q").publish("$SYS/x", "x", QoS::at_least_once, 1).all() == "PUBACK 1");
  CHECK(subscriber.all() == "");
}

TEST_CASE("a topic alias stands for the topic it was sent with [MQTT-3.3.2-12]") {
  World world(quiet());
  auto& subscriber = world.peer().join("s").subscribe("#");
  auto& v5 = world.peer().join("s5", Version::v5).subscribe("#");
  auto& publisher = world.peer().join("p", Version::v5);
  PropertyList alias;
  alias.add(PropertyId::topic_alias, 3U).add_user("k", "v");
  publisher.send(with(alias, "a/b", "one")).send(with(alias, "", "two"));
  publisher.send(with(alias, "c", "three")).send(with(alias, "", "four"));
  CHECK(subscriber.all() ==
        "PUBLISH a/b q0 'one'; PUBLISH a/b q0 'two'; PUBLISH c q0 'three'; PUBLISH c q0 'four'");
  CHECK(v5.all() ==
        "PUBLISH a/b q0 {k:v} 'one'; PUBLISH a/b q0 {k:v} 'two'; "
        "PUBLISH c q0 {k:v} 'three'; PUBLISH c q0 {k:v} 'four'");
}

TEST_CASE("a topic alias above the maximum or never set is refused [MQTT-3.3.2-9]") {
  World world(quiet());
  PropertyList high;
  high.add(PropertyId::topic_alias, 11U);
  CHECK(world.peer().join("a", Version::v5).send(with(high, "t", "")).all() ==
        "DISCONNECT 94; closed");
  PropertyList unknown;
  unknown.add(PropertyId::topic_alias, 1U);
  CHECK(world.peer().join("a", Version::v5).send(with(unknown, "", "")).all() ==
        "DISCONNECT 82; closed");
}

TEST_CASE(
    "towards a client that accepts them, topics become aliases, the first of them 1 "
    "[MQTT-3.1.2-26] "
    "[MQTT-3.3.2-8] [MQTT-3.3.2-11]") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::topic_alias_maximum, 1U);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "s";
  connect.properties = properties.view();
  auto& subscriber = world.peer().connect(connect);
  subscriber.all();
  subscriber.subscribe("#", kQoS1);
  auto& publisher = world.peer().join("p");
  publisher.publish("a", "1").publish("a", "2").publish("b", "3");
  publisher.publish("a", "4", QoS::at_least_once, 1);
  CHECK(subscriber.all() ==
        "PUBLISH a q0 {topic-alias=1} '1'; PUBLISH  q0 {topic-alias=1} '2'; "
        "PUBLISH b q0 '3'; PUBLISH  q1 id=1 {topic-alias=1} '4'");
}

TEST_CASE("an alias that makes a message too large for its receiver is done without") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::topic_alias_maximum, 1U);
  properties.add(PropertyId::maximum_packet_size, 20U);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "s";
  connect.properties = properties.view();
  auto& subscriber = world.peer();
  subscriber.connect(connect).all();
  subscriber.subscribe("#", kQoS1);
  auto& publisher = world.peer().join("p");
  publisher.publish("a", "123456789012", QoS::at_least_once, 1);
  publisher.publish("a", "1", QoS::at_least_once, 2);
  CHECK(subscriber.all() ==
        "PUBLISH a q1 id=1 '123456789012'; PUBLISH a q1 id=2 {topic-alias=1} '1'");
}

TEST_CASE("max_topic_alias_broker 0 means that topics stay as they are") {
  auto config = quiet();
  config.listeners[0].max_topic_alias_broker = 0;
  World world(config);
  PropertyList properties;
  properties.add(PropertyId::topic_alias_maximum, 1U);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "s";
  connect.properties = properties.view();
  auto& subscriber = world.peer().connect(connect);
  subscriber.all();
  subscriber.subscribe("#");
  world.peer().join("p").publish("a", "1").publish("a", "2");
  CHECK(subscriber.all() == "PUBLISH a q0 '1'; PUBLISH a q0 '2'");
}

TEST_CASE(
    "properties travel unaltered [MQTT-3.3.2-17] [MQTT-3.3.2-20] [MQTT-3.3.2-4] [MQTT-3.3.2-15] "
    "[MQTT-3.3.2-16] [MQTT-3.3.2-18]") {
  World world(quiet());
  auto& q0 = world.peer().join("q0", Version::v5).subscribe("a");
  auto& q1 = world.peer().join("q1", Version::v5).subscribe("a", kQoS1);
  PropertyList properties;
  properties.add(PropertyId::payload_format_indicator, 1U)
      .add(PropertyId::content_type, std::string_view("text"))
      .add(PropertyId::response_topic, std::string_view("r"))
      .add(PropertyId::correlation_data, bytes_of("id"))
      .add_user("k", "1")
      .add_user("k", "2");
  auto publish = with(properties, "a", "x");
  publish.qos = QoS::at_least_once;
  publish.packet_id = 1;
  world.peer().join("p", Version::v5).send(publish);
  const std::string all =
      " {payload-format-indicator=1, content-type=text, response-topic=r, correlation-data=id, "
      "k:1, k:2} 'x'";
  CHECK(q0.all() == "PUBLISH a q0" + all);
  CHECK(q1.all() == "PUBLISH a q1 id=1" + all);
}

TEST_CASE(
    "a message that waits is sent with what is left of its expiry, or not at all [MQTT-3.3.2-5] "
    "[MQTT-3.3.2-6]") {
  World world(quiet());
  auto& subscriber = world.peer().resume("s", Version::v5).subscribe("a", kQoS1);
  auto& publisher = world.peer().join("p", Version::v5);
  const auto expiring = [&](std::uint32_t seconds, std::uint16_t id, std::string_view payload) {
    PropertyList properties;
    properties.add(PropertyId::message_expiry_interval, seconds);
    auto publish = with(properties, "a", payload);
    publish.qos = QoS::at_least_once;
    publish.packet_id = id;
    publisher.send(publish);
  };
  expiring(100, 1, "now");
  CHECK(subscriber.all() == "PUBLISH a q1 id=1 {message-expiry-interval=100} 'now'");
  subscriber.puback(1).drop();
  expiring(10, 2, "short");
  expiring(100, 3, "long");
  world.advance(Seconds(30));
  CHECK(world.peer().resume("s", Version::v5).all() ==
        "PUBLISH a q1 id=3 {message-expiry-interval=70} 'long'");
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::expired)] == 1);
}

TEST_CASE("a client gets no PUBLISH larger than it accepts [MQTT-3.1.2-25]") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::maximum_packet_size, 40U);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "s";
  connect.properties = properties.view();
  auto& subscriber = world.peer().connect(connect);
  subscriber.all();
  subscriber.subscribe("a", kQoS1);
  auto& publisher = world.peer().join("p");
  const std::string large(50, 'x');
  publisher.publish("a", large).publish("a", large, QoS::at_least_once, 1);
  publisher.publish("a", "small", QoS::at_least_once, 2).publish("a", "tiny");
  CHECK(subscriber.all() == "PUBLISH a q1 id=2 'small'; PUBLISH a q0 'tiny'");
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::too_large)] == 2);
}

TEST_CASE("a topic deeper than 200 levels is refused") {
  World world(quiet());
  std::string deep = "a";
  for (int i = 0; i < 200; ++i) deep += "/a";
  CHECK(world.peer().join("a", Version::v5).publish(deep, "x").all() == "DISCONNECT 90; closed");
  CHECK(world.peer().join("b").publish(deep.substr(2), "x").all() == "");
}

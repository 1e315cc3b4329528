#include <doctest/doctest.h>

#include <array>
#include <map>
#include <string>

#include "support/world.hpp"

// Statements of PUBLISH, its acknowledgements and subscriptions that no other test is about.

using namespace mq;
using namespace mq::support;
using wire::Connect;
using wire::PropertyId;
using wire::PropertyList;
using wire::Publish;
using wire::QoS;
using wire::ReasonCode;
using wire::Subscribe;
using wire::SubscriptionOptions;
using wire::Unsubscribe;
using wire::Version;

namespace {

constexpr SubscriptionOptions kQoS1{.qos = QoS::at_least_once};
constexpr SubscriptionOptions kQoS2{.qos = QoS::exactly_once};

Publish repeated(QoS qos, std::uint16_t id) {
  return {.qos = qos, .dup = true, .topic = "t", .packet_id = id, .payload = bytes_of("x")};
}

/// A v5 client that allows one message under way.
Peer& narrow(World& world, std::string_view id) {
  PropertyList properties;
  properties.add(PropertyId::receive_maximum, 1U).add(PropertyId::session_expiry_interval, 3600U);
  Connect connect;
  connect.version = Version::v5;
  connect.client_id = id;
  connect.clean_start = false;
  connect.properties = properties.view();
  auto& peer = world.peer().connect(connect);
  peer.next();
  return peer;
}

Publish expiring(const PropertyList& properties, QoS qos, std::uint16_t id) {
  return {.qos = qos,
          .topic = "t",
          .packet_id = id,
          .properties = properties.view(),
          .payload = bytes_of("x")};
}

}  // namespace

TEST_CASE("DUP of a publisher is not passed on [MQTT-3.3.1-3]") {
  World world(quiet());
  auto& peer = world.peer().join("s").subscribe("t", kQoS2);
  world.peer().join("p").send(repeated(QoS::at_least_once, 1)).send(repeated(QoS::exactly_once, 2));
  CHECK(peer.all() == "PUBLISH t q1 id=1 'x'; PUBLISH t q2 id=2 'x'");
}

TEST_CASE("after PUBACK the same id is a new message, DUP or not [MQTT-4.3.2-5]") {
  World world(quiet());
  auto& peer = world.peer().join("s").subscribe("t");
  for (const auto version : {Version::v311, Version::v5}) {
    auto& publisher = world.peer().join("p", version).publish("t", "x", QoS::at_least_once, 1);
    CHECK(publisher.send(repeated(QoS::at_least_once, 1)).all() == "PUBACK 1; PUBACK 1");
    CHECK(peer.all() == "PUBLISH t q0 'x'; PUBLISH t q0 'x'");
  }
}

TEST_CASE("after a refusing PUBREC the same id is a new message [MQTT-4.3.3-9]") {
  World world(quiet());
  auto& peer = world.peer().join("s").subscribe("t");
  auto& publisher = world.peer().join("p", Version::v5);
  CHECK(publisher.publish("$SYS/x", "no", QoS::exactly_once, 1).all() == "PUBREC 1 87");
  CHECK(publisher.publish("t", "yes", QoS::exactly_once, 1).all() == "PUBREC 1");
  CHECK(peer.all() == "PUBLISH t q0 'yes'");
}

TEST_CASE("what was sent once does not expire any more [MQTT-4.3.3-7]") {
  World world(quiet());
  auto& peer = world.peer().resume("s", Version::v5).subscribe("t", kQoS2);
  PropertyList properties;
  properties.add(PropertyId::message_expiry_interval, 5U);
  world.peer().join("p", Version::v5).send(expiring(properties, QoS::exactly_once, 1));
  CHECK(peer.all() == "PUBLISH t q2 id=1 {message-expiry-interval=5} 'x'");
  peer.drop();
  world.advance(Seconds(60));
  const auto again = world.peer().resume("s", Version::v5).all();
  CHECK(again.starts_with("PUBLISH t q2 id=1 dup"));
}

TEST_CASE("QoS 2 goes on to its end though the message has expired [MQTT-4.3.3-13]") {
  World world(quiet());
  world.peer().resume("s").subscribe("t", kQoS2).drop();
  auto& publisher = world.peer().join("p", Version::v5);
  PropertyList properties;
  properties.add(PropertyId::message_expiry_interval, 1U);
  CHECK(publisher.send(expiring(properties, QoS::exactly_once, 1)).all() == "PUBREC 1");
  world.advance(Seconds(10));
  CHECK(publisher.publish("t", "later", QoS::at_least_once, 2).all() == "PUBACK 2");
  CHECK(world.peer().resume("s").all() == "PUBLISH t q1 id=2 'later'");
  CHECK(publisher.send(wire::Pubrel{1, {}, {}}).all() == "PUBCOMP 1");
}

TEST_CASE(
    "with the receive maximum used up only PUBLISH waits [MQTT-3.3.4-10] [MQTT-4.9.0-2] "
    "[MQTT-4.9.0-3]") {
  World world(quiet());
  auto& peer = narrow(world, "s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "1", QoS::at_least_once, 1).publish("t", "2", QoS::at_least_once, 2);
  CHECK(peer.all() == "PUBLISH t q1 id=1 '1'");
  CHECK(peer.send(wire::Pingreq{}).all() == "PINGRESP");
  CHECK(peer.send(Subscribe{9, {}, {{"u", {}}}}).all() == "SUBACK 9 00");
  CHECK(peer.publish("v", "x", QoS::exactly_once, 1).all() == "PUBREC 1 10");
  publisher.publish("u", "QoS 0");
  CHECK(peer.all() == "PUBLISH u q0 'QoS 0'");
}

TEST_CASE("PUBREL of an earlier connection does not wait for it [MQTT-3.3.4-10] [MQTT-4.9.0-1]") {
  World world(quiet());
  auto& peer = world.peer().resume("s", Version::v5).subscribe("t", kQoS2);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "1", QoS::at_least_once, 1).publish("t", "2", QoS::exactly_once, 2);
  publisher.publish("t", "3", QoS::at_least_once, 3);
  CHECK(peer.next() == "PUBLISH t q1 id=1 '1'");
  CHECK(peer.next() == "PUBLISH t q2 id=2 '2'");
  CHECK(peer.next() == "PUBLISH t q1 id=3 '3'");
  CHECK(peer.send(wire::Pubrec{2, {}, {}}).all() == "PUBREL 2");
  peer.drop();
  auto& again = narrow(world, "s");
  CHECK(again.all() == "PUBREL 2; PUBLISH t q1 id=1 dup '1'");
  CHECK(again.puback(1).all() == "PUBLISH t q1 id=3 dup '3'");
  again.puback(3).drop();
  CHECK(narrow(world, "s").all() == "PUBREL 2");
}

TEST_CASE("QoS 0 keeps its order where it waits, and where others do [MQTT-4.6.0-5]") {
  auto config = quiet();
  config.queue_qos0_messages = true;
  World world(config);
  const auto through = [&world](const char* filter) {
    narrow(world, "s").subscribe(filter, kQoS1).drop();
    auto& publisher = world.peer().join("p");
    auto& peer = narrow(world, "s");
    publisher.publish("t", "1", QoS::at_least_once, 1).publish("t", "a");
    CHECK(peer.all() == "PUBLISH t q1 id=1 '1'; PUBLISH t q0 'a'");
    publisher.publish("t", "2", QoS::at_least_once, 2).publish("t", "b").publish("t", "c");
    CHECK(peer.all() == "");
    CHECK(peer.puback(1).all() == "PUBLISH t q1 id=2 '2'");
    CHECK(peer.puback(2).all() == "PUBLISH t q0 'b'; PUBLISH t q0 'c'");
  };
  SUBCASE("to one") {
    through("t");
  }
  SUBCASE("to a share") {
    through("$share/g/t");
  }
}

TEST_CASE("what is given up at QoS 2 keeps its id until the client has forgotten it") {
  World world(quiet());
  auto& peer = world.peer().resume("s", Version::v5).subscribe("t", kQoS2);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", std::string(300, 'x'), QoS::exactly_once, 1);
  publisher.publish("t", "2", QoS::exactly_once, 2);
  peer.drop();  // and what it has received is not acknowledged
  PropertyList small;
  small.add(PropertyId::maximum_packet_size, 100U);
  small.add(PropertyId::session_expiry_interval, 3600U);
  Connect connect;
  connect.version = Version::v5;
  connect.client_id = "s";
  connect.clean_start = false;
  connect.properties = small.view();
  auto& again = world.peer().connect(connect);
  again.next();
  CHECK(again.all() == "PUBLISH t q2 id=2 dup '2'; PUBREL 1");
  again.send(wire::Pubcomp{1, wire::ReasonCode::packet_identifier_not_found, {}});
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::too_large)] == 1);
}

TEST_CASE("a new connection begins with the whole receive maximum [MQTT-4.9.0-1]") {
  World world(quiet());
  auto& peer = narrow(world, "s").subscribe("t", kQoS1);
  world.peer().join("p").publish("t", "1", QoS::at_least_once, 1);
  CHECK(peer.all() == "PUBLISH t q1 id=1 '1'");
  peer.drop();
  CHECK(narrow(world, "s").all() == "PUBLISH t q1 id=1 dup '1'");
}

TEST_CASE("a packet id is not used while it is under way [MQTT-2.2.1-4]") {
  auto config = quiet();
  config.max_inflight_messages = 0;
  config.max_queued_messages = 0;
  World world(config);
  auto& peer = world.peer().join("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  for (int i = 0; i < 65'534; ++i) publisher.publish("t", "", QoS::at_least_once, 1);
  std::string last;
  for (auto line = peer.next(); !line.empty(); line = peer.next()) {
    last = line;
    if (line != "PUBLISH t q1 id=1 ''") {
      peer.puback(static_cast<std::uint16_t>(std::stoi(line.substr(line.find("id=") + 3))));
    }
  }
  CHECK(last == "PUBLISH t q1 id=65534 ''");
  publisher.publish("t", "", QoS::at_least_once, 1).publish("t", "", QoS::at_least_once, 1);
  CHECK(peer.all() == "PUBLISH t q1 id=65535 ''");
  peer.puback(1);
  CHECK(peer.all() == "PUBLISH t q1 id=1 ''");
}

TEST_CASE(
    "messages of one client on one topic and QoS keep their order, wherever they wait "
    "[MQTT-4.6.0-5]") {
  World world(quiet());
  auto& peer = narrow(world, "s").subscribe("t", kQoS2);
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 9; ++i) {
    publisher.publish("t", std::to_string(i), QoS::exactly_once, i);
  }
  std::string order;
  for (std::uint16_t id = 1; id <= 9; ++id) {
    order += peer.next() + ";";
    peer.send(wire::Pubrec{id, {}, {}});
    CHECK(peer.next() == "PUBREL " + std::to_string(id));
    peer.send(wire::Pubcomp{id, {}, {}});
  }
  std::string expected;
  for (int i = 1; i <= 9; ++i) {
    expected += "PUBLISH t q2 id=" + std::to_string(i) + " '" + std::to_string(i) + "';";
  }
  CHECK(order == expected);
}

TEST_CASE("what a client is sent matches its filters [MQTT-3.3.2-3]") {
  World world(quiet());
  auto& peer = world.peer().join("s").subscribe("a/+").subscribe("b/#");
  auto& publisher = world.peer().join("p");
  for (const auto* topic : {"a", "a/1", "a/1/2", "b", "b/1/2", "c"}) publisher.publish(topic, "");
  CHECK(peer.all() == "PUBLISH a/1 q0 ''; PUBLISH b q0 ''; PUBLISH b/1/2 q0 ''");
}

TEST_CASE("a topic of 65,535 bytes is delivered, and there are none longer [MQTT-4.7.3-3]") {
  World world(quiet());
  const std::string longest(65'535, 'x');
  auto& peer = world.peer().join("s").subscribe(longest);
  world.peer().join("p").publish(longest, "whole");
  CHECK(peer.all() == "PUBLISH " + longest + " q0 'whole'");
}

TEST_CASE("topics are compared as they are, without any normalization [MQTT-4.7.3-4]") {
  World world(quiet());
  // An a with a ring, once composed, once of two characters; upper case; a level without a name.
  auto& composed = world.peer().join("1").subscribe("\u00e5");
  auto& parts = world.peer().join("2").subscribe("a\u030a");
  auto& upper = world.peer().join("3").subscribe("\u00c5");
  auto& empty_level = world.peer().join("4").subscribe("\u00e5/");
  world.peer().join("p").publish("\u00e5", "x");
  CHECK(composed.all() == "PUBLISH \u00e5 q0 'x'");
  CHECK(parts.all() + upper.all() + empty_level.all() == "");
}

TEST_CASE("a subscription identifier in a client's PUBLISH is a protocol error [MQTT-3.3.4-6]") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::subscription_identifier, 1U);
  CHECK(
      world.peer().join("p", Version::v5).send(expiring(properties, QoS::at_most_once, 0)).all() ==
      "DISCONNECT 82; closed");
}

TEST_CASE("a SUBSCRIBE above max_qos is accepted all the same [MQTT-3.2.2-10]") {
  auto config = quiet();
  config.listeners[0].max_qos = QoS::at_most_once;
  World world(config);
  auto& peer = world.peer().join("s", Version::v5);
  CHECK(peer.send(Subscribe{1, {}, {{"a", {}}, {"b", kQoS1}, {"c", kQoS2}}}).all() ==
        "SUBACK 1 00 00 00");
}

TEST_CASE(
    "subscribing again sends retained messages again and loses none that wait [MQTT-3.8.4-4]") {
  World world(quiet());
  world.peer().join("p").retain("t", "kept");
  auto& peer = narrow(world, "s").subscribe("t", kQoS1);
  CHECK(peer.all() == "PUBLISH t q0 retain 'kept'");
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "1", QoS::at_least_once, 1).publish("t", "2", QoS::at_least_once, 2);
  CHECK(peer.all() == "PUBLISH t q1 id=1 '1'");
  CHECK(peer.send(Subscribe{1, {}, {{"t", kQoS1}}}).all() == "SUBACK 1 01");
  CHECK(peer.puback(1).puback(2).all() == "PUBLISH t q1 id=2 '2'; PUBLISH t q0 retain 'kept'");
}

TEST_CASE(
    "several filters in one UNSUBSCRIBE, known or not, are answered with one UNSUBACK "
    "[MQTT-3.10.4-2] [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6]") {
  World world(quiet());
  auto& peer = world.peer().join("s").subscribe("a").subscribe("b");
  CHECK(peer.send(Unsubscribe{7, {}, {"a", "b"}}).all() == "UNSUBACK 7");
  CHECK(peer.send(Unsubscribe{8, {}, {"never"}}).all() == "UNSUBACK 8");
  auto& young = world.peer().join("y", Version::v5).subscribe("a").subscribe("b");
  CHECK(young.send(Unsubscribe{7, {}, {"a", "b", "never"}}).all() == "UNSUBACK 7 00 00 11");
  CHECK(young.send(Unsubscribe{8, {}, {"a"}}).all() == "UNSUBACK 8 11");
  world.peer().join("p").publish("a", "x").publish("b", "x");
  CHECK(peer.all() == "");
  CHECK(young.all() == "");
}

TEST_CASE("a filter is unsubscribed only when it is equal [MQTT-3.10.4-1]") {
  World world(quiet());
  auto& peer = world.peer().join("s", Version::v5).subscribe("a/b");
  CHECK(peer.send(Unsubscribe{7, {}, {"a/+", "#", "A/b"}}).all() == "UNSUBACK 7 11 11 11");
  world.peer().join("p").publish("a/b", "x");
  CHECK(peer.all() == "PUBLISH a/b q0 'x'");
}

TEST_CASE("a share's message comes with the QoS that its member was granted [MQTT-4.8.2-3]") {
  World world(quiet());
  auto& low = world.peer().join("low", Version::v5).subscribe("$share/g/t");
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "x", QoS::exactly_once, 1);
  CHECK(low.all() == "PUBLISH t q0 'x'");
  low.send(Unsubscribe{7, {}, {"$share/g/t"}});
  auto& high = world.peer().join("high", Version::v5).subscribe("$share/g/t", kQoS1);
  publisher.publish("t", "y", QoS::exactly_once, 2);
  CHECK(high.all() == "PUBLISH t q1 id=1 'y'");
}

TEST_CASE("QoS 2 that was begun with a member waits for that member [MQTT-4.8.2-4]") {
  World world(quiet());
  auto& first = world.peer().resume("a", Version::v5).subscribe("$share/g/t", kQoS2);
  world.peer().join("p").publish("t", "x", QoS::exactly_once, 1);
  CHECK(first.all() == "PUBLISH t q2 id=1 'x'");
  auto& other = world.peer().resume("b", Version::v5).subscribe("$share/g/t", kQoS2);
  first.drop();
  CHECK(other.all() == "");
  CHECK(world.peer().resume("a", Version::v5).all() == "PUBLISH t q2 id=1 dup 'x'");
}

TEST_CASE("what a member of a share refuses goes to no other [MQTT-4.8.2-6]") {
  World world(quiet());
  auto& first = world.peer().join("a", Version::v5).subscribe("$share/g/t", kQoS2);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "1", QoS::at_least_once, 1).publish("t", "2", QoS::exactly_once, 2);
  first.all();
  auto& other = world.peer().join("b", Version::v5).subscribe("$share/g/t", kQoS2);
  first.send(wire::Puback{1, ReasonCode::quota_exceeded, {}});
  first.send(wire::Pubrec{2, ReasonCode::quota_exceeded, {}});
  first.drop();
  CHECK(other.all() == "");
}

TEST_CASE("U+FEFF stays where it is in a topic, a filter and a property [MQTT-1.5.4-3]") {
  World world(quiet());
  auto& peer = world.peer().join("s", Version::v5).subscribe("\ufefft/+");
  auto& other = world.peer().join("o", Version::v5).subscribe("t/+");
  PropertyList properties;
  properties.add_user("\ufeffk", "v\ufeff");
  world.peer()
      .join("p", Version::v5)
      .send(Publish{.topic = "\ufefft/\ufeff", .properties = properties.view()});
  CHECK(peer.all() == "PUBLISH \ufefft/\ufeff q0 {\ufeffk:v\ufeff} ''");
  CHECK(other.all() == "");
}

TEST_CASE("who names no maximum of topic aliases gets every topic in full [MQTT-3.1.2-27]") {
  World world(quiet());
  auto& publisher = world.peer().join("p").retain("topic", "0");
  auto& peer = narrow(world, "s").subscribe("#", kQoS1);
  publisher.publish("topic", "1").publish("topic", "2", QoS::at_least_once, 2);
  publisher.publish("topic", "3", QoS::at_least_once, 3);
  CHECK(peer.all() ==
        "PUBLISH topic q0 retain '0'; PUBLISH topic q0 '1'; PUBLISH topic q1 id=1 '2'");
  CHECK(peer.puback(1).all() == "PUBLISH topic q1 id=2 '3'");
}

TEST_CASE("topic aliases of either side end with the connection [MQTT-3.3.2-7]") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::topic_alias_maximum, 1U)
      .add(PropertyId::session_expiry_interval, 3600U);
  const Connect connect{.version = Version::v5,
                        .clean_start = false,
                        .client_id = "a",
                        .properties = properties.view()};
  PropertyList one;
  one.add(PropertyId::topic_alias, 1U);
  auto& first = world.peer().connect(connect);
  first.next();
  first.subscribe("t");
  first.send(Publish{.topic = "t", .properties = one.view()});
  CHECK(first.all() == "PUBLISH t q0 {topic-alias=1} ''");
  first.drop();
  auto& second = world.peer().connect(connect);
  second.next();
  world.peer().join("p").publish("t", "");
  CHECK(second.all() == "PUBLISH t q0 {topic-alias=1} ''");
  CHECK(second.send(Publish{.topic = "", .properties = one.view()}).all() ==
        "DISCONNECT 82; closed");
}

TEST_CASE("every topic is ordered, at each QoS, while others overtake it [MQTT-4.6.0-6]") {
  World world(quiet());
  auto& peer = narrow(world, "s").subscribe("#", kQoS2);
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 9; ++i) {
    publisher.publish("zero", std::to_string(i));
    publisher.publish("one", std::to_string(i), QoS::at_least_once, i);
    publisher.publish("two", std::to_string(i), QoS::exactly_once, i);
  }
  std::map<std::string, std::string> order;
  for (auto line = peer.next(); !line.empty(); line = peer.next()) {
    const auto topic = line.substr(8, line.find(" q") - 8);
    order[topic] += line[line.size() - 2];
    if (topic == "zero") continue;
    const auto id = static_cast<std::uint16_t>(std::stoi(line.substr(line.find("id=") + 3)));
    if (topic == "one") {
      peer.puback(id);
    } else {
      peer.send(wire::Pubrec{id, {}, {}});
      CHECK(peer.next() == "PUBREL " + std::to_string(id));
      peer.send(wire::Pubcomp{id, {}, {}});
    }
  }
  const std::string all = "123456789";
  CHECK(order == std::map<std::string, std::string>{{"zero", all}, {"one", all}, {"two", all}});
}

TEST_CASE(
    "acknowledgements keep the order of their messages, though some wait for the store "
    "[MQTT3-4.6.0-2] [MQTT3-4.6.0-3]") {
  World world(durable());
  world.peer().resume("s").subscribe("kept", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  world.is_storing = false;
  publisher.publish("kept", "", QoS::at_least_once, 5).publish("gone", "", QoS::exactly_once, 5);
  publisher.publish("gone", "", QoS::at_least_once, 3).publish("kept", "", QoS::exactly_once, 3);
  publisher.publish("gone", "", QoS::exactly_once, 4).publish("gone", "", QoS::at_least_once, 4);
  world.is_storing = true;
  world.settle();
  CHECK(publisher.all() == "PUBACK 5; PUBREC 5; PUBACK 3; PUBREC 3; PUBREC 4; PUBACK 4");
}

TEST_CASE("PUBRELs go out in the order of the PUBRECs [MQTT3-4.6.0-4]") {
  World world(durable());
  auto& peer = world.peer().resume("s").subscribe("t", kQoS2);
  auto& publisher = world.peer().join("p");
  for (std::uint16_t id = 1; id <= 3; ++id) publisher.publish("t", "", QoS::exactly_once, id);
  peer.all();
  world.is_storing = false;
  for (const auto id : std::array<std::uint16_t, 3>{2, 3, 1}) peer.send(wire::Pubrec{id, {}, {}});
  world.is_storing = true;
  world.settle();
  CHECK(peer.all() == "PUBREL 2; PUBREL 3; PUBREL 1");
}

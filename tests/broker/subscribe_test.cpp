#include <doctest/doctest.h>

#include <algorithm>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using wire::QoS;
using wire::RetainHandling;
using wire::Subscribe;
using wire::SubscriptionOptions;
using wire::Unsubscribe;
using wire::Version;

namespace {

constexpr SubscriptionOptions kQoS1{.qos = QoS::at_least_once};
constexpr SubscriptionOptions kQoS2{.qos = QoS::exactly_once};

}  // namespace

TEST_CASE(
    "a SUBSCRIBE is answered filter by filter [MQTT-3.8.4-6] [MQTT-3.8.4-1] [MQTT-2.2.1-6] "
    "[MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.9.3-1]") {
  for (const auto version : {Version::v311, Version::v5}) {
    World world(quiet());
    auto& peer = world.peer().join("a", version);
    CHECK(peer.send(Subscribe{5, {}, {{"a", {}}, {"b/#", kQoS1}, {"+/c", kQoS2}}}).all() ==
          "SUBACK 5 00 01 02");
    CHECK(world.core().subscription_count() == 3);
  }
}

TEST_CASE("max_qos is the most that is granted [MQTT-3.8.4-7]") {
  auto config = quiet();
  config.listeners[0].max_qos = QoS::at_least_once;
  World world(config);
  CHECK(world.peer().join("a").send(Subscribe{5, {}, {{"a", kQoS2}}}).all() == "SUBACK 5 01");
}

TEST_CASE(
    "malformed filters end the connection [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.8.2-1] "
    "[MQTT-4.8.2-2]") {
  World world(quiet());
  for (const auto* filter : {"a/#/b", "a#", "a+/b", "$share//a", "$share/g", "$share/g+/a"}) {
    CAPTURE(filter);
    auto& peer = world.peer().join("a", Version::v5);
    CHECK(peer.send(Subscribe{5, {}, {{filter, {}}}}).all() == "DISCONNECT 8F; closed");
    CHECK(world.peer().join("b").send(Subscribe{5, {}, {{filter, {}}}}).all() == "closed");
  }
  CHECK(world.core().subscription_count() == 0);
}

TEST_CASE("an UNSUBSCRIBE with a malformed filter unsubscribes from nothing [MQTT-4.7.1-1]") {
  World world(quiet());
  auto& peer = world.peer().resume("a", Version::v5).subscribe("t");
  CHECK(peer.send(Unsubscribe{5, {}, {"t", "a#"}}).all() == "DISCONNECT 8F; closed");
  CHECK(world.core().subscription_count() == 1);
}

TEST_CASE("no-local on a shared subscription is a protocol error [MQTT-3.8.3-4]") {
  World world(quiet());
  auto& peer = world.peer().join("a", Version::v5);
  CHECK(peer.send(Subscribe{5, {}, {{"$share/g/a", {.no_local = true}}}}).all() ==
        "DISCONNECT 82; closed");
}

TEST_CASE("subscribing again replaces the options [MQTT-3.8.4-3]") {
  World world(quiet());
  auto& peer = world.peer().join("a").subscribe("t", kQoS2).subscribe("t");
  world.peer().join("p").publish("t", "x", QoS::exactly_once, 1);
  CHECK(peer.all() == "PUBLISH t q0 'x'");
  CHECK(world.core().subscription_count() == 1);
}

TEST_CASE("subscribing again replaces what only v5 has, too [MQTT-3.8.4-3]") {
  World world(quiet());
  auto& peer = world.peer().join("a", Version::v5);
  peer.subscribe("t", {.qos = QoS::exactly_once, .no_local = true}, 5);
  peer.subscribe("t", {.qos = QoS::at_least_once, .retain_as_published = true}, 6);
  peer.send(wire::Publish{.qos = QoS::exactly_once,
                          .retain = true,
                          .topic = "t",
                          .packet_id = 1,
                          .payload = bytes_of("x")});
  CHECK(peer.all() == "PUBLISH t q1 id=1 retain {subscription-identifier=6} 'x'; PUBREC 1");
  CHECK(world.core().subscription_count() == 1);
}

TEST_CASE("the granted QoS is the most that a message is delivered with [MQTT-3.8.4-8]") {
  World world(quiet());
  auto& peer = world.peer().join("a").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "0").publish("t", "1", QoS::at_least_once, 1);
  publisher.publish("t", "2", QoS::exactly_once, 2);
  CHECK(peer.all() == "PUBLISH t q0 '0'; PUBLISH t q1 id=1 '1'; PUBLISH t q1 id=2 '2'");
}

TEST_CASE("upgrade_outgoing_qos delivers with what was granted") {
  auto config = quiet();
  config.upgrade_outgoing_qos = true;
  World world(config);
  auto& peer = world.peer().join("a").subscribe("t", kQoS1);
  auto& member = world.peer().join("b", Version::v5).subscribe("$share/g/t", kQoS1);
  world.peer().join("p").retain("t", "x");
  CHECK(peer.all() == "PUBLISH t q1 id=1 'x'");
  CHECK(member.all() == "PUBLISH t q1 id=1 'x'");
  CHECK(world.peer().join("c").subscribe("t", kQoS1).all() == "PUBLISH t q1 id=1 retain 'x'");
}

TEST_CASE(
    "overlapping filters each deliver a copy, with their own identifier [MQTT-3.3.4-2] "
    "[MQTT-3.3.4-3] [MQTT-3.3.4-5]") {
  World world(quiet());
  auto& peer = world.peer().join("a", Version::v5);
  peer.subscribe("t/1", {}, 11).subscribe("t/+", kQoS1, 268'435'455).subscribe("t/#");
  world.peer().join("p").publish("t/1", "x", QoS::at_least_once, 1);
  std::vector<std::string> lines{peer.next(), peer.next(), peer.next()};
  std::sort(lines.begin(), lines.end());
  CHECK(lines == std::vector<std::string>{
                     "PUBLISH t/1 q0 'x'", "PUBLISH t/1 q0 {subscription-identifier=11} 'x'",
                     "PUBLISH t/1 q1 id=1 {subscription-identifier=268435455} 'x'"});
}

TEST_CASE("no-local keeps a client's own messages away [MQTT-3.8.3-3]") {
  World world(quiet());
  auto& peer = world.peer().join("a", Version::v5);
  peer.subscribe("t", {.qos = QoS::at_least_once, .no_local = true});
  CHECK(peer.publish("t", "own").all() == "");
  CHECK(peer.publish("t", "own", QoS::at_least_once, 1).all() == "PUBACK 1");
  world.peer().join("b").publish("t", "other");
  CHECK(peer.all() == "PUBLISH t q0 'other'");
}

TEST_CASE(
    "retain-as-published keeps the flag, otherwise live messages lose it [MQTT-3.3.1-12] "
    "[MQTT-3.3.1-13]") {
  World world(quiet());
  auto& plain = world.peer().join("a", Version::v5).subscribe("t");
  auto& kept = world.peer().join("b", Version::v5).subscribe("t", {.retain_as_published = true});
  auto& queued = world.peer().resume("c", Version::v5);
  queued.subscribe("t", {.qos = QoS::at_least_once, .retain_as_published = true});
  queued.drop();
  world.peer().join("p").send(wire::Publish{.qos = QoS::at_least_once,
                                            .retain = true,
                                            .topic = "t",
                                            .packet_id = 1,
                                            .properties = {},
                                            .payload = bytes_of("x")});
  CHECK(plain.all() == "PUBLISH t q0 'x'");
  CHECK(kept.all() == "PUBLISH t q0 retain 'x'");
  CHECK(world.peer().resume("c", Version::v5).all() == "PUBLISH t q1 id=1 retain 'x'");
}

TEST_CASE(
    "UNSUBSCRIBE ends delivery and is answered filter by filter [MQTT-3.10.4-1] [MQTT-3.11.3-1] "
    "[MQTT-3.11.3-2]") {
  World world(quiet());
  auto& v5 = world.peer().join("a", Version::v5).subscribe("t").subscribe("u/#");
  auto& v3 = world.peer().join("b").subscribe("t");
  CHECK(v5.send(wire::Unsubscribe{6, {}, {"t", "nothing", "u/#"}}).all() == "UNSUBACK 6 00 11 00");
  CHECK(v3.send(wire::Unsubscribe{6, {}, {"t"}}).all() == "UNSUBACK 6");
  world.peer().join("p").publish("t", "x").publish("u/1", "x");
  CHECK(v5.all() == "");
  CHECK(v3.all() == "");
  CHECK(world.core().subscription_count() == 0);
}

TEST_CASE("what was queued before UNSUBSCRIBE is still delivered [MQTT-3.10.4-3]") {
  World world(quiet());
  auto& first = world.peer().resume("a").subscribe("t", kQoS1);
  world.peer().join("p").publish("t", "x", QoS::at_least_once, 1);
  CHECK(first.all() == "PUBLISH t q1 id=1 'x'");
  first.send(wire::Unsubscribe{6, {}, {"t"}}).drop();
  CHECK(world.peer().resume("a").all() == "PUBLISH t q1 id=1 dup 'x'");
}

TEST_CASE("wildcards do not match topics that begin with $ [MQTT-4.7.2-1] [MQTT3-3.8.3-2]") {
  World world(quiet());
  auto& wild = world.peer().join("a").subscribe("#").subscribe("+/x");
  auto& exact = world.peer().join("b").subscribe("$own/x").subscribe("$own/#");
  world.peer().join("p").publish("$own/x", "x");
  CHECK(wild.all() == "");
  CHECK(exact.all() == "PUBLISH $own/x q0 'x'; PUBLISH $own/x q0 'x'");
}

TEST_CASE("a share's messages go round its members, one each") {
  World world(quiet());
  auto& a = world.peer().join("a", Version::v5).subscribe("$share/g/t/+");
  auto& b = world.peer().join("b", Version::v5).subscribe("$share/g/t/+", {}, 4);
  auto& other = world.peer().join("c", Version::v5).subscribe("$share/h/t/+");
  auto& plain = world.peer().join("d", Version::v5).subscribe("t/#");
  auto& publisher = world.peer().join("p");
  for (int i = 0; i < 4; ++i) publisher.publish("t/1", std::to_string(i));
  CHECK(a.all() == "PUBLISH t/1 q0 '0'; PUBLISH t/1 q0 '2'");
  CHECK(b.all() ==
        "PUBLISH t/1 q0 {subscription-identifier=4} '1'; "
        "PUBLISH t/1 q0 {subscription-identifier=4} '3'");
  int received = 0;
  while (!other.next().empty()) ++received;
  CHECK(received == 4);
  while (!plain.next().empty()) ++received;
  CHECK(received == 8);
  CHECK(world.core().shared_subscription_count() == 3);
}

TEST_CASE("a share prefers members that are there; messages wait when nobody is") {
  World world(quiet());
  auto& a = world.peer().resume("a", Version::v5).subscribe("$share/g/t", kQoS1);
  auto& b = world.peer().resume("b", Version::v5).subscribe("$share/g/t", kQoS1);
  a.drop();
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "1", QoS::at_least_once, 1).publish("t", "2", QoS::at_least_once, 2);
  CHECK(b.all() == "PUBLISH t q1 id=1 '1'; PUBLISH t q1 id=2 '2'");
  b.puback(1).puback(2).drop();
  publisher.publish("t", "3", QoS::at_least_once, 3);
  const auto got =
      world.peer().resume("a", Version::v5).all() + world.peer().resume("b", Version::v5).all();
  CHECK(got.find("'3'") != std::string::npos);
}

TEST_CASE(
    "what a share's member did not acknowledge goes to another when its session ends "
    "[MQTT-4.8.2-5]") {
  World world(quiet());
  auto& a = world.peer().join("a", Version::v5).subscribe("$share/g/t", kQoS2);
  auto& b = world.peer().join("b", Version::v5);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "one", QoS::at_least_once, 1);
  publisher.publish("t", "two", QoS::exactly_once, 2);
  CHECK(a.all() == "PUBLISH t q1 id=1 'one'; PUBLISH t q2 id=2 'two'");
  b.subscribe("$share/g/t", kQoS2, 9);
  a.drop();
  // QoS 2 that was on its way must not go to anybody else [MQTT-4.8.2-5].
  CHECK(b.all() == "PUBLISH t q1 id=1 {subscription-identifier=9} 'one'");
}

TEST_CASE(
    "what goes to another member goes at the QoS that he was granted, with his options "
    "[MQTT-4.8.2-3]") {
  World world(quiet());
  auto& a = world.peer().join("a", Version::v5).subscribe("$share/g/t", kQoS1);
  world.peer().join("p").send(wire::Publish{.qos = QoS::at_least_once,
                                            .retain = true,
                                            .topic = "t",
                                            .packet_id = 1,
                                            .payload = bytes_of("x")});
  CHECK(a.all() == "PUBLISH t q1 id=1 'x'");
  auto& b = world.peer().join("b", Version::v5);
  SUBCASE("QoS 0 to who is there") {
    b.subscribe("$share/g/t", {.retain_as_published = true}, 9);
    a.drop();
    CHECK(b.all() == "PUBLISH t q0 retain {subscription-identifier=9} 'x'");
  }
  SUBCASE("not QoS 0 to who sleeps") {
    b.disconnect();
    auto& c = world.peer().resume("c", Version::v5).subscribe("$share/g/t");
    c.drop();
    auto& d = world.peer().resume("d", Version::v5).subscribe("$share/g/t", kQoS2);
    d.drop();
    a.drop();
    CHECK(world.peer().resume("c", Version::v5).all() == "");
    CHECK(world.peer().resume("d", Version::v5).all() == "PUBLISH t q1 id=1 'x'");
  }
}

TEST_CASE("what a member leaves behind goes round the others, his own turn to the next") {
  World world(quiet());
  auto& a = world.peer().join("a", Version::v5).subscribe("$share/g/t", kQoS1);
  auto& p = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 4; ++i) p.publish("t", std::to_string(i), QoS::at_least_once, i);
  auto& b = world.peer().join("b", Version::v5).subscribe("$share/g/t", kQoS1);
  auto& c = world.peer().join("c", Version::v5).subscribe("$share/g/t", kQoS1);
  a.drop();
  CHECK(b.all() == "PUBLISH t q1 id=1 '1'; PUBLISH t q1 id=2 '3'; PUBLISH t q1 id=3 '4'");
  CHECK(c.all() == "PUBLISH t q1 id=1 '2'");
}

TEST_CASE("retain-as-published keeps the flag in a share, too [MQTT-3.3.1-12] [MQTT-3.3.1-13]") {
  for (const auto qos : {QoS::at_least_once, QoS::exactly_once}) {
    World world(quiet());
    const SubscriptionOptions plainly{.qos = qos};
    const SubscriptionOptions as_published{.qos = qos, .retain_as_published = true};
    auto& plain = world.peer().join("a", Version::v5).subscribe("$share/plain/t", plainly);
    auto& kept = world.peer().join("b", Version::v5).subscribe("$share/kept/t", as_published);
    world.peer().resume("c", Version::v5).subscribe("$share/queued/t", as_published).drop();
    world.peer().join("p").send(wire::Publish{.qos = qos,
                                              .retain = true,
                                              .topic = "t",
                                              .packet_id = 1,
                                              .properties = {},
                                              .payload = bytes_of("x")});
    const std::string start = "PUBLISH t q" + std::to_string(static_cast<int>(qos)) + " id=1";
    CHECK(plain.all() == start + " 'x'");
    CHECK(kept.all() == start + " retain 'x'");
    CHECK(world.peer().resume("c", Version::v5).all() == start + " retain 'x'");
  }
}

TEST_CASE("what was queued through a share has its identifier, though the share is left") {
  World world(quiet());
  auto& a = world.peer().join("a", Version::v5);
  a.reads = false;
  a.subscribe("$share/g/t", kQoS1, 7);
  auto& p = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 21; ++i) p.publish("t", "x", QoS::at_least_once, i);
  a.reads = true;
  a.send(wire::Unsubscribe{6, {}, {"$share/g/t"}});
  a.all();
  CHECK(a.puback(1).all() == "PUBLISH t q1 id=21 {subscription-identifier=7} 'x'");
}

TEST_CASE("who leaves a share keeps what it already got") {
  World world(quiet());
  auto& a = world.peer().join("a", Version::v5).subscribe("$share/g/t", kQoS1);
  auto& b = world.peer().join("b", Version::v5).subscribe("$share/g/t", kQoS1);
  world.peer().join("p").publish("t", "x", QoS::at_least_once, 1);
  CHECK(a.all() + b.all() == "PUBLISH t q1 id=1 'x'");
  a.send(wire::Unsubscribe{6, {}, {"$share/g/t"}});
  a.all();
  a.drop();
  CHECK(b.all() == "");
}

TEST_CASE("a SUBSCRIBE over the level limit is refused") {
  World world(quiet());
  std::string deep = "+";
  for (int i = 0; i < 200; ++i) deep += "/+";
  auto& peer = world.peer().join("a", Version::v5);
  CHECK(peer.send(Subscribe{5, {}, {{deep, {}}}}).all() == "DISCONNECT 8F; closed");
}

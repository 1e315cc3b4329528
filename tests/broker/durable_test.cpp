#include <doctest/doctest.h>
#include <malloc.h>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using wire::QoS;
using wire::SubscriptionOptions;
using wire::Version;

// What is acknowledged is stored first.

namespace {

constexpr SubscriptionOptions kQoS1{.qos = QoS::at_least_once};
constexpr SubscriptionOptions kQoS2{.qos = QoS::exactly_once};

/// How many messages are said to be lost.
std::uint64_t dropped_of(const std::vector<broker::Fact>& facts) {
  std::uint64_t count = 0;
  for (const auto& fact : facts) {
    const auto* dropped = std::get_if<broker::fact::Dropped>(&fact);
    if (dropped != nullptr) count += dropped->count;
  }
  return count;
}

}  // namespace

TEST_CASE("PUBACK waits until the message for a kept session is stored, QoS 1 delivery does not") {
  World world(durable());
  auto& subscriber = world.peer().resume("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  world.is_storing = false;
  CHECK(publisher.publish("t", "x", QoS::at_least_once, 1).all() == "");
  CHECK(subscriber.all() == "PUBLISH t q1 id=1 'x'");
  world.is_storing = true;
  world.settle();
  CHECK(publisher.all() == "PUBACK 1");
}

namespace {

broker::Config patient() {
  auto config = durable();
  config.persistence_delay = Millis(5);
  return config;
}

}  // namespace

TEST_CASE("what all receivers acknowledge in time is never stored, and then acknowledged") {
  World world(patient());
  auto& first = world.peer().resume("s1").subscribe("t", kQoS1);
  auto& second = world.peer().resume("s2").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  const auto stored = world.store.stored();
  CHECK(publisher.publish("t", "x", QoS::at_least_once, 1).all() == "");
  CHECK(first.all() == "PUBLISH t q1 id=1 'x'");
  CHECK(second.all() == "PUBLISH t q1 id=1 'x'");
  CHECK(first.puback(1).all() == "");
  CHECK(publisher.all() == "");
  second.puback(1);
  CHECK(publisher.all() == "PUBACK 1");
  CHECK(world.store.stored() == stored);
}

TEST_CASE("what was sent before it was stored comes again as retained, if it was [MQTT-3.3.1-13]") {
  World world(patient());
  world.peer()
      .resume("s", Version::v5)
      .subscribe("t", {.qos = QoS::at_least_once, .retain_as_published = true});
  auto& publisher = world.peer().join("p");
  publisher.send(wire::Publish{.qos = QoS::at_least_once,
                               .retain = true,
                               .topic = "t",
                               .packet_id = 1,
                               .payload = bytes_of("x")});
  world.advance(Millis(5));
  REQUIRE(publisher.all() == "PUBACK 1");
  world.crash();
  CHECK(world.peer().resume("s", Version::v5).all() == "PUBLISH t q1 id=1 dup retain 'x'");
}

TEST_CASE("UNSUBACK of a kept session waits until it is stored") {
  World world(durable());
  auto& peer = world.peer().resume("s").subscribe("t");
  world.is_storing = false;
  CHECK(peer.send(wire::Unsubscribe{9, {}, {"t"}}).all() == "");
  world.is_storing = true;
  world.settle();
  CHECK(peer.all() == "UNSUBACK 9");
}

TEST_CASE("what goes over to another member of a share is stored before it is acknowledged") {
  World world(patient());
  auto& first = world.peer().resume("s1", Version::v5).subscribe("$share/g/t", kQoS1);
  world.peer().resume("s2").subscribe("$share/g/t", kQoS1);
  auto& publisher = world.peer().join("p");
  CHECK(publisher.publish("t", "x", QoS::at_least_once, 1).all() == "");
  CHECK(first.all() == "PUBLISH t q1 id=1 'x'");
  world.is_storing = false;
  wire::PropertyList ends_now;
  ends_now.add(wire::PropertyId::session_expiry_interval, 0U);
  first.send(wire::Disconnect{wire::ReasonCode::normal_disconnection, ends_now.view()});
  CHECK(publisher.all() == "");
  world.is_storing = true;
  world.settle();
  CHECK(publisher.all() == "PUBACK 1");
  world.crash();
  CHECK(world.peer().resume("s2").all() == "PUBLISH t q1 id=1 dup 'x'");
}

TEST_CASE("what a receiver does not acknowledge in time is stored, and then acknowledged") {
  World world(patient());
  auto& subscriber = world.peer().resume("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "1", QoS::at_least_once, 1).publish("t", "2", QoS::at_least_once, 2);
  CHECK(subscriber.puback(1).next() == "PUBLISH t q1 id=1 '1'");
  CHECK(publisher.all() == "PUBACK 1");
  world.advance(Millis(4));
  CHECK(publisher.all() == "");
  world.advance(Millis(1));
  CHECK(publisher.all() == "PUBACK 2");
  world.crash();
  CHECK(world.peer().resume("s").all() == "PUBLISH t q1 id=2 dup '2'");
}

TEST_CASE("nothing waits beside what is stored anyway, nor is any of it lost") {
  World world(patient());
  auto& awake = world.peer().resume("awake").subscribe("t", kQoS1);
  world.peer().resume("asleep").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  CHECK(publisher.publish("t", "x", QoS::at_least_once, 1).all() == "PUBACK 1");
  CHECK(awake.all() == "PUBLISH t q1 id=1 'x'");
  world.crash();
  CHECK(world.peer().resume("awake").all() == "PUBLISH t q1 id=1 dup 'x'");
  CHECK(world.peer().resume("asleep").all() == "PUBLISH t q1 id=1 'x'");
}

TEST_CASE("what the broker says about itself is stored for each who has to wait for it") {
  auto config = durable();
  config.sys_interval = Seconds(10);
  World world(config);
  const auto version = [&](const char* name) -> Peer& {
    return world.peer().resume(name).subscribe("$SYS/broker/version", kQoS1);
  };
  version("first").puback(1);
  CHECK(world.store.load().messages.empty());
  version("second");
  CHECK(world.store.load().messages.size() == 1);
  world.crash();
  CHECK(world.peer().resume("second").all().starts_with("PUBLISH $SYS/broker/version q1 id=1 dup"));
}

TEST_CASE(
    "acknowledgements that wait for receivers keep their order, also while the store is busy") {
  World world(patient());
  auto& subscriber = world.peer().resume("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  world.is_storing = false;
  publisher.retain("kept", "x");
  publisher.publish("t", "1", QoS::at_least_once, 1);
  subscriber.puback(1);
  CHECK(publisher.all() == "");
  world.is_storing = true;
  world.settle();
  CHECK(publisher.all() == "PUBACK 1");
}

TEST_CASE("a session that ends takes along what waited for it") {
  World world(patient());
  world.peer().resume("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "x", QoS::at_least_once, 1);
  world.peer().join("s");  // a clean session in its place
  CHECK(publisher.all() == "PUBACK 1");
  world.crash();
  CHECK(world.peer().resume("s").all() == "");
}

TEST_CASE("PUBACK of a retained message waits; one that nobody keeps does not") {
  World world(durable());
  auto& publisher = world.peer().join("p");
  world.is_storing = false;
  CHECK(publisher.publish("nobody", "x", QoS::at_least_once, 1).all() == "PUBACK 1");
  publisher.send(wire::Publish{.qos = QoS::at_least_once,
                               .retain = true,
                               .topic = "kept",
                               .packet_id = 2,
                               .properties = {},
                               .payload = bytes_of("x")});
  CHECK(publisher.all() == "");
  SUBCASE("and keeps its place among the acknowledgements") {
    CHECK(publisher.publish("nobody", "x", QoS::at_least_once, 3).all() == "");
    world.is_storing = true;
    world.settle();
    CHECK(publisher.all() == "PUBACK 2; PUBACK 3");
  }
}

TEST_CASE("CONNACK and SUBACK of a kept session wait; nothing comes before CONNACK") {
  World world(durable());
  world.is_storing = false;
  auto& peer = world.peer();
  wire::Connect connect;
  connect.clean_start = false;
  connect.client_id = "s";
  peer.connect(connect);
  peer.send(wire::Subscribe{1, {}, {{"t", kQoS1}}});
  peer.send(wire::Pingreq{});
  world.peer().join("p").publish("t", "x", QoS::at_least_once, 1);
  CHECK(peer.all() == "");
  world.is_storing = true;
  world.settle();
  CHECK(peer.all() == "CONNACK 00; PUBLISH t q1 id=1 'x'; SUBACK 1 01; PINGRESP");
}

TEST_CASE("a QoS 2 PUBLISH and its PUBREL wait for the store, so that nothing is delivered twice") {
  World world(durable());
  auto& subscriber = world.peer().resume("s").subscribe("t", kQoS2);
  auto& publisher = world.peer().resume("p");
  world.is_storing = false;
  CHECK(publisher.publish("t", "x", QoS::exactly_once, 1).all() == "");
  CHECK(subscriber.all() == "");
  world.is_storing = true;
  world.settle();
  CHECK(publisher.all() == "PUBREC 1");
  CHECK(subscriber.all() == "PUBLISH t q2 id=1 'x'");
  world.is_storing = false;
  CHECK(subscriber.send(wire::Pubrec{1, {}, {}}).all() == "");
  CHECK(publisher.send(wire::Pubrel{1, {}, {}}).all() == "");
  world.is_storing = true;
  world.settle();
  CHECK(subscriber.all() == "PUBREL 1");
  CHECK(publisher.all() == "PUBCOMP 1");
}

TEST_CASE(
    "after a crash everything acknowledged is there: sessions, subscriptions, queues, retained, "
    "ids") {
  World world(durable());
  world.peer().resume("sleeper", Version::v5).subscribe("t/#", kQoS2, 5).drop();
  auto& publisher = world.peer().resume("p");
  publisher.publish("t/1", "one", QoS::at_least_once, 1);
  publisher.publish("t/2", "two", QoS::exactly_once, 2);
  publisher.send(wire::Publish{
      .retain = true, .topic = "kept", .properties = {}, .payload = bytes_of("value")});
  publisher.all();
  world.crash();
  auto& sleeper = world.peer().resume("sleeper", Version::v5);
  CHECK(sleeper.all() ==
        "PUBLISH t/1 q1 id=1 {subscription-identifier=5} 'one'; "
        "PUBLISH t/2 q2 id=2 {subscription-identifier=5} 'two'");
  auto& again = world.peer().resume("p");
  again.send(wire::Publish{.qos = QoS::exactly_once,
                           .dup = true,
                           .topic = "t/2",
                           .packet_id = 2,
                           .properties = {},
                           .payload = bytes_of("two")});
  CHECK(again.all() == "PUBREC 2");
  CHECK(sleeper.all() == "");
  CHECK(world.peer().join("late").subscribe("kept").all() == "PUBLISH kept q0 retain 'value'");
  CHECK(sleeper.send(wire::Pubrec{2, {}, {}}).all() == "PUBREL 2");
  world.crash();
  CHECK(world.peer().resume("sleeper", Version::v5).all() ==
        "PUBREL 2; PUBLISH t/1 q1 id=1 dup {subscription-identifier=5} 'one'");
}

TEST_CASE("the id of what has expired at QoS 2 is not another's before the client has let it go") {
  World world(durable());
  auto& peer = world.peer().resume("s", Version::v5).subscribe("t", kQoS2);
  wire::PropertyList properties;
  properties.add(wire::PropertyId::message_expiry_interval, 5U);
  auto& publisher = world.peer().join("p", Version::v5);
  publisher.send(wire::Publish{.qos = QoS::exactly_once,
                               .topic = "t",
                               .packet_id = 1,
                               .properties = properties.view(),
                               .payload = bytes_of("x")});
  CHECK(peer.all() == "PUBLISH t q2 id=1 {message-expiry-interval=5} 'x'");
  world.crash();  // and PUBREC is lost
  world.advance(Seconds(60));
  world.crash();
  world.peer().join("p").publish("t", "y", QoS::exactly_once, 1);
  auto& again = world.peer().resume("s", Version::v5);
  CHECK(again.all() == "PUBREL 1; PUBLISH t q2 id=2 'y'");
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::expired)] == 1);
  again.send(wire::Pubcomp{1, {}, {}});
  world.crash();
  CHECK(world.peer().resume("s", Version::v5).all() == "PUBLISH t q2 id=2 dup 'y'");
}

TEST_CASE("PUBREL of what has expired in the store waits until that is stored") {
  auto config = durable();
  config.queue_window.messages = 1;
  World world(config);
  auto& peer = world.peer().resume("s", Version::v5).subscribe("t", kQoS2);
  wire::PropertyList properties;
  properties.add(wire::PropertyId::message_expiry_interval, 5U);
  auto& publisher = world.peer().join("p", Version::v5);
  publisher.publish("t", "a", QoS::exactly_once, 1);
  publisher.send(wire::Publish{.qos = QoS::exactly_once,
                               .topic = "t",
                               .packet_id = 2,
                               .properties = properties.view(),
                               .payload = bytes_of("b")});
  CHECK(peer.all() == "PUBLISH t q2 id=1 'a'; PUBLISH t q2 id=2 {message-expiry-interval=5} 'b'");
  world.crash();
  world.advance(Seconds(60));
  world.is_storing = false;
  auto& again = world.peer().resume("s", Version::v5);
  while (world.store.commit()) world.core().on_stored(world.store.stored(), world.now);
  world.settle();
  world.store.answer_loads();
  for (const auto& page : world.store.take_pages()) world.core().on_loaded(page, world.now);
  world.settle();
  CHECK(again.all().ends_with("PUBLISH t q2 id=1 dup 'a'"));
  world.is_storing = true;
  world.settle();
  CHECK(again.all() == "PUBREL 2");
}

TEST_CASE("what a sleeper was never sent comes without DUP after a crash [MQTT-4.3.2-2]") {
  auto config = durable();
  config.queue_window.messages = 2;
  World world(config);
  auto& peer = world.peer().resume("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "1", QoS::at_least_once, 1).publish("t", "2", QoS::at_least_once, 2);
  CHECK(peer.all() == "PUBLISH t q1 id=1 '1'; PUBLISH t q1 id=2 '2'");
  peer.puback(1).drop();
  for (std::uint16_t i = 3; i <= 5; ++i) {
    publisher.publish("t", std::to_string(i), QoS::at_least_once, i);
  }
  const auto rest =
      "PUBLISH t q1 id=2 dup '2'; PUBLISH t q1 id=3 '3'; PUBLISH t q1 id=4 '4'; "
      "PUBLISH t q1 id=5 '5'";
  SUBCASE("once") {
    world.crash();
  }
  SUBCASE("twice") {
    world.crash();
    world.crash();
  }
  CHECK(world.peer().resume("s").all() == rest);
  world.crash();  // nobody knows what has left
  CHECK(world.peer().resume("s").all() ==
        "PUBLISH t q1 id=2 dup '2'; PUBLISH t q1 id=3 dup '3'; PUBLISH t q1 id=4 dup '4'; "
        "PUBLISH t q1 id=5 dup '5'");
}

TEST_CASE("after a crash of a queue that had come to its end, numbers begin anew as fresh") {
  World world(durable());
  auto& peer = world.peer().resume("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 3; ++i) publisher.publish("t", "x", QoS::at_least_once, i);
  peer.all();
  peer.puback(1).puback(2).puback(3).drop();
  world.crash();
  world.peer().join("p").publish("t", "y", QoS::at_least_once, 1);
  world.crash();
  CHECK(world.peer().resume("s").all() == "PUBLISH t q1 id=1 'y'");
}

TEST_CASE("what a sleeper was sent does not expire in a crash, what it was not does") {
  World world(durable());
  auto& peer = world.peer().resume("s", Version::v5).subscribe("t", kQoS2);
  wire::PropertyList properties;
  properties.add(wire::PropertyId::message_expiry_interval, 5U);
  auto& publisher = world.peer().join("p", Version::v5);
  const auto publish = [&](std::string_view text, std::uint16_t id) {
    publisher.send(wire::Publish{.qos = QoS::exactly_once,
                                 .topic = "t",
                                 .packet_id = id,
                                 .properties = properties.view(),
                                 .payload = bytes_of(text)});
  };
  publish("sent", 1);
  CHECK(peer.all().ends_with("'sent'"));
  peer.drop();
  publish("not sent", 2);
  world.advance(Seconds(60));
  world.crash();
  const auto rest = world.peer().resume("s", Version::v5).all();
  CHECK(rest.starts_with("PUBLISH t q2 id=1 dup"));
  CHECK(rest.ends_with("'sent'"));
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::expired)] == 1);
}

TEST_CASE("a crash loses what was not acknowledged, and only that") {
  World world(durable());
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  CHECK(publisher.publish("t", "kept", QoS::at_least_once, 1).all() == "PUBACK 1");
  world.is_storing = false;
  CHECK(publisher.publish("t", "lost", QoS::at_least_once, 2).all() == "");
  world.crash();
  world.is_storing = true;
  CHECK(world.peer().resume("s").all() == "PUBLISH t q1 id=1 'kept'");
}

TEST_CASE("what comes again after a crash is no duplicate at QoS 0") {
  auto config = durable();
  config.queue_qos0_messages = true;
  World world(config);
  world.peer().resume("s").subscribe("t").drop();
  world.peer().join("p").publish("t", "x");
  world.crash();
  CHECK(world.peer().resume("s").all() == "PUBLISH t q0 'x'");
}

TEST_CASE("QoS 0 that waited for one who may have had it is no duplicate either [MQTT-3.3.1-2]") {
  auto config = durable();
  config.queue_qos0_messages = true;
  config.max_inflight_messages = 1;
  World world(config);
  auto& peer = world.peer().resume("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "1", QoS::at_least_once, 1).publish("t", "2", QoS::at_least_once, 2);
  publisher.publish("t", "0");
  CHECK(peer.all() == "PUBLISH t q1 id=1 '1'");
  world.crash();
  auto& again = world.peer().resume("s");
  CHECK(again.all() == "PUBLISH t q1 id=1 dup '1'");
  CHECK(again.puback(1).puback(2).all() == "PUBLISH t q1 id=2 dup '2'; PUBLISH t q0 '0'");
}

TEST_CASE("what was settled, cleared or ended does not come back") {
  World world(durable());
  auto& peer = world.peer().resume("s").subscribe("t", kQoS1).subscribe("u");
  auto& publisher = world.peer().join("p").retain("kept", "x").retain("kept", "");
  publisher.publish("t", "x", QoS::at_least_once, 1);
  peer.puback(1).send(wire::Unsubscribe{9, {}, {"u"}});
  world.peer().resume("gone").subscribe("t", kQoS1).drop();
  world.peer().join("gone").disconnect();
  world.crash();
  CHECK(world.core().session_count() == 1);
  CHECK(world.core().subscription_count() == 1);
  CHECK(world.core().retained_count() == 0);
  CHECK(world.peer().resume("s").all() == "");
  CHECK(world.store.load().messages.empty());
}

TEST_CASE("a crash breaks connections: wills and session expiry go on from then, or from before") {
  World world(durable());
  const auto connect = [&](std::string_view id, std::uint32_t expiry) -> Peer& {
    wire::PropertyList properties;
    properties.add(wire::PropertyId::session_expiry_interval, expiry);
    wire::Connect packet;
    packet.version = Version::v5;
    packet.client_id = id;
    packet.clean_start = false;
    packet.properties = properties.view();
    packet.will = wire::Will{.topic = "wills",
                             .payload = bytes_of(id),
                             .qos = QoS::at_least_once,
                             .retain = false,
                             .properties = {}};
    return world.peer().connect(packet);
  };
  world.peer().resume("watcher").subscribe("wills", kQoS1);
  connect("awake", 100);
  connect("asleep", 100).disconnect();
  world.advance(Seconds(60));
  world.crash();
  CHECK(world.peer().resume("watcher").all() == "PUBLISH wills q1 id=1 'awake'");
  CHECK(world.core().session_count() == 3);
  world.advance(Seconds(50));
  CHECK(world.core().session_count() == 2);
  world.advance(Seconds(60));
  CHECK(world.core().session_count() == 1);
}

TEST_CASE("an expiry interval runs on while the broker is down") {
  World world(durable());
  world.peer().resume("s", Version::v5).subscribe("t", kQoS1).drop();
  wire::PropertyList properties;
  properties.add(wire::PropertyId::message_expiry_interval, 100U);
  world.peer()
      .join("p", Version::v5)
      .send(wire::Publish{.qos = QoS::at_least_once,
                          .topic = "t",
                          .packet_id = 1,
                          .properties = properties.view(),
                          .payload = bytes_of("x")});
  world.now.wall += Seconds(60);
  world.crash();
  CHECK(world.peer().resume("s", Version::v5).all() ==
        "PUBLISH t q1 id=1 {message-expiry-interval=40} 'x'");
}

TEST_CASE("without persistence nothing is written") {
  World world(quiet());
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  world.peer().join("p").retain("t", "x");
  CHECK_FALSE(world.core().take_batch().has_value());
}

TEST_CASE("what the broker says about itself is not stored") {
  auto config = support::durable();
  config.sys_interval = Seconds(10);
  World world(config);
  world.advance(Seconds(11));
  CHECK(world.core().retained_count() > 10);
  CHECK(world.store.load().retained.empty());
  world.peer().join("a").retain("kept", "value");
  CHECK(world.store.load().retained.size() == 1);
}

TEST_CASE(
    "while nothing can be stored, what would have to be is refused, and the rest goes on "
    "[MQTT3-4.8.0-2]") {
  World world(support::durable());
  world.peer().resume("sleeper").subscribe("kept/#", {.qos = QoS::at_least_once}).disconnect();
  world.peer().resume("member", Version::v5).subscribe("$share/g/given", kQoS1).drop();
  Peer& awake = world.peer().join("awake").subscribe("#", {.qos = QoS::at_least_once});
  Peer& modern = world.peer().join("modern", Version::v5);
  Peer& old = world.peer().join("old");

  world.core().on_store_trouble(true);
  CHECK(modern.publish("kept/a", "1", QoS::at_least_once, 1).all() == "PUBACK 1 97");
  CHECK(modern.publish("kept/a", "2", QoS::exactly_once, 2).all() == "PUBREC 2 97");
  CHECK(modern.publish("given", "x", QoS::at_least_once, 3).all() == "PUBACK 3 97");
  CHECK(awake.all().empty());
  CHECK(modern.publish("other", "3", QoS::at_least_once, 3).all() == "PUBACK 3");
  CHECK(!awake.all().empty());
  CHECK(old.publish("kept/a", "4", QoS::at_least_once, 4).all() == "closed");

  world.core().on_store_trouble(false);
  CHECK(modern.publish("kept/a", "5", QoS::at_least_once, 5).all() == "PUBACK 5");
  CHECK(world.store.load().sessions.at("sleeper").queue.size() == 1);
}

namespace {

/// Of each queue, so many messages are in memory.
broker::Config narrow(std::size_t messages) {
  auto config = support::durable();
  config.queue_window.messages = messages;
  config.max_queued_messages = 0;
  return config;
}

void publish_many(Peer& publisher, int first, int last) {
  for (int i = first; i <= last; ++i) {
    publisher.publish("t", std::to_string(i), QoS::at_least_once, static_cast<std::uint16_t>(i));
  }
}

/// Acknowledges what comes until nothing does. Returns the payloads.
std::string drain(Peer& peer) {
  std::string payloads;
  for (bool has_more = true; has_more;) {
    has_more = false;
    const std::string seen = peer.all();
    for (std::size_t at = seen.find(" id="); at != std::string::npos; at = seen.find(" id=", at)) {
      const auto id = std::stoi(seen.substr(at += 4));
      const auto begin = seen.find('\'', at) + 1;
      const auto end = seen.find('\'', begin);
      payloads += seen.substr(begin, end - begin) + " ";
      at = end;
      peer.puback(static_cast<std::uint16_t>(id));
      has_more = true;
    }
  }
  return payloads;
}

}  // namespace

TEST_CASE("a session that has got all that it was sent holds no memory for it") {
  World world(durable());
  auto& subscriber = world.peer().resume("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  const auto exchange = [&](int count) {
    for (int i = 0; i < count; ++i) {
      publisher.publish("t", "x", QoS::at_least_once, 1).all();
      const auto line = subscriber.next();
      subscriber.puback(static_cast<std::uint16_t>(std::stoi(line.substr(line.find("id=") + 3))));
    }
    world.facts.clear();
    return mallinfo2().uordblks;
  };
  const auto before = exchange(5'000);
  CHECK(exchange(20'000) < before + 100'000);
}

TEST_CASE("a queue longer than its window waits in the store, and is delivered in order") {
  World world(narrow(4));
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  publish_many(publisher, 1, 21);
  CHECK(world.core().stored().count == 21);
  CHECK(world.core().stored().bytes == 9 + 12 * 2);

  SUBCASE("while the broker runs") {
    CHECK(drain(world.peer().resume("s")) ==
          "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 ");
  }
  SUBCASE("after a crash") {
    world.crash();
    CHECK(world.core().stored().count == 21);
    CHECK(drain(world.peer().resume("s")) ==
          "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 ");
  }
  SUBCASE("and what comes meanwhile stays behind it") {
    auto& reader = world.peer().resume("s");
    reader.all();
    auto& late = world.peer().join("late");
    publish_many(late, 22, 24);
    reader.drop();
    CHECK(drain(world.peer().resume("s")) ==
          "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 ");
  }
  CHECK(world.core().stored().count == 0);
  CHECK(world.core().stored().bytes == 0);
  CHECK(world.store.load().sessions.at("s").queue.empty());
  CHECK(world.store.load().messages.empty());
  publish_many(world.peer().join("later"), 30, 31);
  CHECK(drain(world.peer().resume("s")) == "30 31 ");
}

TEST_CASE("while nothing can be stored, what is to be retained at QoS 0 takes no memory") {
  World world(durable());
  auto& subscriber = world.peer().join("s").subscribe("r");
  auto& publisher = world.peer().join("p");
  world.is_storing = false;
  world.core().on_store_trouble(true);
  const auto before = world.core().unstored_bytes();
  publisher.retain("r", "x").retain("r", "y");
  CHECK(world.core().unstored_bytes() == before);
  CHECK(subscriber.all() == "PUBLISH r q0 'x'; PUBLISH r q0 'y'");
  CHECK(world.core().retained_count() == 0);
  const auto kind = static_cast<std::size_t>(broker::Drop::unstorable);
  CHECK(world.core().stats().drops[kind] == 2);
}

TEST_CASE("who is not read because the store is behind is not taken for silent") {
  World world(durable());
  auto& core = world.core();
  std::vector<Byte> said;
  wire::encode(wire::Connect{.keep_alive = 10, .client_id = "s"}, Version::v311, said);
  Seconds patience{15};
  SUBCASE("between two packets") {}
  SUBCASE("within a packet") {
    said.push_back(0x30);
    patience = broker::Config().packet_timeout;
  }
  SUBCASE("before its first packet is whole") {
    said.resize(5);
    patience = broker::Config().connect_timeout;
  }
  const auto id = core.on_open(0, world.now);
  core.on_bytes(id, said, world.now);
  for (const Seconds duration : {patience - Seconds(1), Seconds(1000)}) {
    core.hold_back(id, true, world.now);
    world.advance(duration);
    core.hold_back(id, false, world.now);
    world.advance(Seconds(2));
    CHECK(core.connection_count() == 1);
  }
  world.advance(patience);
  CHECK(core.connection_count() == 0);
}

TEST_CASE("a filter that is twice in a SUBSCRIBE is not owed retained messages for ever") {
  World world(durable());
  world.peer().join("p").send(wire::Publish{.qos = QoS::at_least_once,
                                            .retain = true,
                                            .topic = "r",
                                            .packet_id = 1,
                                            .payload = bytes_of("x")});
  auto& peer = world.peer().resume("s");
  peer.send(wire::Subscribe{1, {}, {{"r", {}}, {"r", {}}}});
  CHECK(peer.all() == "PUBLISH r q0 retain 'x'; SUBACK 1 00 00");
  world.crash();
  CHECK(world.peer().resume("s").all() == "");
}

TEST_CASE("retained messages that an acknowledged SUBSCRIBE is owed come after a crash, too") {
  World world(durable());
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 0; i < 6; ++i) {
    publisher.send(wire::Publish{.qos = QoS::at_least_once,
                                 .retain = true,
                                 .topic = "r/" + std::to_string(i),
                                 .packet_id = static_cast<std::uint16_t>(i + 1),
                                 .payload = bytes_of("x")});
  }
  wire::PropertyList properties;
  properties.add(wire::PropertyId::session_expiry_interval, 3600U);
  properties.add(wire::PropertyId::receive_maximum, 2U);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.clean_start = false;
  connect.client_id = "s";
  connect.properties = properties.view();
  auto& peer = world.peer().connect(connect);
  peer.subscribe("r/#", kQoS1, 5);
  const auto take_all = [&](Peer& reader) {
    std::string got;
    for (auto line = reader.next(); !line.empty(); line = reader.next()) {
      if (!line.starts_with("PUBLISH r/")) continue;
      got += line[10];
      if (!line.contains("retain") || !line.contains("subscription-identifier=5")) got += '!';
      const auto id = line.find("id=");
      if (id != std::string::npos) {
        reader.puback(static_cast<std::uint16_t>(std::stoi(line.substr(id + 3))));
      }
    }
    return got;
  };
  SUBCASE("in the middle of it") {
    world.crash();
    const auto got = take_all(world.peer().connect(connect));
    for (const char c : std::string("012345")) CHECK(got.contains(c));
    CHECK_FALSE(got.contains('!'));
    SUBCASE("and only until it has them") {
      world.crash();
      CHECK(take_all(world.peer().connect(connect)).empty());
    }
  }
  SUBCASE("not once it has them") {
    CHECK(take_all(peer) == "012345");
    world.crash();
    CHECK(take_all(world.peer().connect(connect)).empty());
  }
  SUBCASE("also if it subscribes again and wants none") {
    peer.send(wire::Subscribe{
        9,
        {},
        {{"r/#",
          {.qos = QoS::at_least_once, .retain_handling = wire::RetainHandling::do_not_send}}}});
    world.crash();
    const auto got = take_all(world.peer().connect(connect));
    for (const char c : std::string("012345")) CHECK(got.contains(c));
  }
  SUBCASE("not if it unsubscribes") {
    peer.send(wire::Unsubscribe{9, {}, {"r/#"}});
    world.crash();
    CHECK(take_all(world.peer().connect(connect)) == "01");
  }
}

TEST_CASE("what waits in the store only outlives a CONNECT that wants the session no longer") {
  World world(narrow(2));
  world.peer().resume("s", Version::v5).subscribe("t", kQoS1).drop();
  publish_many(world.peer().join("p"), 1, 6);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "s";
  connect.clean_start = false;
  auto& last = world.peer().connect(connect);  // without a session expiry interval
  CHECK(drain(last) == "1 2 3 4 5 6 ");
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::unreadable)] == 0);
  last.drop();
  CHECK(world.store.load().sessions.empty());
}

TEST_CASE("what makes no sense in the file is lost and counted, and the rest is there") {
  storage::Snapshot stored;
  const std::vector<Byte> nonsense(3, Byte{0xFF});
  const auto body = [](std::string topic, std::vector<Byte> properties, std::uint8_t qos) {
    return storage::Body{
        .topic = std::move(topic), .properties = std::move(properties), .payload = {}, .qos = qos};
  };
  stored.messages[1] = body("t", nonsense, 1);
  stored.messages[2] = body("t", {}, 9);
  stored.messages[3] = body("t/#", {}, 1);
  stored.messages[4] = body("t", {}, 1);
  stored.last_message = 4;
  stored.retained["r"] = {1, storage::kDoesNotExpire, {}};
  auto& session = stored.sessions["s"];
  session.expiry_interval = UINT32_MAX;
  session.asleep_since = WallTime(Seconds(1));
  for (std::uint64_t i = 1; i <= 4; ++i) session.queue[i] = {i, 1, 0, 0};
  session.queue[5] = {4, 3, 0, 0};
  session.will = storage::Will{.topic = "w", .properties = nonsense, .payload = {}};
  const Now now{Instant(Seconds(1)), WallTime(Seconds(1))};
  broker::Core core(durable(), now, stored);
  CHECK(core.stats().drops[static_cast<std::size_t>(broker::Drop::unreadable)] == 4);
  CHECK(core.stored().count == 2);  // one that waits, and the stub of what is retained
  core.shut_down(now);
}

TEST_CASE("numbers go on behind what has expired in a crash") {
  World world(durable());
  auto& peer = world.peer().resume("s", Version::v5).subscribe("t", kQoS1).subscribe("w", kQoS1);
  auto& p = world.peer().join("p", Version::v5);
  wire::PropertyList soon;
  soon.add(wire::PropertyId::message_expiry_interval, 5U);
  const auto publish = [&](Peer& from, std::uint16_t id) {
    from.send(wire::Publish{.qos = QoS::at_least_once,
                            .topic = "t",
                            .packet_id = id,
                            .properties = soon.view(),
                            .payload = bytes_of("x")});
  };
  SUBCASE("what was never sent is not taken for sent [MQTT-3.3.2-5] [MQTT-3.3.1-3]") {
    for (std::uint16_t i = 1; i <= 3; ++i) publish(p, i);
    peer.all();
    peer.puback(1).puback(2).puback(3).drop();
    publish(p, 4);
    world.advance(Seconds(60));
    world.crash();
    publish(world.peer().join("q", Version::v5), 1);
    world.advance(Seconds(60));
    world.crash();
    CHECK(world.peer().resume("s", Version::v5).all() == "");
  }
  SUBCASE("no batch drops a number and puts it") {
    peer.drop();
    publish(p, 1);
    wire::PropertyList kept;
    kept.add(wire::PropertyId::session_expiry_interval, 3600U);
    wire::Connect connect;
    connect.version = Version::v5;
    connect.client_id = "c";
    connect.clean_start = false;
    connect.will = wire::Will{.topic = "w",
                              .payload = bytes_of("gone"),
                              .qos = QoS::at_least_once,
                              .retain = false,
                              .properties = {}};
    connect.properties = kept.view();
    world.peer().connect(connect);
    world.advance(Seconds(60));
    world.crash();
    CHECK(world.store.load().sessions.at("s").queue.begin()->first == 2);
  }
}

TEST_CASE("a SUBSCRIBE in the middle of a feed is what a crash leaves") {
  World world(durable());
  auto& p = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 2; ++i) {
    p.send(wire::Publish{.qos = QoS::at_least_once,
                         .retain = true,
                         .topic = "r/" + std::to_string(i),
                         .packet_id = i,
                         .properties = {},
                         .payload = bytes_of("x")});
  }
  wire::PropertyList properties;
  properties.add(wire::PropertyId::session_expiry_interval, 3600U);
  properties.add(wire::PropertyId::receive_maximum, 1U);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.clean_start = false;
  connect.client_id = "s";
  connect.properties = properties.view();
  auto& s = world.peer().connect(connect);
  s.subscribe("r/#", kQoS1);
  s.subscribe("r/#",
              {.qos = QoS::exactly_once, .retain_handling = wire::RetainHandling::send_if_new});
  s.puback(1).puback(2);
  world.crash();
  REQUIRE(world.core().subscriptions().size() == 1);
  CHECK(world.core().subscriptions()[0].qos == QoS::exactly_once);
}

TEST_CASE("answers that wait for the store are owed") {
  World world(durable());
  world.is_storing = false;
  const auto id = world.core().on_open(0, world.now);
  std::vector<Byte> bytes;
  wire::Connect connect;
  connect.client_id = "s";
  connect.clean_start = false;
  wire::encode(connect, Version::v311, bytes);
  for (int i = 0; i < 1000; ++i) wire::encode(wire::Pingreq{}, Version::v311, bytes);
  world.core().on_bytes(id, bytes, world.now);
  CHECK(world.core().owed_bytes(id) > 1000 * sizeof(broker::Held));
  world.is_storing = true;
  world.settle();
  CHECK(world.core().owed_bytes(id) == 4 + 1000 * 2);
}

TEST_CASE("PUBACK of clearing what is cleared already waits for that, too") {
  World world(durable());
  auto& p = world.peer().join("p").retain("t", "v");
  auto& q = world.peer().join("q");
  world.is_storing = false;
  p.retain("t", "");
  q.send(wire::Publish{.qos = QoS::at_least_once,
                       .retain = true,
                       .topic = "t",
                       .packet_id = 1,
                       .properties = {},
                       .payload = {}});
  CHECK(q.all() == "");
  world.is_storing = true;
  world.settle();
  CHECK(q.all() == "PUBACK 1");
}

TEST_CASE("a delayed will of a stored session waits through a shutdown [MQTT-3.1.2-8]") {
  World world(durable());
  auto& watcher = world.peer().join("w").subscribe("wills/#");
  wire::PropertyList kept;
  wire::PropertyList delay;
  kept.add(wire::PropertyId::session_expiry_interval, 100U);
  delay.add(wire::PropertyId::will_delay_interval, 50U);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "a";
  connect.clean_start = false;
  connect.properties = kept.view();
  connect.will = wire::Will{.topic = "wills/a",
                            .payload = bytes_of("gone"),
                            .qos = QoS::at_most_once,
                            .retain = false,
                            .properties = delay.view()};
  world.peer().connect(connect);
  world.core().shut_down(world.now);
  world.settle();
  CHECK(watcher.all() == "closed");
  world.crash();  // it comes up again
  auto& again = world.peer().join("w2").subscribe("wills/#");
  world.advance(Seconds(60));
  CHECK(again.all() == "PUBLISH wills/a q0 'gone'");
}

TEST_CASE("a session is awake once its CONNACK has left, whatever still waits behind it") {
  World world(durable());
  world.peer().resume("s").subscribe("t").drop();
  auto& other = world.peer().join("o");
  world.is_storing = false;
  wire::Connect connect;
  connect.client_id = "s";
  connect.clean_start = false;
  auto& s = world.peer().connect(connect);  // its first batch
  s.send(wire::Publish{.qos = QoS::at_least_once,
                       .retain = true,
                       .topic = "r",
                       .packet_id = 1,
                       .properties = {},
                       .payload = bytes_of("x")});  // its second
  world.store.commit();
  world.core().on_stored(world.store.stored(), world.now);
  world.settle();
  other.publish("t", "x");
  CHECK(s.all() == "CONNACK 00 present; PUBLISH t q0 'x'");
}

TEST_CASE("after a crash, too, what came through a share goes to another when its session ends") {
  World world(durable());
  auto& a = world.peer().resume("a", Version::v5).subscribe("$share/g/t", kQoS1, 4);
  a.drop();
  world.peer().join("p").publish("t", "x", QoS::at_least_once, 1);
  world.crash();
  world.peer().resume("b", Version::v5).subscribe("$share/g/t", kQoS1, 5).drop();
  SUBCASE("or to itself") {
    CHECK(world.peer().resume("a", Version::v5).all() ==
          "PUBLISH t q1 id=1 {subscription-identifier=4} 'x'");
  }
  SUBCASE("to b") {
    world.peer().join("a", Version::v5).disconnect();
    CHECK(world.peer().resume("b", Version::v5).all() ==
          "PUBLISH t q1 id=1 {subscription-identifier=5} 'x'");
  }
}

TEST_CASE("what was retained, and is no longer, goes to another member of a share whole") {
  World world(durable());
  auto& a = world.peer().join("a", Version::v5).subscribe("$share/g/t", kQoS1);
  world.peer().resume("b", Version::v5).subscribe("$share/g/t", kQoS1).drop();
  wire::Publish publish{.qos = QoS::at_least_once,
                        .retain = true,
                        .topic = "t",
                        .packet_id = 1,
                        .payload = bytes_of("x")};
  auto& p = world.peer().join("p").send(publish);
  publish.packet_id = 2;
  publish.payload = {};
  CHECK(p.send(publish).all() == "PUBACK 1; PUBACK 2");
  REQUIRE(a.all() == "PUBLISH t q1 id=1 'x'; PUBLISH t q1 id=2 ''");
  a.drop();
  world.crash();
  CHECK(world.peer().resume("b", Version::v5).all() ==
        "PUBLISH t q1 id=1 'x'; PUBLISH t q1 id=2 ''");
}

TEST_CASE("what waits for a share in the store only goes to others when its session ends") {
  World world(narrow(2));
  const auto left_behind = [&world] {
    return world.core().stats().drops[static_cast<std::size_t>(broker::Drop::left_behind)];
  };
  auto& a =
      world.peer().resume("a", Version::v5).subscribe("$share/g/t", kQoS1).subscribe("u", kQoS1);
  a.drop();
  auto& p = world.peer().join("p");
  publish_many(p, 1, 4);
  p.publish("u", "not shared", QoS::at_least_once, 99);
  publish_many(p, 5, 9);
  auto& b = world.peer().resume("b").subscribe("$share/g/t", kQoS1);
  SUBCASE("in order") {
    world.advance(Seconds(3600));
    CHECK(drain(b) == "1 2 3 4 5 6 7 8 9 ");
    CHECK(left_behind() == 0);
    CHECK(world.core().session_count() == 2);
    CHECK(world.store.load().sessions.size() == 1);
  }
  SUBCASE("after a crash, too") {
    b.drop();
    world.crash();
    world.advance(Seconds(3600));
    CHECK(drain(world.peer().resume("b")) == "1 2 3 4 5 6 7 8 9 ");
  }
  SUBCASE("a crash while it goes on loses nothing") {
    b.drop();
    world.is_storing = false;
    world.advance(Seconds(3600));
    world.crash();
    world.is_storing = true;
    world.settle();
    world.advance(Seconds(3600));
    auto& reader = world.peer().resume("b");
    CHECK(drain(reader) == "1 2 3 4 5 6 7 8 9 ");
  }
  SUBCASE("unless it begins anew at once: then what is lost is counted") {
    world.peer().join("a").disconnect();
    CHECK(drain(b) == "1 2 ");
    CHECK(left_behind() == 8);
  }
  CHECK(world.core().stored().count == 0);
  CHECK(world.store.load().messages.empty());
}

TEST_CASE("what no member of a share takes is told, also when the broker ends") {
  World world(narrow(2));
  world.peer().resume("a", Version::v5).subscribe("$share/g/t", kQoS1).drop();
  world.peer().resume("b").subscribe("$share/g/t").drop();  // at QoS 0: nothing waits for it
  publish_many(world.peer().join("p"), 1, 20);
  world.is_storing = false;
  world.advance(Seconds(3600));
  world.core().shut_down(world.now);
  CHECK(dropped_of(world.core().take_facts()) == 2);  // which were in memory
  world.store.answer_loads();
  const auto pages = world.store.take_pages();
  REQUIRE(pages.size() == 1);
  world.core().on_loaded(pages[0], world.now);
  CHECK(dropped_of(world.core().take_facts()) == pages[0].entries.size());
  CHECK_FALSE(pages[0].entries.empty());
}

TEST_CASE("queue_window_bytes counts payloads, and one message is always let through") {
  auto config = narrow(1000);
  config.queue_window.bytes = 3;
  World world(config);
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 5; ++i) publisher.publish("t", "four", QoS::at_least_once, i);
  world.crash();
  CHECK(world.store.load(config.budget()).sessions.at("s").tail.count == 4);
  CHECK(drain(world.peer().resume("s")) == "four four four four four ");
}

TEST_CASE("max_queued_messages counts what is in the store only") {
  auto config = narrow(2);
  config.max_queued_messages = 5;
  World world(config);
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  publish_many(world.peer().join("p"), 1, 8);
  CHECK(drain(world.peer().resume("s")) == "1 2 3 4 5 ");
}

TEST_CASE("a queue that ends while a part of it is read leaves nothing to the next of its name") {
  World world(narrow(2));
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  publish_many(world.peer().join("p"), 1, 9);
  world.is_storing = false;
  auto& reader = world.peer().resume("s");
  reader.puback(1);
  reader.puback(2);
  world.peer().join("s").disconnect();
  auto& next = world.peer().resume("s").subscribe("t", kQoS1);
  world.is_storing = true;
  world.settle();
  CHECK(drain(next) == "");
  CHECK(world.core().stored().count == 0);
}

TEST_CASE("messages at QoS 2 come once from a queue in the store, also across a crash") {
  World world(narrow(2));
  world.peer().resume("s").subscribe("t", kQoS2).drop();
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 6; ++i) {
    publisher.publish("t", std::to_string(i), QoS::exactly_once, i);
    publisher.send(wire::Pubrel{i, {}, {}});
  }
  world.crash();
  std::string seen;
  auto& reader = world.peer().resume("s");
  for (std::uint16_t i = 1; i <= 6; ++i) {
    seen += reader.all() + "; ";
    reader.send(wire::Pubrec{i, {}, {}});
    reader.send(wire::Pubcomp{i, {}, {}});
  }
  for (char digit = '1'; digit <= '6'; ++digit) {
    const std::string payload = {'\'', digit, '\''};
    const auto at = seen.find(payload);
    CHECK(at != std::string::npos);
    CHECK(seen.find(payload, at + 1) == std::string::npos);
  }
  CHECK(world.store.load().messages.empty());
}

TEST_CASE("what expires while it waits in the store is dropped and counted") {
  World world(narrow(1));
  world.peer().resume("s", Version::v5).subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p", Version::v5);
  wire::PropertyList properties;
  properties.add(wire::PropertyId::message_expiry_interval, 10U);
  for (std::uint16_t i = 1; i <= 3; ++i) {
    publisher.send(wire::Publish{.qos = QoS::at_least_once,
                                 .topic = "t",
                                 .packet_id = i,
                                 .properties = properties.view(),
                                 .payload = bytes_of("x")});
  }
  publisher.publish("t", "stays", QoS::at_least_once, 9);
  world.advance(Seconds(20));
  CHECK(drain(world.peer().resume("s", Version::v5)) == "stays ");
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::expired)] == 3);
}

TEST_CASE("retained messages above the limit are in the store only, and come as if they were not") {
  auto config = support::durable();
  config.retained_memory_limit = 3;
  World world(config);
  auto& publisher = world.peer().join("p");
  publisher.retain("a", "one").retain("b", "two").retain("c", "three").retain("d", "four");
  CHECK(world.core().stored().count == 4);
  CHECK(world.core().stored().bytes == 3);
  const std::string all =
      "PUBLISH a q0 retain 'one'; PUBLISH b q0 retain 'two'; PUBLISH c q0 retain 'three'; PUBLISH "
      "d q0 retain 'four'";

  SUBCASE("at once") {
    CHECK(world.peer().join("s").subscribe("#").all() == all);
  }
  SUBCASE("after a crash") {
    world.crash();
    CHECK(world.core().stored().bytes == 3);
    CHECK(world.peer().join("s").subscribe("#").all() == all);
  }
  SUBCASE("also when they change while they are read") {
    world.is_storing = false;
    auto& reader = world.peer().join("s").subscribe("#");
    CHECK(reader.all() == "PUBLISH a q0 retain 'one'");
    publisher.retain("c", "3").retain("b", "");
    CHECK(reader.all() == "PUBLISH c q0 '3'; PUBLISH b q0 ''; PUBLISH c q0 retain '3'");
    world.is_storing = true;
    world.settle();
    CHECK(reader.all() == "PUBLISH d q0 retain 'four'");
  }
  SUBCASE("and one that the store has lost is dropped and counted") {
    world.store.submit({.ticket = 1000, .changes = {storage::DropRetained{"c"}}});
    world.store.commit();
    CHECK(world.peer().join("s").subscribe("#").all() ==
          "PUBLISH a q0 retain 'one'; PUBLISH b q0 retain 'two'; PUBLISH d q0 retain 'four'");
    CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::unreadable)] == 1);
    CHECK(world.core().retained_count() == 3);
  }
  SUBCASE("clearing and replacing them leaves nothing behind") {
    publisher.retain("a", "").retain("b", "").retain("c", "").retain("d", "2");
    CHECK(world.core().stored().count == 1);
    CHECK(world.core().stored().bytes == 1);
    CHECK(world.store.load().messages.size() == 1);
  }
}

TEST_CASE("a retained message above the limit stays in memory until it is stored") {
  auto config = support::durable();
  config.retained_memory_limit = 0;
  World world(config);
  auto& publisher = world.peer().join("p");
  world.is_storing = false;
  const auto store_one = [&world] {
    world.store.commit();
    world.core().on_stored(world.store.stored(), world.now);
    world.settle();
  };
  SUBCASE("whatever is") {
    world.peer().resume("other");
    publisher.retain("t", "x");
    store_one();
    CHECK(world.core().stored().bytes == 1);
    CHECK(world.peer().join("s").subscribe("t").all() == "PUBLISH t q0 retain 'x'");
  }
  SUBCASE("also when the one before it is") {
    publisher.retain("t", "x").retain("t", "y");
    store_one();
    CHECK(world.core().stored().bytes == 1);
    CHECK(world.peer().join("s").subscribe("t").all() == "PUBLISH t q0 retain 'y'");
  }
}

TEST_CASE("retain_expiry_interval finds what has expired in the store only, too") {
  auto config = support::durable();
  config.retained_memory_limit = 0;
  config.retain_expiry_interval = Seconds(600);
  World world(config);
  wire::PropertyList properties;
  properties.add(wire::PropertyId::message_expiry_interval, 100U);
  world.peer()
      .join("p", wire::Version::v5)
      .send(wire::Publish{.retain = true,
                          .topic = "short",
                          .properties = properties.view(),
                          .payload = bytes_of("x")})
      .retain("long", "x");
  CHECK(world.core().stored().bytes == 0);
  SUBCASE("before a restart") {}
  SUBCASE("after it") {
    world.crash();
  }
  world.advance(Seconds(599));
  CHECK(world.core().retained_count() == 2);
  world.advance(Seconds(2));
  CHECK(world.core().retained_count() == 1);
  CHECK(world.store.load().retained.size() == 1);
}

TEST_CASE(
    "a retained message whose body is lost stays in the store, for who saves what can be read") {
  auto config = support::durable();
  config.retained_memory_limit = 0;
  World world(config);
  world.peer().join("p").retain("a", "one").retain("b", "two").retain("c", "three");
  auto damaged = world.store.load();
  damaged.messages.erase(damaged.retained.at("b").message);
  world.store = storage::Memory::holding(damaged);
  world.crash();
  CHECK(world.peer().join("s").subscribe("#").all() ==
        "PUBLISH a q0 retain 'one'; PUBLISH c q0 retain 'three'");
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::unreadable)] == 1);
  CHECK(world.core().retained_count() == 2);
  CHECK(world.store.load().retained.size() == 3);
}

TEST_CASE("what is stored while the store has lost what was before it is not lost, too") {
  World world(narrow(2));
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  publish_many(publisher, 1, 6);
  auto damaged = world.store.load();
  auto& queue = damaged.sessions.at("s").queue;
  queue.erase(std::next(queue.begin(), 2), queue.end());
  world.store = storage::Memory::holding(damaged);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "s";
  connect.clean_start = false;
  wire::PropertyList properties;
  properties.add(wire::PropertyId::receive_maximum, 1U);
  connect.properties = properties.view();
  auto& peer = world.peer().connect(connect);
  world.is_storing = false;
  publish_many(publisher, 7, 7);
  peer.puback(1);  // and what is behind it is asked for
  world.is_storing = true;
  world.settle();
  CHECK(drain(peer) == "1 2 7 ");
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::unreadable)] == 4);
  CHECK(world.core().stored().count == 0);
}

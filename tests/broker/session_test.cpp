#include <doctest/doctest.h>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using wire::Connect;
using wire::PropertyId;
using wire::PropertyList;
using wire::QoS;
using wire::SubscriptionOptions;
using wire::Version;

namespace {

constexpr SubscriptionOptions kQoS1{.qos = QoS::at_least_once};

Connect kept(std::string_view id) {
  Connect connect;
  connect.client_id = id;
  connect.clean_start = false;
  return connect;
}

/// A v5 CONNECT that asks for `expiry` seconds and carries a will, delayed by `delay` seconds.
struct V5 {
  V5(std::string_view id, std::uint32_t expiry) {
    connect.version = Version::v5;
    connect.client_id = id;
    connect.clean_start = false;
    properties.add(PropertyId::session_expiry_interval, expiry);
    connect.properties = properties.view();
  }
  V5& will(std::string_view topic, std::uint32_t delay = 0) {
    if (delay > 0) will_properties.add(PropertyId::will_delay_interval, delay);
    connect.will = wire::Will{.topic = topic,
                              .payload = bytes_of("gone"),
                              .qos = QoS::at_most_once,
                              .retain = false,
                              .properties = will_properties.view()};
    return *this;
  }
  Connect connect;
  PropertyList properties;
  PropertyList will_properties;
};

std::string first_word_pair(std::string text) {
  return text.substr(0, text.find(" {"));
}

}  // namespace

TEST_CASE(
    "a kept session keeps subscriptions and QoS 1 messages [MQTT-3.1.2-5] [MQTT-3.2.2-3] "
    "[MQTT-4.5.0-1] [MQTT3-3.1.2-5]") {
  World world(quiet());
  auto& peer = world.peer().connect(kept("james bond"));
  CHECK(peer.all() == "CONNACK 00");
  peer.subscribe("test/#", kQoS1).disconnect();
  auto& publisher = world.peer().join("p");
  publisher.publish("test/topic", "wowie", QoS::at_least_once, 1).publish("test/topic", "zowie");
  CHECK(world.peer().connect(kept("james bond")).all() ==
        "CONNACK 00 present; PUBLISH test/topic q1 id=1 'wowie'");
}

TEST_CASE(
    "a clean session forgets, before and after [MQTT-3.1.2-4] [MQTT-3.1.4-4] [MQTT-3.2.2-2]") {
  World world(quiet());
  world.peer().resume("s").subscribe("t", kQoS1).disconnect();
  CHECK(world.core().session_count() == 1);
  Connect clean;
  clean.client_id = "s";
  auto& peer = world.peer().connect(clean);
  CHECK(peer.all() == "CONNACK 00");
  CHECK(world.core().subscription_count() == 0);
  peer.subscribe("t", kQoS1).disconnect();
  CHECK(world.core().session_count() == 0);
  CHECK(world.core().subscription_count() == 0);
}

TEST_CASE(
    "in v5 clean start forgets what was before, and the expiry interval keeps what comes "
    "[MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.4-4] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT-4.5.0-1]") {
  World world(quiet());
  V5 clean("s", 60);
  clean.connect.clean_start = true;
  auto& first = world.peer().connect(clean.connect);
  CHECK(first_word_pair(first.next()) == "CONNACK 00");
  first.subscribe("t", kQoS1).drop();
  world.peer().join("p", Version::v5).publish("t", "x", QoS::at_least_once, 1);
  auto& second = world.peer().connect(V5("s", 60).connect);
  CHECK(first_word_pair(second.next()) == "CONNACK 00 present");
  CHECK(second.all() == "PUBLISH t q1 id=1 'x'");
  CHECK(first_word_pair(world.peer().connect(clean.connect).all()) == "CONNACK 00");
  CHECK(world.core().subscription_count() == 0);
}

TEST_CASE("MQTT 3.1 has no session present flag") {
  World world(quiet());
  world.peer().resume("s", Version::v31).drop();
  auto connect = kept("s");
  connect.version = Version::v31;
  CHECK(world.peer().connect(connect).all() == "CONNACK 00");
}

TEST_CASE("a v5 session ends when its expiry interval has passed [MQTT-3.1.2-23] [MQTT-4.1.0-2]") {
  World world(quiet());
  world.peer().connect(V5("s", 60).connect).drop();
  world.advance(Seconds(59));
  auto& again = world.peer().connect(V5("s", 60).connect);
  CHECK(first_word_pair(again.all()) == "CONNACK 00 present");
  again.drop();
  world.advance(Seconds(61));
  CHECK(world.core().session_count() == 0);
  CHECK(first_word_pair(world.peer().connect(V5("s", 0).connect).all()) == "CONNACK 00");
}

TEST_CASE("an expiry interval of 0 ends the session with the connection, 0xFFFFFFFF never") {
  World world(quiet());
  world.peer().connect(V5("brief", 0).connect).drop();
  world.peer().connect(V5("eternal", UINT32_MAX).connect).drop();
  CHECK(world.core().session_count() == 1);
  world.advance(std::chrono::hours(24 * 400));
  CHECK(world.core().session_count() == 1);
}

TEST_CASE(
    "DISCONNECT may change the expiry interval, but not make a session last that was not to") {
  World world(quiet());
  const auto leave = [](Peer& peer, std::uint32_t expiry) {
    PropertyList properties;
    properties.add(PropertyId::session_expiry_interval, expiry);
    peer.send(wire::Disconnect{{}, properties.view()});
  };
  auto& shortened = world.peer().connect(V5("a", 1000).connect);
  leave(shortened, 10);
  world.advance(Seconds(11));
  CHECK(world.core().session_count() == 0);
  auto& extended = world.peer().connect(V5("b", 0).connect);
  extended.all();
  leave(extended, 10);
  CHECK(extended.all() == "DISCONNECT 82; closed");
}

TEST_CASE("persistent_client_expiration ends sessions that would stay for ever") {
  auto config = quiet();
  config.persistent_client_expiration = std::chrono::hours(24);
  World world(config);
  world.peer().connect(kept("a")).drop();
  world.peer().connect(V5("b", UINT32_MAX).connect).drop();
  world.advance(std::chrono::hours(23));
  CHECK(world.core().session_count() == 2);
  world.advance(std::chrono::hours(2));
  CHECK(world.core().session_count() == 0);
  CHECK(world.core().stats().expired_sessions == 2);
}

TEST_CASE("a sleeper's queue is bounded, newest messages are dropped and counted") {
  auto config = quiet();
  config.max_queued_messages = 3;
  World world(config);
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 5; ++i) {
    CHECK(publisher.publish("t", std::to_string(i), QoS::at_least_once, i).all() ==
          "PUBACK " + std::to_string(i));
  }
  CHECK(world.peer().resume("s").all() ==
        "PUBLISH t q1 id=1 '1'; PUBLISH t q1 id=2 '2'; PUBLISH t q1 id=3 '3'");
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::queue_full)] == 2);
}

TEST_CASE("max_queued_bytes bounds a queue by its payloads") {
  auto config = quiet();
  config.max_queued_bytes = 10;
  World world(config);
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 3; ++i) publisher.publish("t", "1234", QoS::at_least_once, i);
  CHECK(world.peer().resume("s").all() == "PUBLISH t q1 id=1 '1234'; PUBLISH t q1 id=2 '1234'");
}

TEST_CASE("queue_qos0_messages keeps QoS 0 messages for sleepers too") {
  auto config = quiet();
  config.queue_qos0_messages = true;
  World world(config);
  world.peer().resume("s").subscribe("t").drop();
  world.peer().join("p").publish("t", "x");
  auto& again = world.peer().resume("s");
  CHECK(again.all() == "PUBLISH t q0 'x'");
  again.drop();
  CHECK(world.peer().resume("s").all() == "");
}

TEST_CASE("queue_qos0_messages keeps QoS 0 messages for a share whose members sleep") {
  auto config = quiet();
  config.queue_qos0_messages = true;
  World world(config);
  auto& sleeper =
      world.peer().resume("s", Version::v5).subscribe("$share/g/t", {.qos = QoS::at_least_once});
  sleeper.drop();
  auto& publisher = world.peer().join("p").publish("t", "1");
  SUBCASE("until one is back") {
    CHECK(world.peer().resume("s", Version::v5).all() == "PUBLISH t q0 '1'");
  }
  SUBCASE("and gives them to one who is awake first") {
    auto& member = world.peer().join("m", Version::v5).subscribe("$share/g/t");
    publisher.publish("t", "2").publish("t", "3");
    CHECK(member.all() == "PUBLISH t q0 '2'; PUBLISH t q0 '3'");
  }
}

TEST_CASE(
    "a will is published when the connection breaks, not when the client says goodbye "
    "[MQTT-3.1.2-8] [MQTT-3.14.4-3]") {
  World world(quiet());
  auto& watcher = world.peer().join("w").subscribe("wills/#");
  Connect connect;
  connect.client_id = "a";
  connect.will = wire::Will{.topic = "wills/a",
                            .payload = bytes_of("gone"),
                            .qos = QoS::at_most_once,
                            .retain = true,
                            .properties = {}};
  world.peer().connect(connect).drop();
  CHECK(watcher.all() == "PUBLISH wills/a q0 'gone'");
  CHECK(world.peer().join("late").subscribe("#").all() == "PUBLISH wills/a q0 retain 'gone'");
  world.peer().connect(connect).disconnect();
  CHECK(watcher.all() == "");
}

TEST_CASE("a goodbye takes a delayed will back, too [MQTT-3.1.2-8] [MQTT-3.14.4-3]") {
  World world(quiet());
  auto& watcher = world.peer().join("w").subscribe("wills/#");
  world.peer().connect(V5("a", 100).will("wills/a", 10).connect).disconnect();
  world.advance(Seconds(200));
  CHECK(watcher.all() == "");
}

TEST_CASE("a will is published after a protocol error, a keep-alive timeout and a takeover") {
  World world(quiet());
  auto& watcher = world.peer().join("w").subscribe("wills/#");
  Connect connect;
  connect.client_id = "a";
  connect.keep_alive = 10;
  connect.will = wire::Will{.topic = "wills/a",
                            .payload = bytes_of("gone"),
                            .qos = QoS::at_most_once,
                            .retain = false,
                            .properties = {}};
  world.peer().connect(connect).send(wire::Pingresp{});
  CHECK(watcher.all() == "PUBLISH wills/a q0 'gone'");
  world.peer().connect(connect);
  world.advance(Seconds(16));
  CHECK(watcher.all() == "PUBLISH wills/a q0 'gone'");
  world.peer().connect(connect);
  world.peer().connect(connect);
  CHECK(watcher.all() == "PUBLISH wills/a q0 'gone'");
}

TEST_CASE("DISCONNECT with 0x04 publishes the will") {
  World world(quiet());
  auto& watcher = world.peer().join("w").subscribe("wills/#");
  auto& peer = world.peer().connect(V5("a", 0).will("wills/a").connect);
  peer.send(wire::Disconnect{wire::ReasonCode::disconnect_with_will, {}});
  CHECK(watcher.all() == "PUBLISH wills/a q0 'gone'");
}

TEST_CASE("a delayed will comes after its delay, never before it [MQTT-3.1.2-8]") {
  World world(quiet());
  auto& watcher = world.peer().join("w").subscribe("wills/#");
  world.peer().connect(V5("a", 100).will("wills/a", 10).connect).drop();
  world.advance(Millis(9'999));
  CHECK(watcher.all() == "");
  world.advance(Millis(251));
  CHECK(watcher.all() == "PUBLISH wills/a q0 'gone'");
  world.advance(Seconds(200));
  CHECK(watcher.all() == "");
}

TEST_CASE("a client that is back in time keeps its will to itself [MQTT-3.1.2-8] [MQTT-3.1.3-9]") {
  World world(quiet());
  auto& watcher = world.peer().join("w").subscribe("wills/#");
  world.peer().connect(V5("a", 100).will("wills/a", 10).connect).drop();
  world.advance(Seconds(5));
  world.peer().connect(V5("a", 100).connect);
  world.advance(Seconds(60));
  CHECK(watcher.all() == "");
}

TEST_CASE("a delayed will is due at the latest when the session ends [MQTT-3.1.2-8]") {
  World world(quiet());
  auto& watcher = world.peer().join("w").subscribe("wills/#");
  world.peer().connect(V5("a", 5).will("wills/a", 1000).connect).drop();
  world.advance(Seconds(6));
  CHECK(watcher.all() == "PUBLISH wills/a q0 'gone'");
  world.peer().connect(V5("b", 100).will("wills/b", 50).connect).drop();
  auto anew = V5("b", 100);
  anew.connect.clean_start = true;
  world.peer().connect(anew.connect);
  CHECK(watcher.all() == "PUBLISH wills/b q0 'gone'");
}

TEST_CASE("a broker that shuts down publishes all wills") {
  World world(quiet());
  auto& watcher = world.peer().join("w").subscribe("wills/#");
  world.peer().connect(V5("a", 100).will("wills/a", 50).connect);
  world.peer().connect(V5("b", 100).will("wills/b", 50).connect).drop();
  world.core().shut_down(world.now);
  world.settle();
  CHECK(watcher.all() == "PUBLISH wills/a q0 'gone'; PUBLISH wills/b q0 'gone'; closed");
}

TEST_CASE("a will keeps its properties") {
  World world(quiet());
  auto& watcher = world.peer().join("w", Version::v5).subscribe("wills/#");
  V5 v5("a", 0);
  v5.will_properties.add_user("k", "v").add(PropertyId::content_type, std::string_view("text"));
  world.peer().connect(v5.will("wills/a", 3).connect).drop();
  CHECK(watcher.all() == "PUBLISH wills/a q0 {k:v, content-type=text} 'gone'");
}

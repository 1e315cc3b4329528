#include <doctest/doctest.h>

#include <string>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using wire::QoS;
using wire::Version;

TEST_CASE("a new configuration counts for queues at once") {
  auto config = quiet();
  config.max_queued_messages = 1;
  World world(config);
  world.peer().resume("s").subscribe("t", {.qos = QoS::at_least_once}).drop();
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "1", QoS::at_least_once, 1).publish("t", "2", QoS::at_least_once, 2);
  config.max_queued_messages = 2;
  world.core().use_config(config, world.now);
  publisher.publish("t", "3", QoS::at_least_once, 3);
  CHECK(world.peer().resume("s").all() == "PUBLISH t q1 id=1 '1'; PUBLISH t q1 id=2 '3'");
}

TEST_CASE("what CONNACK promised holds for those who are there, and not for those who come") {
  auto config = quiet();
  World world(config);
  auto& before = world.peer().join("before", Version::v5);
  config.listeners[0].max_qos = QoS::at_most_once;
  config.retain_available = false;
  config.max_packet_size = 20;
  world.core().use_config(config, world.now);
  CHECK(before.publish("t", std::string(100, 'x'), QoS::at_least_once, 1).all() == "PUBACK 1 10");
  CHECK(before.retain("t", "x").all() == "");
  auto& after = world.peer().join("after", Version::v5);
  CHECK(after.publish("t", "x", QoS::at_least_once, 1).all() == "DISCONNECT 9B; closed");
}

TEST_CASE("who came in without a password leaves when that is not allowed any more") {
  auto config = quiet();
  World world(config);
  auto& anonymous = world.peer().join("a", Version::v5);
  config.listeners[0].allow_anonymous = false;
  world.core().use_config(config, world.now);
  world.settle();
  CHECK(anonymous.all() == "DISCONNECT 98; closed");
}

TEST_CASE("a configuration may have more listeners, and who came through the others stays") {
  auto config = quiet();
  World world(config);
  auto& first = world.peer(0).join("a").subscribe("t");
  config.listeners.push_back({.auto_id_prefix = "new-"});
  world.core().use_config(config, world.now);
  world.peer(1).join("b").publish("t", "x");
  CHECK(first.all() == "PUBLISH t q0 'x'");
}

TEST_CASE("$SYS comes and goes with sys_interval") {
  auto config = quiet();
  World world(config);
  world.advance(Seconds(30));
  CHECK(world.core().retained_count() == 0);
  config.sys_interval = Seconds(5);
  world.core().use_config(config, world.now);
  world.advance(Seconds(6));
  CHECK(world.core().retained_count() > 40);
  config.sys_interval = Seconds(0);
  world.core().use_config(config, world.now);
  CHECK(world.core().retained_count() == 0);
}

TEST_CASE("the broker's states are retained, its events are not") {
  broker::Config config;
  World world(config);
  auto& peer = world.peer().join("s").subscribe("$SYS/broker/x/#");
  world.core().put_sys("x/state", "good", world.now);
  world.core().tell_sys("x/event", "look", world.now);
  world.settle();
  CHECK(peer.all() ==
        "PUBLISH $SYS/broker/x/state q0 'good'; PUBLISH $SYS/broker/x/event q0 'look'");
  CHECK(world.peer().join("t").subscribe("$SYS/broker/x/#").all() ==
        "PUBLISH $SYS/broker/x/state q0 retain 'good'");
  world.core().put_sys("x/state", "", world.now);
  CHECK(world.peer().join("u").subscribe("$SYS/broker/x/#").all() == "");
}

TEST_CASE("subscriptions are listed by filter and client") {
  World world(quiet());
  world.peer().join("b").subscribe("x/#", {.qos = QoS::at_least_once}).subscribe("a");
  world.peer().resume("a").subscribe("x/#").drop();
  std::string text;
  for (const auto& one : world.core().subscriptions()) {
    text += std::string(one.filter) + " " + std::string(one.client_id) +
            std::to_string(static_cast<int>(one.qos)) + "; ";
  }
  CHECK(text == "a b0; x/# a0; x/# b1; ");
}

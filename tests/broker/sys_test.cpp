#include <doctest/doctest.h>

#include <map>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;

namespace {

std::map<std::string, std::string> figures(Peer& peer) {
  std::map<std::string, std::string> found;
  const std::string start = "PUBLISH $SYS/broker/";
  for (auto line = peer.next(); !line.empty(); line = peer.next()) {
    if (!line.starts_with(start)) continue;
    const auto qos = line.find(" q0");
    const auto quote = line.find('\'');
    found[line.substr(start.size(), qos - start.size())] =
        line.substr(quote + 1, line.size() - quote - 2);
  }
  return found;
}

}  // namespace

TEST_CASE("$SYS/broker holds the broker's figures as retained messages") {
  broker::Config config;
  config.version = "mqbroker version 1.2.3";
  World world(config);
  world.advance(Millis(1));
  world.peer().resume("sleeper").drop();
  auto& publisher = world.peer().join("p");
  publisher.retain("a", "123").publish("b", "12345");
  world.advance(Seconds(20));
  auto& peer = world.peer().join("s").subscribe("$SYS/#");
  auto found = figures(peer);
  CHECK(found["version"] == "mqbroker version 1.2.3");
  CHECK(found["uptime"] == "20 seconds");
  CHECK(found["clients/total"] == "2");
  CHECK(found["clients/connected"] == "1");
  CHECK(found["clients/inactive"] == "1");
  CHECK(found["publish/messages/received"] == "2");
  CHECK(found["publish/bytes/received"] == "8");
  CHECK(found["load/publish/received/1min"] != "0.00");
  CHECK(found.contains("retained messages/count"));
  CHECK(found.size() >= 50);
}

TEST_CASE("a $SYS topic is published again only when its value has changed") {
  World world;
  world.advance(Millis(1));
  auto& peer = world.peer().join("s").subscribe("$SYS/broker/+");
  CHECK(figures(peer).size() == 2);
  world.advance(Seconds(10));
  const auto found = figures(peer);
  CHECK(found.size() == 1);
  CHECK(found.contains("uptime"));
}

TEST_CASE("what clients have not taken is counted until they have") {
  World world(quiet());
  auto& slow = world.peer().join("slow").subscribe("t");
  auto& publisher = world.peer().join("p");
  CHECK(world.core().unsent_packets() == 0);
  slow.reads = false;
  publisher.publish("t", "1").publish("t", "2");
  CHECK(world.core().unsent_packets() == 2);
  slow.reads = true;
  publisher.publish("t", "3");
  CHECK(world.core().unsent_packets() == 0);
}

TEST_CASE("sys_interval 0 publishes nothing") {
  World world(quiet());
  world.advance(Seconds(100));
  CHECK(world.peer().join("s").subscribe("$SYS/#").all() == "");
}

TEST_CASE("what is held is counted, and let go when it is delivered, replaced, cleared or ended") {
  World world(quiet());
  const auto held = [&] {
    return std::pair(world.core().stored().count, world.core().stored().bytes);
  };
  using Held = std::pair<std::size_t, std::size_t>;
  const wire::SubscriptionOptions kQoS2{.qos = wire::QoS::exactly_once};
  auto& publisher = world.peer().join("p");
  publisher.retain("r", "12345").retain("r", "123");
  CHECK(held() == Held(1, 3));
  publisher.retain("r", "");
  CHECK(held() == Held(0, 0));
  auto& peer = world.peer().resume("s").subscribe("t", kQoS2);
  publisher.publish("t", "1234", wire::QoS::at_least_once, 1);
  publisher.publish("t", "12", wire::QoS::exactly_once, 2);
  CHECK(held() == Held(2, 6));
  peer.puback(1);
  CHECK(held() == Held(1, 2));
  peer.send(wire::Pubrec{2, {}, {}});
  CHECK(held() == Held(0, 0));
  peer.drop();
  publisher.publish("t", "1234", wire::QoS::at_least_once, 3);
  CHECK(held() == Held(1, 4));
  world.peer().join("s");
  CHECK(held() == Held(0, 0));
}

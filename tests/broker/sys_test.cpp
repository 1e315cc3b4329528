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

TEST_CASE("sys_interval 0 publishes nothing") {
  World world(quiet());
  world.advance(Seconds(100));
  CHECK(world.peer().join("s").subscribe("$SYS/#").all() == "");
}

#include <doctest/doctest.h>

#include <string>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using wire::QoS;
using wire::Version;

namespace {

constexpr std::uint16_t kPlain = 0;
constexpr std::uint16_t kMounted = 1;

/// The second listener is mounted at "m/".
broker::Config mounted(broker::Config config = quiet()) {
  config.listeners.resize(2);
  config.listeners[kMounted].mount_point = "m/";
  return config;
}

Peer& join(World& world, std::uint16_t listener, std::string_view id,
           Version version = Version::v311) {
  return world.peer(listener).join(id, version);
}

}  // namespace

TEST_CASE("what clients of a mounted listener publish is below the mount point for the others") {
  for (const auto version : {Version::v311, Version::v5}) {
    World world(mounted());
    Peer& outside =
        join(world, kPlain, "outside", version).subscribe("#", {.qos = QoS::exactly_once});
    Peer& inside = join(world, kMounted, "inside", version);
    inside.publish("a", "zero");
    CHECK(outside.next() == "PUBLISH m/a q0 'zero'");
    inside.publish("a", "one", QoS::at_least_once, 1);
    CHECK(outside.next().contains("m/a"));
  }
}

TEST_CASE("a response topic stays as it is, as in mosquitto") {
  World world(mounted());
  Peer& outside = join(world, kPlain, "outside", Version::v5).subscribe("#");
  wire::PropertyList properties;
  properties.add(wire::PropertyId::response_topic, std::string_view("r"));
  join(world, kMounted, "inside", Version::v5)
      .send(wire::Publish{.topic = "q", .properties = properties.view(), .payload = bytes_of("x")});
  CHECK(outside.all() == "PUBLISH m/q q0 {response-topic=r} 'x'");
}

TEST_CASE("what they receive has the name that they know") {
  for (const auto version : {Version::v311, Version::v5}) {
    World world(mounted());
    Peer& inside = join(world, kMounted, "inside", version);
    inside.subscribe("a/+", {.qos = QoS::at_least_once});
    Peer& other = join(world, kMounted, "other", version).subscribe("#");
    Peer& outside = join(world, kPlain, "outside", version);
    outside.publish("m/a/b", "zero");
    CHECK(inside.next() == "PUBLISH a/b q0 'zero'");
    CHECK(other.next() == "PUBLISH a/b q0 'zero'");
    outside.publish("a/b", "elsewhere");
    outside.publish("m", "the mount point's own parent");
    CHECK(inside.all().empty());
    CHECK(other.all().empty());
    outside.publish("m/a/b", "one", QoS::at_least_once, 1);
    CHECK(inside.next().contains(" a/b "));
    CHECK(other.next() == "PUBLISH a/b q0 'one'");
  }
}

TEST_CASE("retained messages, shared subscriptions and their ends are below the mount point, too") {
  World world(mounted());
  join(world, kPlain, "outside").retain("m/a", "kept").retain("m", "no").retain("a", "no");
  Peer& inside = join(world, kMounted, "inside");
  inside.subscribe("#");
  CHECK(inside.all() == "PUBLISH a q0 retain 'kept'");
  inside.retain("b", "mine");
  CHECK(inside.all() == "PUBLISH b q0 'mine'");
  Peer& late = join(world, kPlain, "late");
  late.subscribe("m/b");
  CHECK(late.all() == "PUBLISH m/b q0 retain 'mine'");
  Peer& worker = join(world, kMounted, "worker");
  worker.subscribe("$share/g/jobs");
  join(world, kPlain, "boss").publish("m/jobs", "work");
  CHECK(worker.all() == "PUBLISH jobs q0 'work'");
  inside.all();
  inside.send(wire::Unsubscribe{7, {}, {"#"}});
  CHECK(inside.all().starts_with("UNSUBACK"));
  inside.publish("b", "x");
  CHECK(inside.all().empty());
}

TEST_CASE("topic aliases stand for the names that the client knows") {
  World world(mounted());
  Peer& inside = world.peer(kMounted);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "inside";
  wire::PropertyList properties;
  properties.add(wire::PropertyId::topic_alias_maximum, 10U);
  connect.properties = properties.view();
  inside.connect(connect).all();
  inside.subscribe("a");
  wire::PropertyList alias;
  alias.add(wire::PropertyId::topic_alias, 1U);
  inside.send(wire::Publish{.topic = "a", .properties = alias.view(), .payload = bytes_of("1")});
  CHECK(inside.next().starts_with("PUBLISH a "));
  inside.send(wire::Publish{.topic = "", .properties = alias.view(), .payload = bytes_of("2")});
  CHECK(inside.next().contains("2"));
  CHECK_FALSE(inside.is_closed());
}

TEST_CASE("a will is below the mount point") {
  World world(mounted());
  Peer& outside = join(world, kPlain, "outside").subscribe("#");
  wire::Connect connect;
  connect.client_id = "doomed";
  connect.will = wire::Will{.topic = "will", .payload = bytes_of("gone")};
  Peer& doomed = world.peer(kMounted).connect(connect);
  doomed.all();
  doomed.drop();
  CHECK(outside.all() == "PUBLISH m/will q0 'gone'");
}

TEST_CASE("what waited under another mount point is given up") {
  World world(mounted());
  join(world, kPlain, "roamer");
  Peer& roamer = world.peer().resume("roamer");
  roamer.subscribe("a", {.qos = QoS::at_least_once});
  roamer.subscribe("m/a", {.qos = QoS::at_least_once});
  roamer.disconnect();
  Peer& outside = join(world, kPlain, "outside");
  outside.publish("a", "hidden", QoS::at_least_once, 1);
  outside.publish("m/a", "seen", QoS::at_least_once, 2);
  Peer& back = world.peer(kMounted).resume("roamer");
  const auto lines = back.all();
  CHECK(lines.contains(" a "));
  CHECK(lines.contains("seen"));
  CHECK_FALSE(lines.contains("hidden"));
}

TEST_CASE("a topic that is too long behind the mount point is refused") {
  World world(mounted());
  Peer& inside = join(world, kMounted, "inside");
  inside.publish(std::string(65'534, 'x'), "");
  CHECK(inside.is_closed());
}

TEST_CASE("a listener refuses the versions that it does not speak [MQTT-3.1.2-2]") {
  broker::Config config = quiet();
  config.listeners[0].versions = {Version::v311};
  World world(config);
  CHECK(world.peer().connect({.version = Version::v311}).all().starts_with("CONNACK"));
  const auto answer = [&world](Version version) {
    wire::Connect connect;
    connect.version = version;
    connect.client_id = "x";
    return world.peer().connect(connect).all();
  };
  CHECK(answer(Version::v311) == "CONNACK 00");
  CHECK(answer(Version::v31).starts_with("CONNACK 01"));
  CHECK(answer(Version::v31).contains("closed"));
  CHECK(answer(Version::v5).contains("84"));
}

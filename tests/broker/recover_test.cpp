#include <doctest/doctest.h>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using wire::PropertyId;
using wire::PropertyList;
using wire::QoS;
using wire::SubscriptionOptions;
using wire::Version;

// What is kept is after a crash what it was before.

namespace {

constexpr SubscriptionOptions kQoS1{.qos = QoS::at_least_once};

/// Everything that a message can bring along and that is not the connection's.
PropertyList all_properties() {
  PropertyList properties;
  properties.add(PropertyId::payload_format_indicator, 1U)
      .add(PropertyId::content_type, std::string_view("text"))
      .add(PropertyId::response_topic, std::string_view("r"))
      .add(PropertyId::correlation_data, bytes_of("id"))
      .add(PropertyId::message_expiry_interval, 100U)
      .add_user("k", "1")
      .add_user("k", "2");
  return properties;
}

/// The same, as they are received with so many seconds left.
std::string all_properties_line(int seconds) {
  return "{payload-format-indicator=1, content-type=text, response-topic=r, correlation-data=id, "
         "k:1, k:2, message-expiry-interval=" +
         std::to_string(seconds) + "}";
}

}  // namespace

TEST_CASE("a message has all its properties after a crash") {
  World world(durable());
  world.peer().resume("s", Version::v5).subscribe("t", kQoS1).drop();
  const auto properties = all_properties();
  auto& publisher = world.peer().join("p", Version::v5);
  const auto publish = [&](bool retain) {
    publisher.send(wire::Publish{.qos = QoS::at_least_once,
                                 .retain = retain,
                                 .topic = "t",
                                 .packet_id = 1,
                                 .properties = properties.view(),
                                 .payload = bytes_of("x")});
  };
  SUBCASE("when it waits for a session that sleeps") {
    publish(false);
    world.now.wall += Seconds(60);
    world.crash();
    CHECK(world.peer().resume("s", Version::v5).all() ==
          "PUBLISH t q1 id=1 " + all_properties_line(40) + " 'x'");
  }
  SUBCASE("when it is retained") {
    publish(true);
    world.now.wall += Seconds(60);
    world.crash();
    CHECK(world.peer().join("late", Version::v5).subscribe("t", kQoS1).all() ==
          "PUBLISH t q1 id=1 retain " + all_properties_line(40) + " 'x'");
  }
}

TEST_CASE("no-local and retain-as-published outlive a crash [MQTT-3.8.3-3] [MQTT-3.3.1-13]") {
  World world(durable());
  world.peer().resume("a", Version::v5).subscribe("t", {.no_local = true});
  world.peer().resume("b", Version::v5).subscribe("t", {.retain_as_published = true});
  world.crash();
  auto& no_local = world.peer().resume("a", Version::v5);
  auto& as_published = world.peer().resume("b", Version::v5);
  no_local.retain("t", "of a");
  as_published.retain("t", "of b");
  CHECK(no_local.all() == "PUBLISH t q0 'of b'");
  CHECK(as_published.all() == "PUBLISH t q0 retain 'of a'; PUBLISH t q0 retain 'of b'");
}

TEST_CASE(
    "a will is after a crash what it was: with its properties, and retained [MQTT-3.1.2-15]") {
  World world(durable());
  world.peer().resume("watcher", Version::v5).subscribe("wills/#", kQoS1);
  PropertyList kept;
  kept.add(PropertyId::session_expiry_interval, 3600U);
  const auto properties = all_properties();
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "a";
  connect.clean_start = false;
  connect.properties = kept.view();
  connect.will = wire::Will{.topic = "wills/a",
                            .payload = bytes_of("gone"),
                            .qos = QoS::at_least_once,
                            .retain = true,
                            .properties = properties.view()};
  world.peer().connect(connect);
  world.crash();
  const std::string rest = all_properties_line(100) + " 'gone'";
  CHECK(world.peer().resume("watcher", Version::v5).all() == "PUBLISH wills/a q1 id=1 " + rest);
  CHECK(world.peer().join("late", Version::v5).subscribe("wills/#", kQoS1).all() ==
        "PUBLISH wills/a q1 id=1 retain " + rest);
}

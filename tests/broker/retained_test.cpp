#include <doctest/doctest.h>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using wire::PropertyId;
using wire::PropertyList;
using wire::Publish;
using wire::QoS;
using wire::RetainHandling;
using wire::Subscribe;
using wire::SubscriptionOptions;
using wire::Version;

namespace {

constexpr SubscriptionOptions kQoS1{.qos = QoS::at_least_once};

}  // namespace

TEST_CASE(
    "a late subscriber gets the last retained value, behind the SUBACK [MQTT-3.3.1-5] "
    "[MQTT3-3.3.1-6] [MQTT3-3.3.1-7] [MQTT3-3.3.1-8]") {
  World world(quiet());
  world.peer().join("p").retain("a/b", "old").retain("a/b", "new").retain("a/c", "other");
  auto& peer = world.peer().join("s");
  CHECK(peer.send(Subscribe{1, {}, {{"a/b", {}}}}).all() ==
        "SUBACK 1 00; PUBLISH a/b q0 retain 'new'");
  CHECK(world.core().retained_count() == 2);
}

TEST_CASE(
    "an empty retained message clears the value and is delivered as such [MQTT-3.3.1-6] "
    "[MQTT-3.3.1-7]") {
  World world(quiet());
  auto& live = world.peer().join("live").subscribe("a");
  world.peer().join("p").retain("a", "x").retain("a", "");
  CHECK(live.all() == "PUBLISH a q0 'x'; PUBLISH a q0 ''");
  CHECK(world.peer().join("late").subscribe("a").all() == "");
  CHECK(world.core().retained_count() == 0);
}

TEST_CASE("a message without retain leaves the retained value alone [MQTT-3.3.1-8]") {
  World world(quiet());
  world.peer().join("p").retain("a", "kept").publish("a", "passing");
  CHECK(world.peer().join("s").subscribe("#").all() == "PUBLISH a q0 retain 'kept'");
}

TEST_CASE(
    "retain handling decides who gets retained messages [MQTT-3.3.1-9] [MQTT-3.3.1-10] "
    "[MQTT-3.3.1-11]") {
  World world(quiet());
  world.peer().join("p").retain("a", "x");
  auto& peer = world.peer().join("s", Version::v5);
  peer.subscribe("a", {.retain_handling = RetainHandling::do_not_send});
  CHECK(peer.all() == "");
  peer.subscribe("a", {.retain_handling = RetainHandling::send_if_new});
  CHECK(peer.all() == "");
  peer.subscribe("a", {.retain_handling = RetainHandling::send});
  CHECK(peer.all() == "PUBLISH a q0 retain 'x'");
  peer.subscribe("#", {.retain_handling = RetainHandling::send_if_new});
  CHECK(peer.all() == "PUBLISH a q0 retain 'x'");
}

TEST_CASE("shared subscriptions get no retained messages") {
  World world(quiet());
  world.peer().join("p").retain("a", "x");
  CHECK(world.peer().join("s", Version::v5).subscribe("$share/g/a").all() == "");
}

TEST_CASE("retained messages carry properties, identifier and QoS, and need acknowledging") {
  World world(quiet());
  PropertyList properties;
  properties.add_user("k", "v").add(PropertyId::message_expiry_interval, 60U);
  world.peer()
      .join("p", Version::v5)
      .send(Publish{.qos = QoS::at_least_once,
                    .retain = true,
                    .topic = "a",
                    .packet_id = 1,
                    .properties = properties.view(),
                    .payload = bytes_of("x")});
  world.advance(Seconds(20));
  auto& peer = world.peer().join("s", Version::v5).subscribe("a", kQoS1, 7);
  CHECK(peer.all() ==
        "PUBLISH a q1 id=1 retain {k:v, message-expiry-interval=40, "
        "subscription-identifier=7} 'x'");
}

TEST_CASE("an expired retained message is not sent and goes [MQTT-3.3.2-5]") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::message_expiry_interval, 60U);
  world.peer()
      .join("p", Version::v5)
      .send(Publish{
          .retain = true, .topic = "a", .properties = properties.view(), .payload = bytes_of("x")});
  CHECK(world.core().retained_count() == 1);
  world.advance(Seconds(60));
  CHECK(world.peer().join("s").subscribe("#").all() == "");
  CHECK(world.core().retained_count() == 0);
}

TEST_CASE(
    "with QoS 1 and a kept session, a sleeper gets a retained value twice: queued and retained") {
  World world(quiet());
  world.peer().resume("s").subscribe("a", kQoS1).drop();
  world.peer().join("p").send(Publish{.qos = QoS::at_least_once,
                                      .retain = true,
                                      .topic = "a",
                                      .packet_id = 1,
                                      .properties = {},
                                      .payload = bytes_of("x")});
  auto& again = world.peer().resume("s");
  CHECK(again.all() == "PUBLISH a q1 id=1 'x'");
  CHECK(again.subscribe("a", kQoS1).all() == "PUBLISH a q1 id=2 retain 'x'");
}

TEST_CASE(
    "a SUBSCRIBE to # over 100,000 retained messages gets all, at the reader's pace, past any "
    "queue limit") {
  auto config = quiet();
  config.max_queued_messages = 10;
  config.max_unread_bytes = 1000;
  World world(config);
  auto& publisher = world.peer().join("p");
  std::vector<Byte> bytes;
  const int count = 100'000;
  for (int i = 0; i < count; ++i) {
    const auto topic = "t/" + std::to_string(i);
    wire::encode(Publish{.qos = QoS::at_least_once,
                         .retain = true,
                         .topic = topic,
                         .packet_id = 1,
                         .properties = {},
                         .payload = bytes_of("x")},
                 Version::v311, bytes);
  }
  publisher.send_bytes(bytes);
  REQUIRE(world.core().retained_count() == count);

  SUBCASE("at QoS 0") {
    auto& peer = world.peer().join("s");
    peer.reads = false;
    peer.subscribe("#");
    CHECK(world.core().unsent_bytes() < 300'000);
    peer.reads = true;
    peer.send(wire::Pingreq{});
    int received = 0;
    for (auto line = peer.next(); !line.empty(); line = peer.next()) {
      received += line.starts_with("PUBLISH") ? 1 : 0;
    }
    CHECK(received == count);
  }
  SUBCASE("at QoS 1, within the window") {
    auto& peer = world.peer().join("s").subscribe("t/+", kQoS1);
    int received = 0;
    for (auto line = peer.next(); !line.empty(); line = peer.next()) {
      ++received;
      peer.puback(static_cast<std::uint16_t>((received - 1) % 65'535 + 1));
    }
    CHECK(received == count);
  }
  CHECK(world.core().stats().dropped() == 0);
}

TEST_CASE("the rest of a retained set follows a kept session through a reconnect") {
  World world(quiet());
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 30; ++i) {
    publisher.send(Publish{.qos = QoS::at_least_once,
                           .retain = true,
                           .topic = "t/" + std::to_string(i),
                           .packet_id = i,
                           .properties = {},
                           .payload = bytes_of("x")});
  }
  auto& first = world.peer().resume("s").subscribe("t/+", kQoS1);
  int received = 0;
  while (!first.next().empty()) ++received;
  CHECK(received == 20);
  for (std::uint16_t i = 1; i <= 20; ++i) {
    if (i == 10) first.drop();
    if (i < 10) first.puback(i);
  }
  auto& again = world.peer().resume("s");
  std::size_t fresh = 0;
  std::uint16_t id = 10;
  for (auto line = again.next(); !line.empty(); line = again.next()) {
    if (line.find(" dup ") == std::string::npos) ++fresh;
    again.puback(id++);
  }
  CHECK(first.all().find("PUBLISH") != std::string::npos);
  CHECK(fresh == 1);
}

namespace {

constexpr int kManyTopics = 10'000;
const std::string kPayload(100, 'x');  ///< with it they are more than is queued for one socket

World& with_many_retained(World& world) {
  std::vector<Byte> bytes;
  for (int i = 0; i < kManyTopics; ++i) {
    const auto topic = "t/" + std::to_string(i);
    wire::encode(Publish{.retain = true, .topic = topic, .payload = bytes_of(kPayload)},
                 Version::v311, bytes);
  }
  world.peer().join("p").send_bytes(bytes);
  return world;
}

/// How many turns it takes until a client that connects and sends all this at once has what it
/// wants.
int turns_for(World& world, std::string_view client_id, const std::vector<Subscribe>& requests) {
  std::vector<Byte> bytes;
  wire::encode(wire::Connect{.client_id = client_id}, Version::v311, bytes);
  for (const auto& request : requests) wire::encode(request, Version::v311, bytes);
  broker::Core& core = world.core();
  core.on_bytes(core.on_open(0, world.now), bytes, world.now);
  int turns = 1;
  for (core.end_turn(); core.next_deadline() <= world.now.steady; ++turns) {
    core.on_deadline(world.now);
    core.end_turn();
  }
  return turns;
}

}  // namespace

TEST_CASE("a search through many retained topics lets others have their turn") {
  World world(quiet());
  const int turns =
      turns_for(with_many_retained(world), "s", {{1, {}, {{"+/+/nothing", {}}, {"+/none", {}}}}});
  CHECK(turns >= kManyTopics / 5'000);
  CHECK(turns <= kManyTopics / 500);
}

TEST_CASE("many searches take no more of a turn than one") {
  World world(quiet());
  std::vector<std::string> filters;
  for (int i = 0; i < 10; ++i) filters.push_back("+/+/nothing" + std::to_string(i));
  std::vector<Subscribe> searches;
  for (const auto& filter : filters) searches.push_back({1, {}, {{filter, {}}}});
  const int one = turns_for(with_many_retained(world), "a", {searches[0]});
  const int ten = turns_for(world, "b", searches);
  CHECK(ten >= 9 * one);
}

TEST_CASE("who subscribes again and again gets what is left, and then all of it once more") {
  World world(quiet());
  auto& publisher = world.peer().join("p");
  for (const auto* number : {"1", "2", "3", "4"}) {
    publisher.send(Publish{.qos = QoS::at_least_once,
                           .retain = true,
                           .topic = number,
                           .packet_id = 1,
                           .properties = {},
                           .payload = bytes_of(number)});
  }
  PropertyList properties;
  properties.add(PropertyId::receive_maximum, 1U);
  wire::Connect connect;
  connect.version = Version::v5;
  connect.client_id = "s";
  connect.properties = properties.view();
  auto& peer = world.peer().connect(connect);
  peer.next();
  std::string got;
  for (int i = 0; i < 20; ++i) {
    if (i < 3) peer.send(Subscribe{9, {}, {{"+", kQoS1}}});
    for (auto line = peer.next(); !line.empty(); line = peer.next()) {
      if (line.starts_with("SUBACK")) continue;
      got += line.substr(line.size() - 2, 1);
      peer.puback(static_cast<std::uint16_t>(std::stoi(line.substr(line.find("id=") + 3))));
      if (i < 3) break;
    }
  }
  CHECK(got == "12341234");
}

TEST_CASE("after UNSUBSCRIBE nothing more comes of what is retained, whatever the filter's id is") {
  World world(quiet());
  auto& peer = with_many_retained(world).peer().join("s");
  peer.reads = false;
  peer.send(Subscribe{1, {}, {{"t/#", {}}}});
  const auto sent_before = world.core().stats().publish_sent;
  peer.send(wire::Unsubscribe{2, {}, {"t/#"}});
  peer.send(Subscribe{3, {}, {{"other", {}}}});
  peer.reads = true;
  peer.send(wire::Pingreq{});
  CHECK(world.core().stats().publish_sent == sent_before);
  peer.send(Subscribe{4, {}, {{"t/1", {}}}});
  CHECK(world.core().stats().publish_sent == sent_before + 1);
}

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <variant>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using broker::Drop;
using broker::QueuePolicy;
using wire::QoS;
using wire::Version;

namespace {

constexpr wire::SubscriptionOptions kQoS1{.qos = QoS::at_least_once};
constexpr wire::SubscriptionOptions kQoS2{.qos = QoS::exactly_once};

/// What somebody says first whose packets go straight into the core.
std::vector<Byte> connect_bytes(std::string_view client_id, bool clean_start = true) {
  std::vector<Byte> bytes;
  wire::Connect connect;
  connect.client_id = client_id;
  connect.clean_start = clean_start;
  wire::encode(connect, Version::v311, bytes);
  return bytes;
}

std::size_t dropped(World& world, Drop reason) {
  return world.core().stats().drops[static_cast<std::size_t>(reason)];
}

/// Lines of `peer` that are PUBLISH.
std::size_t publishes(Peer& peer) {
  std::size_t count = 0;
  for (auto line = peer.next(); !line.empty(); line = peer.next()) {
    if (line.starts_with("PUBLISH")) ++count;
  }
  return count;
}

broker::Config short_queue(QueuePolicy policy) {
  auto config = quiet();
  config.max_queued_messages = 3;
  config.queue_policy = policy;
  return config;
}

}  // namespace

TEST_CASE("drop-oldest makes room for what comes") {
  World world(short_queue(QueuePolicy::drop_oldest));
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 5; ++i) {
    publisher.publish("t", std::to_string(i), QoS::at_least_once, i);
  }
  CHECK(world.peer().resume("s").all() ==
        "PUBLISH t q1 id=3 '3'; PUBLISH t q1 id=4 '4'; PUBLISH t q1 id=5 '5'");
  CHECK(dropped(world, Drop::queue_full) == 2);
}

TEST_CASE("drop-oldest takes back nothing that the client may have seen") {
  World world(short_queue(QueuePolicy::drop_oldest));
  auto& subscriber = world.peer().resume("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 3; ++i) publisher.publish("t", "seen", QoS::at_least_once, i);
  CHECK(publishes(subscriber) == 3);
  subscriber.drop();
  publisher.publish("t", "new", QoS::at_least_once, 4);
  auto& again = world.peer().resume("s");
  CHECK(again.all() ==
        "PUBLISH t q1 id=1 dup 'seen'; PUBLISH t q1 id=2 dup 'seen'; PUBLISH t q1 id=3 dup 'seen'");
  CHECK(dropped(world, Drop::queue_full) == 1);
}

TEST_CASE("with persistence what drop-oldest dropped does not come back from the store") {
  auto config = durable();
  config.max_queued_messages = 2;
  config.queue_policy = QueuePolicy::drop_oldest;
  World world(config);
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 4; ++i) {
    publisher.publish("t", std::to_string(i), QoS::at_least_once, i);
  }
  world.crash();
  CHECK(world.peer().resume("s").all() == "PUBLISH t q1 id=3 '3'; PUBLISH t q1 id=4 '4'");
}

TEST_CASE("reject refuses a message of MQTT 5.0 that a queue has no room for, and delivers none") {
  World world(short_queue(QueuePolicy::reject));
  world.peer().resume("s").subscribe("t", kQoS2).drop();
  auto& other = world.peer().join("other").subscribe("t");
  auto& publisher = world.peer().join("p", Version::v5);
  for (std::uint16_t i = 1; i <= 3; ++i) {
    CHECK(publisher.publish("t", "x", QoS::at_least_once, i).all() ==
          "PUBACK " + std::to_string(i));
  }
  CHECK(publisher.publish("t", "x", QoS::at_least_once, 4).all() == "PUBACK 4 97");
  CHECK(publisher.publish("t", "x", QoS::exactly_once, 5).all() == "PUBREC 5 97");
  CHECK(publishes(other) == 3);
  CHECK(dropped(world, Drop::queue_full) == 0);
}

TEST_CASE("reject takes a repetition for what it is: its message had found room [MQTT-4.3.3-10]") {
  World world(short_queue(QueuePolicy::reject));
  auto& sleeper = world.peer().resume("s").subscribe("t", kQoS2);
  sleeper.drop();
  auto& publisher = world.peer().resume("p", Version::v5);
  for (std::uint16_t i = 1; i <= 3; ++i) {
    publisher.publish("t", std::to_string(i), QoS::exactly_once, i);
  }
  publisher.drop();
  auto& again = world.peer().resume("p", Version::v5);
  again.send(wire::Publish{.qos = QoS::exactly_once,
                           .dup = true,
                           .topic = "t",
                           .packet_id = 3,
                           .properties = {},
                           .payload = bytes_of("3")});
  CHECK(again.all() == "PUBREC 3");
  CHECK(publishes(world.peer().resume("s")) == 3);
}

TEST_CASE("reject refuses what none of a share's members has room for") {
  World world(short_queue(QueuePolicy::reject));
  world.peer().resume("a").subscribe("$share/g/t", kQoS2).drop();
  world.peer().resume("b").subscribe("$share/g/t", kQoS2).drop();
  auto& publisher = world.peer().join("p", Version::v5);
  for (std::uint16_t i = 1; i <= 6; ++i) {
    CHECK(publisher.publish("t", "x", QoS::at_least_once, i).all() ==
          "PUBACK " + std::to_string(i));
  }
  CHECK(publisher.publish("t", "x", QoS::at_least_once, 7).all() == "PUBACK 7 97");
  CHECK(publisher.publish("t", "x", QoS::exactly_once, 8).all() == "PUBREC 8 97");
  CHECK(dropped(world, Drop::queue_full) == 0);
}

TEST_CASE("a share's message goes to a member that has room, awake or not") {
  World world(short_queue(QueuePolicy::drop_newest));
  world.peer().resume("full").subscribe("t", kQoS1).subscribe("$share/g/s", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 3; ++i) publisher.publish("t", "x", QoS::at_least_once, i);
  world.peer().resume("b").subscribe("$share/g/s", kQoS1).drop();
  for (std::uint16_t i = 4; i <= 6; ++i) publisher.publish("s", "y", QoS::at_least_once, i);
  CHECK(publishes(world.peer().resume("b")) == 3);
  CHECK(dropped(world, Drop::queue_full) == 0);
}

TEST_CASE("reject leaves alone what the full queue would not get") {
  World world(short_queue(QueuePolicy::reject));
  auto& own = world.peer()
                  .join("p", Version::v5)
                  .subscribe("t", {.qos = QoS::at_least_once, .no_local = true});
  own.all();
  auto& other = world.peer().join("other", Version::v5);
  for (std::uint16_t i = 1; i <= 23; ++i) other.publish("t", "x", QoS::at_least_once, i);
  CHECK(other.publish("t", "x", QoS::at_least_once, 24).all().ends_with("PUBACK 24 97"));
  own.all();
  CHECK(own.publish("t", "x", QoS::at_least_once, 1).all() == "PUBACK 1");
}

TEST_CASE("reject cannot tell an older client, so its message is dropped for the full queue") {
  World world(short_queue(QueuePolicy::reject));
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 4; ++i) {
    CHECK(publisher.publish("t", "x", QoS::at_least_once, i).all() ==
          "PUBACK " + std::to_string(i));
  }
  CHECK(dropped(world, Drop::queue_full) == 1);
}

TEST_CASE("losses are told once a minute for each client and reason, with their number") {
  auto config = quiet();
  config.max_queued_messages = 1;
  World world(config);
  world.peer().resume("s").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  const auto told = [&world] {
    std::vector<std::uint64_t> counts;
    for (const auto& fact : world.facts) {
      const auto* one = std::get_if<broker::fact::Dropped>(&fact);
      if (one != nullptr) counts.push_back(one->count);
    }
    return counts;
  };
  for (std::uint16_t i = 1; i <= 5; ++i) publisher.publish("t", "x", QoS::at_least_once, i);
  CHECK(told().empty());
  world.advance(Seconds(1));
  CHECK(told() == std::vector<std::uint64_t>{4});
  publisher.publish("t", "x", QoS::at_least_once, 6);
  world.advance(Seconds(59));
  CHECK(told() == std::vector<std::uint64_t>{4});
  publisher.publish("t", "x", QoS::at_least_once, 7);
  world.advance(Seconds(1));
  CHECK(told() == std::vector<std::uint64_t>{4, 2});
  world.advance(Seconds(1000));
  CHECK(told() == std::vector<std::uint64_t>{4, 2});
}

TEST_CASE("losses are told at the latest when the client is forgotten, or the broker stops") {
  auto config = quiet();
  config.max_queued_messages = 1;
  World world(config);
  for (const auto* id : {"a", "b"}) world.peer().resume(id).subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 2; ++i) publisher.publish("t", "x", QoS::at_least_once, i);
  const auto told = [&world] {
    std::string clients;
    for (const auto& fact : world.facts) {
      const auto* one = std::get_if<broker::fact::Dropped>(&fact);
      if (one != nullptr) clients += one->client_id;
    }
    return clients;
  };
  world.peer().join("a");
  CHECK(told() == "a");
  world.core().shut_down(world.now);
  world.settle();
  CHECK(told() == "ab");
}

TEST_CASE("$SYS says how much a client has lost, and why, as long as there is such a client") {
  broker::Config config;
  config.max_queued_messages = 1;
  World world(config);
  world.advance(Millis(1));
  world.peer().resume("a/b").subscribe("t", kQoS1).drop();
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 4; ++i) publisher.publish("t", "x", QoS::at_least_once, i);
  world.advance(Seconds(10));
  CHECK(world.peer().join("w").subscribe("$SYS/broker/clients/+/dropped/#").all() ==
        "PUBLISH $SYS/broker/clients/a%2Fb/dropped/queue_full q0 retain '3'");
  publisher.publish("t", "x", QoS::at_least_once, 5);
  world.advance(Seconds(10));
  CHECK(world.peer().join("w").subscribe("$SYS/broker/clients/+/dropped/#").all() ==
        "PUBLISH $SYS/broker/clients/a%2Fb/dropped/queue_full q0 retain '4'");
  world.peer().join("a/b").drop();
  CHECK(world.peer().join("w").subscribe("$SYS/broker/clients/+/dropped/#").all() == "");
}

TEST_CASE("$SYS names a client by printable ASCII, and no two clients alike") {
  broker::Config config;
  config.max_queued_messages = 1;
  World world(config);
  world.advance(Millis(1));
  const std::string long_id(999, 'x');
  for (const auto& id : {std::string("\x1b[31m"), std::string("\xc3\xa9"), long_id + "\xc3\xa9",
                         long_id + "\xc3\xa9z"}) {
    world.peer().resume(id).subscribe("t", kQoS1).drop();
  }
  auto& publisher = world.peer().join("p");
  for (std::uint16_t i = 1; i <= 2; ++i) publisher.publish("t", "x", QoS::at_least_once, i);
  world.advance(Seconds(10));
  auto& watcher = world.peer().join("w").subscribe("$SYS/broker/clients/+/dropped/#");
  std::set<std::string> topics;
  for (auto line = watcher.next(); !line.empty(); line = watcher.next()) {
    topics.insert(line.substr(8, line.find(" q0") - 8));
  }
  CHECK(topics.size() == 4);
  CHECK(topics.contains("$SYS/broker/clients/%1B[31m/dropped/queue_full"));
  CHECK(topics.contains("$SYS/broker/clients/%C3%A9/dropped/queue_full"));
}

TEST_CASE("max_inflight_bytes holds messages back until enough is acknowledged") {
  auto config = quiet();
  config.max_inflight_bytes = 10;
  World world(config);
  auto& subscriber = world.peer().join("s").subscribe("t", kQoS2);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "123456", QoS::at_least_once, 1);
  publisher.publish("t", "1234", QoS::at_least_once, 2);
  publisher.publish("t", "5", QoS::at_least_once, 3);
  publisher.publish("t", "a long one, above the limit", QoS::at_least_once, 4);
  CHECK(subscriber.all() == "PUBLISH t q1 id=1 '123456'; PUBLISH t q1 id=2 '1234'");
  CHECK(subscriber.puback(1).all() == "PUBLISH t q1 id=3 '5'");
  CHECK(subscriber.puback(2).all() == "");
  CHECK(subscriber.puback(3).all() == "PUBLISH t q1 id=4 'a long one, above the limit'");
}

TEST_CASE(
    "max_inflight_bytes counts a QoS 2 message until its PUBREC, and forgets with the socket") {
  auto config = quiet();
  config.max_inflight_bytes = 4;
  World world(config);
  auto& subscriber = world.peer().resume("s").subscribe("t", kQoS2);
  auto& publisher = world.peer().join("p");
  publisher.publish("t", "1234", QoS::exactly_once, 1).send(wire::Pubrel{1, {}, {}});
  publisher.publish("t", "5678", QoS::exactly_once, 2).send(wire::Pubrel{2, {}, {}});
  CHECK(subscriber.all() == "PUBLISH t q2 id=1 '1234'");
  CHECK(subscriber.send(wire::Pubrec{1, {}, {}}).all() == "PUBREL 1; PUBLISH t q2 id=2 '5678'");
  subscriber.drop();
  auto& again = world.peer().resume("s");
  CHECK(again.all() == "PUBREL 1; PUBLISH t q2 id=2 dup '5678'");
}

TEST_CASE("message_size_limit drops what is longer, and says so to those who can be told") {
  auto config = quiet();
  config.message_size_limit = 3;
  World world(config);
  auto& subscriber = world.peer().join("s").subscribe("t", kQoS2);
  auto& old = world.peer().join("old");
  CHECK(old.publish("t", "1234", QoS::at_least_once, 1).all() == "PUBACK 1");
  CHECK(old.publish("t", "1234", QoS::exactly_once, 2).all() == "PUBREC 2");
  CHECK(old.send(wire::Pubrel{2, {}, {}}).all() == "PUBCOMP 2");
  auto& fresh = world.peer().join("new", Version::v5);
  CHECK(fresh.publish("t", "1234", QoS::at_least_once, 1).all() == "PUBACK 1 97");
  CHECK(fresh.publish("t", "123", QoS::at_least_once, 2).all() == "PUBACK 2");
  CHECK(subscriber.all() == "PUBLISH t q1 id=1 '123'");
  CHECK(dropped(world, Drop::size_limit) == 3);
}

TEST_CASE("message_size_limit and memory_limit are for wills, too") {
  auto config = quiet();
  config.message_size_limit = 3;
  config.memory_limit = 1000;
  World world(config);
  auto& subscriber = world.peer().join("s").subscribe("w/#");
  const auto with_will = [&world](std::string_view id, std::string_view payload, Version version) {
    wire::Connect connect{.version = version, .client_id = id};
    connect.will = wire::Will{.topic = "w/1", .payload = bytes_of(payload), .retain = true};
    return &world.peer().connect(connect);
  };
  CHECK(with_will("a", "1234", Version::v5)->all() == "CONNACK 97; closed");
  CHECK(with_will("b", "1234", Version::v311)->all() == "CONNACK 03; closed");
  auto* heard = with_will("c", "123", Version::v311);
  auto* unheard = with_will("d", "456", Version::v311);
  heard->drop();
  CHECK(subscriber.all() == "PUBLISH w/1 q0 '123'");
  world.core().on_heap(1001);
  unheard->drop();
  CHECK(subscriber.all() == "");
  CHECK(dropped(world, Drop::memory) == 1);
}

TEST_CASE("above memory_limit nothing more is kept, and nobody new comes in") {
  auto config = quiet();
  config.memory_limit = 1000;
  World world(config);
  auto& subscriber = world.peer().join("s").subscribe("t", kQoS1);
  auto& publisher = world.peer().join("p", Version::v5);
  world.core().on_heap(1001);
  CHECK(publisher.publish("t", "x", QoS::at_least_once, 1).all() == "PUBACK 1 97");
  CHECK(publisher.retain("r", "x").publish("t", "0").all() == "");
  CHECK(subscriber.all() == "PUBLISH t q0 '0'");
  CHECK(world.core().retained_count() == 0);
  CHECK(dropped(world, Drop::memory) == 2);
  CHECK(world.peer().connect({.client_id = "n"}).all() == "CONNACK 03; closed");
  world.core().on_heap(999);
  CHECK(publisher.publish("t", "x", QoS::at_least_once, 2).all() == "PUBACK 2");
}

TEST_CASE("when all leave much unread, each may leave little") {
  auto config = quiet();
  config.global_max_unread_bytes = 200'000;
  World world(config);
  auto& one = world.peer().join("one").subscribe("1");
  auto& two = world.peer().join("two").subscribe("2");
  auto& publisher = world.peer().join("p");
  one.reads = two.reads = false;
  const std::string payload(50'000, 'x');
  const auto lost = [&](std::string_view topic) {
    const auto before = dropped(world, Drop::unread);
    publisher.publish(topic, payload);
    return dropped(world, Drop::unread) > before;
  };
  for (int i = 0; i < 3; ++i) CHECK_FALSE(lost("1"));
  CHECK_FALSE(world.core().must_know_heap());
  CHECK_FALSE(lost("2"));
  CHECK_FALSE(lost("2"));
  CHECK(world.core().must_know_heap());

  SUBCASE("of memory that is really in use") {
    world.core().on_heap(200'000);
    CHECK_FALSE(lost("1"));
  }
  SUBCASE("of what it was owed before this turn") {
    world.core().on_heap(200'001);
    auto& reader = world.peer().join("reader").subscribe("4");
    std::vector<Byte> bytes;
    for (int i = 0; i < 4; ++i) {
      wire::encode(wire::Publish{.topic = "4", .properties = {}, .payload = bytes_of(payload)},
                   Version::v311, bytes);
    }
    publisher.send_bytes(bytes);
    for (int i = 0; i < 4; ++i) CHECK(reader.next().starts_with("PUBLISH 4 q0 'xx"));
  }
  SUBCASE("until they have caught up, or others have gone") {
    world.core().on_heap(200'001);
    CHECK(lost("1"));
    CHECK(lost("2"));
    auto& three = world.peer().join("three").subscribe("3");
    three.reads = false;
    CHECK_FALSE(lost("3"));
    SUBCASE("caught up") {
      one.reads = true;
      one.send(wire::Pingreq{}).all();
    }
    SUBCASE("gone") {
      one.drop();
    }
    CHECK(world.core().must_know_heap());
    world.core().on_heap(200'001);
    CHECK_FALSE(world.core().must_know_heap());
    CHECK_FALSE(lost("2"));
  }
  SUBCASE("or as soon as somebody has set another limit") {
    world.core().on_heap(200'001);
    config.global_max_unread_bytes = 1'000'000;
    world.core().use_config(config, world.now);
    CHECK_FALSE(lost("1"));
  }
  SUBCASE("with memory_limit, too") {
    config.global_max_unread_bytes = 1'000'000;
    config.memory_limit = 1000;
    world.core().use_config(config, world.now);
    world.core().on_heap(1000);
    CHECK_FALSE(lost("1"));
    world.core().on_heap(1001);
    CHECK(lost("1"));
  }
}

TEST_CASE("global_max_clients counts sessions, and lets those back in that are there") {
  auto config = quiet();
  config.global_max_clients = 2;
  World world(config);
  world.peer().resume("a").drop();
  world.peer().join("b");
  CHECK(world.peer().connect({.client_id = "c"}).all() == "CONNACK 03; closed");
  CHECK(world.peer().connect({.version = Version::v5, .client_id = "c"}).all() ==
        "CONNACK 97; closed");
  CHECK_FALSE(world.peer().resume("a").is_closed());
}

TEST_CASE("a connection above global_max_connections is closed at once") {
  auto config = quiet();
  config.global_max_connections = 2;
  World world(config);
  auto& first = world.peer().join("a");
  world.peer().join("b");
  auto& third = world.peer();
  world.settle();
  CHECK(third.is_closed());
  first.drop();
  CHECK_FALSE(world.peer().join("c").is_closed());
}

TEST_CASE("a packet that has begun has to come to its end within packet_timeout") {
  auto config = quiet();
  config.packet_timeout = Seconds(20);
  World world(config);
  auto& slow = world.peer().connect({.keep_alive = 0, .client_id = "s"});
  slow.all();
  const std::array<Byte, 7> publish{0x30, 5, 0, 1, 't', 'h', 'i'};
  for (const Byte byte : publish) slow.send_bytes({&byte, 1});
  world.advance(Seconds(100));
  CHECK_FALSE(slow.is_closed());
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK_FALSE(slow.is_closed());
    slow.send_bytes({&publish[i], 1});
    world.advance(Seconds(4));
  }
  CHECK(slow.all() == "closed");
  REQUIRE(std::holds_alternative<broker::fact::Ended>(world.facts.back()));
  CHECK(std::get<broker::fact::Ended>(world.facts.back()).end == broker::fact::End::too_slow);
}

TEST_CASE("retain_expiry_interval finds what has expired, and nobody has asked for") {
  auto config = quiet();
  config.retain_expiry_interval = Seconds(600);
  World world(config);
  auto& publisher = world.peer().join("p", Version::v5);
  wire::PropertyList properties;
  properties.add(wire::PropertyId::message_expiry_interval, 100U);
  publisher.send(wire::Publish{
      .retain = true, .topic = "short", .properties = properties.view(), .payload = bytes_of("x")});
  publisher.retain("long", "x");
  world.advance(Seconds(599));
  CHECK(world.core().retained_count() == 2);
  world.advance(Seconds(2));
  CHECK(world.core().retained_count() == 1);
}

TEST_CASE("use_username_as_clientid names the session by the user") {
  auto config = quiet();
  config.listeners[0].use_username_as_clientid = true;
  World world(config);
  CHECK(world.peer().connect({.client_id = "mine"}).all() == "CONNACK 05; closed");
  world.peer().connect({.clean_start = false, .client_id = "mine", .user_name = "alice"});
  world.peer().connect({.clean_start = false, .client_id = "other", .user_name = "alice"});
  CHECK(world.core().session_count() == 1);
  const auto* connected = std::get_if<broker::fact::Connected>(&world.facts.back());
  REQUIRE(connected != nullptr);
  CHECK(connected->client_id == "alice");
}

TEST_CASE("listeners have limits of their own") {
  auto config = quiet();
  config.listeners.resize(2);
  config.listeners[1].max_qos = QoS::at_most_once;
  World world(config);
  auto& free = world.peer(0).join("a");
  auto& bound = world.peer(1).join("b");
  CHECK(free.publish("t", "x", QoS::at_least_once, 1).all() == "PUBACK 1");
  CHECK(bound.publish("t", "x", QoS::at_least_once, 1).all() == "closed");
}

TEST_CASE("who sends to very many goes on in the next turn, and so does everybody else") {
  World world(quiet());
  constexpr int kReceivers = 500;
  constexpr int kMessages = 2'000;
  for (int i = 0; i < kReceivers; ++i) {
    world.peer().join("s" + std::to_string(i)).subscribe("t").reads = false;
  }
  std::array<std::vector<Byte>, 2> said;  // it stays where it is until the turn is over
  const auto begin = [&world](std::string_view client_id, std::vector<Byte>& bytes) {
    const auto id = world.core().on_open(0, world.now);
    bytes = connect_bytes(client_id);
    for (int i = 0; i < kMessages; ++i) {
      wire::encode(wire::Publish{.topic = "t", .properties = {}, .payload = {}}, Version::v311,
                   bytes);
    }
    world.core().on_bytes(id, bytes, world.now);
    return id;
  };
  const auto& sent = world.core().stats().publish_sent;
  const auto first = begin("p", said[0]);
  CHECK(sent >= 250'000);
  CHECK(sent < 260'000);
  begin("q", said[1]);
  CHECK(world.core().take_throttled().size() == 2);
  SUBCASE("to its end") {
    world.settle();
    CHECK(sent == 2 * kReceivers * kMessages);
    CHECK(world.core().take_released().size() == 2);
  }
  SUBCASE("also when it has left meanwhile") {
    world.core().on_close(first, world.now);
    world.settle();
    CHECK(sent == 2 * kReceivers * kMessages);
    CHECK(world.core().connected_count() == kReceivers + 1);
  }
}

TEST_CASE("not only the number of deliveries counts, and others have their turn") {
  auto config = quiet();
  config.work_a_turn = 100;
  World world(config);
  Peer& reader = world.peer().join("s");
  const auto is_expensive = [&](std::size_t length = 0, std::size_t beside = 0) {
    std::vector<Byte> bytes;
    wire::encode(wire::Connect{.version = Version::v5, .client_id = "p"}, Version::v5, bytes);
    const std::vector<Byte> payload(length);
    wire::PropertyList properties;
    properties.add_user("beside", std::string(beside, 'x'));
    for (const std::string topic : {"x/x/x/x/x/x/1", "x/x/x/x/x/x/2", "x/x/x/x/x/x/3"}) {
      wire::encode(
          wire::Publish{.topic = topic, .properties = properties.view(), .payload = payload},
          Version::v5, bytes);
    }
    world.core().on_bytes(world.core().on_open(0, world.now), bytes, world.now);
    const auto received = world.core().stats().publish_received;
    world.settle();
    CHECK(world.core().stats().publish_received == 3);
    return received == 1;
  };
  SUBCASE("nothing of the kind") {
    CHECK_FALSE(is_expensive());
  }
  SUBCASE("a search through filters") {
    for (int bits = 0; bits < 64; ++bits) {
      std::string filter;
      for (int level = 0; level < 6; ++level) filter += (bits >> level & 1) == 0 ? "x/" : "+/";
      reader.subscribe(filter + "nobody");
    }
    CHECK(is_expensive());
  }
  SUBCASE("little that is delivered") {
    reader.subscribe("#");
    CHECK_FALSE(is_expensive(8'000));
  }
  SUBCASE("much that is delivered") {
    reader.subscribe("#");
    CHECK(is_expensive(25'600));
  }
  SUBCASE("much that one of a share gets") {
    reader.subscribe("$share/g/#");
    CHECK(is_expensive(25'600));
  }
  SUBCASE("much beside the payload") {
    reader.subscribe("#");
    CHECK(is_expensive(0, 25'600));
  }
  SUBCASE("members of shares") {
    for (int i = 0; i < 101; ++i) reader.subscribe("$share/" + std::to_string(i) + "/#");
    CHECK(is_expensive());
  }
  SUBCASE("rules of access") {
    const auto rules = std::make_shared<broker::AccessRules>();
    for (int i = 0; i < 101; ++i) rules->anonymous.add({std::to_string(i) + "/#", 3, 1});
    world.core().use_rules(0, rules);
    CHECK(is_expensive());
  }
}

TEST_CASE("those who have much to do share the turns, and a long turn lets nobody else in") {
  auto config = quiet();
  config.work_a_turn = 80;
  World world(config);
  for (int i = 0; i < 20; ++i) world.peer().join("s" + std::to_string(i)).subscribe("t");
  std::vector<std::vector<Byte>> said(12);
  const auto count_of = [&] { return world.core().stats().publish_received; };
  for (std::size_t i = 0; i < said.size(); ++i) {
    wire::encode(wire::Publish{.topic = "t", .properties = {}, .payload = {}}, Version::v311,
                 said[i]);
    said[i].insert(said[i].end(), said[i].begin(), said[i].end());
  }
  std::vector<broker::ConnectionId> ids;
  for (std::size_t i = 0; i < said.size(); ++i) {
    const std::vector<Byte> bytes = connect_bytes("p" + std::to_string(i));
    ids.push_back(world.core().on_open(0, world.now));
    world.core().on_bytes(ids.back(), bytes, world.now);
    world.settle();
  }
  // Each PUBLISH is work of 20. The turn ends with the fourth; then everybody has his first.
  for (std::size_t i = 0; i < said.size(); ++i) world.core().on_bytes(ids[i], said[i], world.now);
  CHECK(count_of() == 8);
  for (const std::size_t count : {12U, 16U, 20U, 24U}) {
    world.core().end_turn();
    world.core().on_deadline(world.now);
    CHECK(count_of() == count);
  }
}

TEST_CASE("a SUBSCRIBE that takes more than a turn goes on in the next, and so do others") {
  auto config = durable();
  config.work_a_turn = 100;  // ten filters, or seven that are looked at first
  World world(config);
  Peer& other = world.peer().join("o").subscribe("o");
  const auto id = world.core().on_open(0, world.now);
  std::vector<Byte> bytes = connect_bytes("s", false);
  wire::Subscribe subscribe{.packet_id = 1};
  std::vector<std::string> filters;
  for (int i = 0; i < 35; ++i) filters.push_back(std::to_string(i));
  for (const auto& filter : filters) subscribe.subscriptions.push_back({filter, {}});
  wire::encode(subscribe, Version::v311, bytes);
  SUBCASE("it is answered when it is done, and what is behind it waits") {
    wire::encode(wire::Publish{.topic = "o", .properties = {}, .payload = {}}, Version::v311,
                 bytes);
    world.core().on_bytes(id, bytes, world.now);
    CHECK(world.core().subscription_count() == 8);
    for (const std::size_t count : {18U, 28U}) {
      world.core().end_turn();
      world.core().on_deadline(world.now);
      CHECK(world.core().subscription_count() == count);
    }
    world.settle();
    CHECK(world.core().subscription_count() == 36);
    CHECK(other.all() == "PUBLISH o q0 ''");
    world.crash();
    CHECK(world.core().subscription_count() == 35);
  }
  SUBCASE("with a code for each") {
    std::string suback = "SUBACK 1";
    for (int i = 0; i < 35; ++i) suback += " 00";
    CHECK(world.peer().join("t").send(subscribe).all() == suback);
  }
  SUBCASE("new limits do not stop it") {
    world.core().on_bytes(id, bytes, world.now);
    world.core().use_config(config, world.now);
    world.settle();
    CHECK(world.core().subscription_count() == 36);
  }
  SUBCASE("it is done also when its client has gone") {
    world.core().on_bytes(id, bytes, world.now);
    world.core().on_close(id, world.now);
    CHECK(world.core().subscription_count() == 8);
    world.settle();
    CHECK(world.core().subscription_count() == 36);
    CHECK(world.core().connected_count() == 1);
  }
}

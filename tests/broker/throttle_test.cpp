#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <vector>

#include "support/world.hpp"
#include "wire/encode.hpp"

using namespace mq;
using namespace mq::support;
using wire::QoS;

namespace {

broker::Config limited(std::uint32_t messages, std::uint64_t bytes) {
  auto config = quiet();
  config.listeners[0].max_publish_rate = messages;
  config.listeners[0].max_bytes_rate = bytes;
  return config;
}

/// So many messages in the bytes of one read.
std::vector<Byte> burst(std::size_t count, std::string_view payload) {
  std::vector<Byte> bytes;
  for (std::size_t i = 0; i < count; ++i) {
    wire::encode(wire::Publish{.topic = "t", .payload = bytes_of(payload)}, wire::Version::v311,
                 bytes);
  }
  return bytes;
}

std::size_t count_of(Peer& peer) {
  std::size_t count = 0;
  while (!peer.next().empty()) ++count;
  return count;
}

/// Of one client id: the first has sent more than a rate of 1 message a second allows.
struct Rivals {
  World world;
  Peer& subscriber;
  broker::Core& core;
  std::deque<std::vector<Byte>> said{};  ///< stays until the turn is over
  broker::ConnectionId first;

  explicit Rivals(const broker::Config& config)
      : world(config),
        subscriber(world.peer().join("s").subscribe("t").subscribe("will")),
        core(world.core()),
        first(core.on_open(0, world.now)) {
    say(first, wire::Connect{.client_id = "p", .will = wire::Will{.topic = "will"}});
    for (int i = 0; i < 3; ++i) say(first, wire::Publish{.topic = "t"});
  }
  void say(broker::ConnectionId id, const auto& packet) {
    wire::encode(packet, wire::Version::v311, said.emplace_back());
    core.on_bytes(id, said.back(), world.now);
  }
  broker::ConnectionId come() {
    const auto id = core.on_open(0, world.now);
    say(id, wire::Connect{.client_id = "p"});
    return id;
  }
  bool is_there(broker::ConnectionId id) { return core.output(id) != nullptr; }
};

}  // namespace

TEST_CASE(
    "max_publish_rate lets a second's worth through, then so many a second, and all in order") {
  World world(limited(10, 0));
  auto& subscriber = world.peer().join("s").subscribe("t");
  auto& publisher = world.peer().join("p");
  publisher.send_bytes(burst(100, "x"));
  CHECK(count_of(subscriber) == 10);
  CHECK(world.core().take_throttled().size() == 1);
  std::size_t received = 0;
  for (int second = 0; second < 5; ++second) {
    world.advance(Seconds(1));
    received += count_of(subscriber);
  }
  CHECK(received >= 45);
  CHECK(received <= 55);
  CHECK(world.core().take_released().empty());  // what it sends next would only wait as well
  for (int second = 0; second < 5; ++second) world.advance(Seconds(1));
  CHECK(received + count_of(subscriber) == 90);
  CHECK(world.core().take_released().size() == 1);
}

TEST_CASE("what a client sent before it went is still handled, its DISCONNECT too") {
  World world(limited(10, 0));
  auto& subscriber = world.peer().join("s").subscribe("t").subscribe("will");
  auto& publisher = world.peer();
  publisher.connect(
      {.version = publisher.version, .client_id = "p", .will = wire::Will{.topic = "will"}});
  publisher.all();
  auto bytes = burst(25, "x");
  SUBCASE("and the will is not published") {
    wire::encode(wire::Disconnect{}, wire::Version::v311, bytes);
    publisher.send_bytes(bytes);
    publisher.drop();
    for (int second = 0; second < 3; ++second) world.advance(Seconds(1));
    CHECK(count_of(subscriber) == 25);
  }
  SUBCASE("and the will is not published either when the broker stops first") {
    wire::encode(wire::Disconnect{}, wire::Version::v311, bytes);
    publisher.send_bytes(bytes);
    publisher.drop();
    world.core().shut_down(world.now);
    world.settle();
    CHECK(subscriber.all().find("will") == std::string::npos);
  }
  SUBCASE("and where there was none the will comes last") {
    publisher.send_bytes(bytes);
    publisher.drop();
    for (int second = 0; second < 3; ++second) world.advance(Seconds(1));
    CHECK(subscriber.all().ends_with("PUBLISH will q0 ''"));
  }
  SUBCASE("before somebody else comes with its client id") {
    wire::encode(wire::Disconnect{}, wire::Version::v311, bytes);
    publisher.send_bytes(bytes);
    auto& next = world.peer().connect({.version = publisher.version, .client_id = "p"});
    next.publish("t", "last");
    CHECK(count_of(subscriber) == 26);
    CHECK(next.all() == "CONNACK 00");
    CHECK(publisher.is_closed());
    return;
  }
  CHECK(std::holds_alternative<broker::fact::Ended>(world.facts.back()));
}

TEST_CASE("what was not read yet of somebody with whose client id another comes is read first") {
  Rivals rivals(limited(1, 0));
  auto& [world, subscriber, core, said, first] = rivals;
  const wire::Publish message{.topic = "t"};
  REQUIRE(core.take_throttled().size() == 1);
  const auto second = rivals.come();
  CHECK(std::ranges::count(core.take_throttled(), second) == 1);
  core.on_deadline(world.now);
  REQUIRE(core.take_released() == std::vector{first});
  REQUIRE(core.next_deadline() == world.now.steady);
  std::size_t expected = 3;
  SUBCASE("to its goodbye") {
    rivals.say(first, message);
    core.on_deadline(world.now);
    CHECK(core.connected_count() == 2);
    rivals.say(first, wire::Disconnect{});
    expected = 4;
  }
  SUBCASE("until it ceases to send") {
    rivals.say(first, message);
    core.on_deadline(world.now);
    core.on_deadline(world.now);
    expected = 5;  // the will
  }
  SUBCASE("for no longer than a second") {
    for (expected = 4; expected < 9; ++expected) {
      CHECK(rivals.is_there(first));
      rivals.say(first, message);
      world.now.steady += Millis(200);
      core.on_deadline(world.now);
    }
    CHECK_FALSE(rivals.is_there(first));
  }
  SUBCASE("and no more than its rate allows in ten") {
    for (expected = 4; expected < 13; ++expected) {
      CHECK(rivals.is_there(first));
      rivals.say(first, message);
      core.on_deadline(world.now);
    }
    CHECK_FALSE(rivals.is_there(first));
  }
  SUBCASE("and somebody else may still come") {
    const auto third = rivals.come();
    CHECK(rivals.is_there(first));
    CHECK_FALSE(rivals.is_there(second));
    core.on_deadline(world.now);
    core.on_deadline(world.now);
    CHECK(rivals.is_there(third));
    world.settle();
    CHECK(core.connected_count() == 2);
    CHECK(count_of(subscriber) == 4);  // the will among them
    return;
  }
  core.on_deadline(world.now);
  CHECK_FALSE(rivals.is_there(first));
  CHECK(core.connected_count() == 2);
  CHECK(std::ranges::count(core.take_released(), second) == 1);
  rivals.say(second, wire::Pingreq{});
  world.settle();
  CHECK(count_of(subscriber) == expected);
}

TEST_CASE("who has an heir is read for no longer though it waits for its turn again and again") {
  auto config = quiet();
  config.work_a_turn = 1;
  bool is_timed = true;
  SUBCASE("than a second") {}
  SUBCASE("than its rate allows in ten") {
    config.listeners[0].max_publish_rate = 1;
    is_timed = false;
  }
  Rivals rivals(config);
  rivals.come();
  int turns = 0;
  while (rivals.is_there(rivals.first) && turns < 100) {
    ++turns;
    if (is_timed) rivals.world.now.steady += Millis(200);
    if (!rivals.core.take_released().empty()) {
      for (int i = 0; i < 2; ++i) rivals.say(rivals.first, wire::Publish{.topic = "t"});
    }
    rivals.core.on_deadline(rivals.world.now);
    rivals.core.end_turn();
  }
  CHECK(turns > 2);
  CHECK(turns < 20);
}

TEST_CASE("what somebody owed before another came with its client id does not end it unheard") {
  Rivals rivals(limited(0, 100));
  const std::string long_payload(5000, 'x');
  rivals.say(rivals.first, wire::Publish{.topic = "t", .payload = bytes_of(long_payload)});
  rivals.come();
  for (int i = 0; i < 2; ++i) rivals.core.on_deadline(rivals.world.now);
  REQUIRE(rivals.is_there(rivals.first));
  rivals.say(rivals.first, wire::Disconnect{});
  rivals.world.settle();
  CHECK(count_of(rivals.subscriber) == 4);  // no will
}

TEST_CASE("who is not read because the store is behind is heard when it has caught up") {
  Rivals rivals(quiet());
  auto& core = rivals.core;
  rivals.come();
  const auto came = rivals.world.now.steady;
  for (int i = 0; i < 2; ++i) core.on_deadline(rivals.world.now);
  core.take_released();
  core.hold_back(rivals.first, true, rivals.world.now);
  for (int i = 0; i < 3; ++i) core.on_deadline(rivals.world.now);
  CHECK(rivals.is_there(rivals.first));
  CHECK(core.next_deadline() > came);
  CHECK_FALSE(core.is_above_rate(rivals.first));
  SUBCASE("but not for longer than a second") {
    for (int i = 0; rivals.is_there(rivals.first) && i < 10; ++i) {
      rivals.world.now.steady = core.next_deadline();
      core.on_deadline(rivals.world.now);
    }
    CHECK_FALSE(rivals.is_there(rivals.first));
    CHECK(rivals.world.now.steady == came + Seconds(1));
  }
  core.hold_back(rivals.first, false, rivals.world.now);
  SUBCASE("also when the configuration is read again meanwhile") {
    core.use_config(quiet(), rivals.world.now);
    core.on_deadline(rivals.world.now);
    CHECK(rivals.is_there(rivals.first));
  }
  SUBCASE("to its goodbye") {
    rivals.world.now.steady += Millis(250);
    core.on_deadline(rivals.world.now);
    REQUIRE(core.take_released() == std::vector{rivals.first});
    rivals.say(rivals.first, wire::Disconnect{});
    rivals.world.settle();
    CHECK_FALSE(rivals.is_there(rivals.first));
    CHECK(count_of(rivals.subscriber) == 3);  // no will
  }
}

TEST_CASE("who comes with a client id that is held is not read before it has it") {
  Rivals rivals(limited(10, 0));
  auto& core = rivals.core;
  const auto second = core.on_open(0, rivals.world.now);
  rivals.said.emplace_back();
  wire::encode(wire::Connect{.client_id = "p"}, wire::Version::v311, rivals.said.back());
  const auto message = burst(1, "x");
  rivals.said.back().insert(rivals.said.back().end(), message.begin(), message.end());
  core.on_bytes(second, rivals.said.back(), rivals.world.now);
  CHECK(std::ranges::count(core.take_throttled(), second) == 1);
  CHECK(rivals.is_there(rivals.first));
  for (int i = 0; i < 3; ++i) core.on_deadline(rivals.world.now);
  CHECK_FALSE(rivals.is_there(rivals.first));
  CHECK(std::ranges::count(core.take_released(), second) == 1);
  core.on_close(second, rivals.world.now);
  rivals.world.settle();
  CHECK(count_of(rivals.subscriber) == 5);  // the will among them
}

TEST_CASE("a client id stays with who waits by a rate when the wait is over in the same turn") {
  Rivals rivals(limited(1, 0));
  rivals.world.now.steady += Millis(900);
  rivals.come();
  rivals.world.now.steady += Millis(100);
  rivals.core.on_deadline(rivals.world.now);
  CHECK(rivals.is_there(rivals.first));
  CHECK(rivals.core.take_released() == std::vector{rivals.first});
}

TEST_CASE("a client id stays with who waits by a rate when the rate is taken away") {
  Rivals rivals(limited(1, 0));
  rivals.come();
  rivals.core.use_config(quiet(), rivals.world.now);
  rivals.core.on_deadline(rivals.world.now);
  CHECK(rivals.is_there(rivals.first));
  CHECK(std::ranges::count(rivals.core.take_released(), rivals.first) > 0);
}

TEST_CASE("who comes when a client id has just been left comes behind who waits for it") {
  Rivals rivals(limited(1, 0));
  const auto second = rivals.come();
  rivals.core.on_deadline(rivals.world.now);
  rivals.say(rivals.first, wire::Disconnect{});
  const auto third = rivals.come();
  rivals.world.settle();
  CHECK_FALSE(rivals.is_there(second));
  CHECK(rivals.is_there(third));
}

TEST_CASE("who waits for a client id is asked for its password if there are passwords by then") {
  auto config = limited(1, 0);
  Rivals rivals(config);
  auto& core = rivals.core;
  const auto second = core.on_open(0, rivals.world.now);
  rivals.say(second, wire::Connect{.client_id = "p", .user_name = "u"});
  config.listeners[0].has_passwords = true;
  core.use_config(config, rivals.world.now);
  core.on_deadline(rivals.world.now);
  rivals.say(rivals.first, wire::Disconnect{});
  CHECK(core.take_verifications().empty());
  core.on_deadline(rivals.world.now);
  const auto asked = core.take_verifications();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].connection == second);
  CHECK(std::ranges::count(core.take_released(), second) == 0);
  core.on_verified(second, broker::Verdict::wrong, rivals.world.now);
  CHECK_FALSE(rivals.is_there(second));
  CHECK(core.connected_count() == 1);
}

TEST_CASE("who waits for a client id with the right password is not asked again") {
  auto config = limited(1, 0);
  config.listeners[0].has_passwords = true;
  Rivals rivals(config);
  auto& core = rivals.core;
  const auto come_as_user = [&rivals] {
    const auto id = rivals.core.on_open(0, rivals.world.now);
    rivals.say(id, wire::Connect{.client_id = "p", .user_name = "u"});
    return id;
  };
  const auto second = come_as_user();
  REQUIRE(core.take_verifications().size() == 1);
  core.on_verified(second, broker::Verdict::right, rivals.world.now);
  core.on_deadline(rivals.world.now);
  const auto third = come_as_user();
  REQUIRE(core.take_verifications().size() == 1);
  rivals.say(rivals.first, wire::Disconnect{});
  SUBCASE("and comes before who is verified later") {
    core.on_verified(third, broker::Verdict::right, rivals.world.now);
    rivals.world.settle();
    CHECK_FALSE(rivals.is_there(second));
    CHECK(rivals.is_there(third));
  }
  SUBCASE("unless the file of passwords has changed") {
    SUBCASE("and is read again") {
      core.expel(0, {}, rivals.world.now);
    }
    SUBCASE("and was gone meanwhile") {
      core.forget_passwords(0);
    }
    core.on_deadline(rivals.world.now);
    const auto asked = core.take_verifications();
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].connection == second);
  }
}

TEST_CASE("above a rate is who waits by it, and not who waits for its next turn") {
  auto config = limited(1, 0);
  config.work_a_turn = 1;
  bool has_rate = true;
  SUBCASE("with a rate") {}
  SUBCASE("without one") {
    config.listeners[0].max_publish_rate = 0;
    has_rate = false;
  }
  Rivals rivals(config);
  CHECK(std::ranges::count(rivals.core.take_throttled(), rivals.first) > 0);
  rivals.core.end_turn();
  if (has_rate) {
    for (int i = 0; i < 3; ++i) rivals.core.on_deadline(rivals.world.now);
  }
  CHECK(rivals.core.is_above_rate(rivals.first) == has_rate);
}

TEST_CASE("what was not read of a client is told with its end, or when the end comes later") {
  Rivals rivals(limited(1, 0));
  rivals.world.facts.clear();
  const auto unread = [&rivals] {
    return std::ranges::count_if(rivals.core.take_facts(), [](const broker::Fact& fact) {
      return std::holds_alternative<broker::fact::Unread>(fact);
    });
  };
  SUBCASE("of one who is owed a turn") {
    rivals.core.on_close(rivals.first, rivals.world.now, 7);
    CHECK(unread() == 1);
  }
  SUBCASE("by the driver, of one who ends at once") {
    for (int i = 0; i < 3; ++i) {
      rivals.world.now.steady += Seconds(1);
      rivals.core.on_deadline(rivals.world.now);
    }
    rivals.core.on_close(rivals.first, rivals.world.now, 7);
    CHECK(unread() == 0);
  }
}

TEST_CASE("the last of those who wait for one client id gets it") {
  auto config = limited(1, 0);
  config.work_a_turn = 1;
  World world(config);
  auto& subscriber = world.peer().join("s").subscribe("t");
  auto& publisher = world.peer().join("p");
  publisher.send_bytes(burst(5, "x"));
  // Between two turns: the first one's messages are not handled yet.
  std::vector<Byte> connect;
  wire::encode(wire::Connect{.client_id = "p"}, wire::Version::v311, connect);
  std::array<broker::ConnectionId, 2> heirs{};
  for (auto& heir : heirs) {
    heir = world.core().on_open(0, world.now);
    world.core().on_bytes(heir, connect, world.now);
    CHECK(world.core().connected_count() == 2);
  }
  world.core().end_turn();
  world.settle();
  CHECK(count_of(subscriber) == 5);
  CHECK(publisher.is_closed());
  CHECK(world.core().output(heirs[0]) == nullptr);
  CHECK(world.core().output(heirs[1]) != nullptr);
  CHECK(world.core().connected_count() == 2);
}

TEST_CASE("when the broker stops, a goodbye is heard also behind half a packet") {
  World world(limited(0, 100));
  auto& subscriber = world.peer().join("s").subscribe("will");
  auto& publisher = world.peer();
  publisher.connect(
      {.version = publisher.version, .client_id = "p", .will = wire::Will{.topic = "will"}});
  auto bytes = burst(2, std::string(200, '\xe0'));
  wire::encode(wire::Disconnect{}, wire::Version::v311, bytes);
  const auto [half, rest] = std::pair(ByteView(bytes).first(300), ByteView(bytes).subspan(300));
  publisher.send_bytes(half).send_bytes(rest);
  publisher.drop();
  world.core().shut_down(world.now);
  world.settle();
  CHECK(subscriber.all() == "closed");
}

TEST_CASE(
    "a message that is longer than what may be sent in a second is handled when it is whole") {
  World world(limited(0, 1000));
  auto& subscriber = world.peer().join("s").subscribe("t");
  std::vector<Byte> bytes;
  wire::Connect connect;
  connect.client_id = "p";
  wire::encode(connect, wire::Version::v311, bytes);
  const auto id = world.core().on_open(0, world.now);
  world.core().on_bytes(id, bytes, world.now);
  world.settle();
  const auto message = burst(1, std::string(100'000, 'x'));
  world.core().on_bytes(id, ByteView(message).first(40'000), world.now);
  world.core().end_turn();
  const auto tail = world.core().tail(id);
  REQUIRE(tail.size() == message.size() - 40'000);
  std::ranges::copy(ByteView(message).subspan(40'000), tail.begin());
  world.core().on_tail(id, tail.size(), world.now);
  world.settle();
  CHECK(count_of(subscriber) == 1);
  CHECK(world.core().take_throttled().size() == 1);  // it is paid for later
  world.core().on_bytes(id, burst(1, "x"), world.now);
  world.core().end_turn();
  world.core().on_close(id, world.now);
  for (int i = 0; i < 90; ++i) world.advance(Seconds(1));
  CHECK(count_of(subscriber) == 0);
  for (int i = 0; i < 20; ++i) world.advance(Seconds(1));
  CHECK(count_of(subscriber) == 1);
  CHECK(world.core().connected_count() == 1);
}

TEST_CASE("what comes while a client waits stays behind what waits already") {
  World world(limited(1, 0));
  auto& subscriber = world.peer().join("s").subscribe("t");
  auto& publisher = world.peer().join("p");
  for (const char* payload : {"1", "2", "3", "4"}) publisher.publish("t", payload);
  for (int i = 0; i < 40; ++i) world.advance(Millis(250));
  CHECK(subscriber.all() ==
        "PUBLISH t q0 '1'; PUBLISH t q0 '2'; PUBLISH t q0 '3'; PUBLISH t q0 '4'");
}

TEST_CASE("max_bytes_rate makes a client wait until what it has sent is paid for") {
  World world(limited(0, 1000));
  auto& subscriber = world.peer().join("s").subscribe("t");
  auto& publisher = world.peer().join("p");
  publisher.send_bytes(burst(1, std::string(3000, 'x')));
  publisher.publish("t", "next");
  CHECK(count_of(subscriber) == 1);
  world.advance(Millis(1500));
  CHECK(count_of(subscriber) == 0);
  world.advance(Millis(1000));
  CHECK(count_of(subscriber) == 1);
}

TEST_CASE("of a burst far above max_bytes_rate the first packets are answered at once") {
  World world(limited(0, 1000));
  auto& publisher = world.peer().join("p");
  std::vector<Byte> bytes;
  for (std::uint16_t id = 1; id <= 200; ++id) {
    wire::encode(wire::Publish{.qos = QoS::at_least_once,
                               .topic = "t",
                               .packet_id = id,
                               .payload = bytes_of(std::string(93, 'x'))},
                 wire::Version::v311, bytes);
  }
  REQUIRE(bytes.size() == 20'000);
  publisher.send_bytes(bytes);
  std::size_t answered = count_of(publisher);
  CHECK(answered >= 10);
  CHECK(answered <= 12);
  for (int second = 0; second < 5; ++second) world.advance(Seconds(1));
  answered += count_of(publisher);
  CHECK(answered >= 58);
  CHECK(answered <= 62);
}

TEST_CASE("what comes with CONNECT counts like what comes later") {
  auto config = limited(0, 1000);
  std::vector<Byte> bytes;
  wire::Connect connect{.client_id = "p"};
  SUBCASE("without a password") {}
  SUBCASE("with one") {
    config.listeners[0].has_passwords = true;
    connect.user_name = "u";
  }
  World world(config);
  wire::encode(wire::Connect{.client_id = "s", .user_name = "u"}, wire::Version::v311, bytes);
  auto& subscriber = world.peer().send_bytes(bytes);
  const auto verify = [&world] {
    for (const auto& asked : world.core().take_verifications()) {
      world.core().on_verified(asked.connection, broker::Verdict::right, world.now);
    }
    world.settle();
  };
  verify();
  subscriber.subscribe("t");
  bytes.clear();
  wire::encode(connect, wire::Version::v311, bytes);
  const auto messages = burst(200, std::string(95, 'x'));
  bytes.insert(bytes.end(), messages.begin(), messages.end());
  world.peer().send_bytes(bytes);
  verify();
  const std::size_t heard = count_of(subscriber);
  CHECK(heard >= 10);
  CHECK(heard <= 13);
}

TEST_CASE("a client that was silent has saved up a second's worth of bytes, not more") {
  World world(limited(0, 1000));
  auto& subscriber = world.peer().join("s").subscribe("t");
  auto& publisher = world.peer().join("p");
  for (int i = 0; i < 50; ++i) world.advance(Seconds(1));
  publisher.send_bytes(burst(200, std::string(95, 'x')));
  const std::size_t heard = count_of(subscriber);
  CHECK(heard >= 10);
  CHECK(heard <= 12);
}

TEST_CASE("the wait does not count against the keep alive, and other clients do not wait") {
  World world(limited(1, 0));
  world.peer().join("s").subscribe("t");
  auto& publisher = world.peer().connect({.keep_alive = 10, .client_id = "p"});
  auto& other = world.peer().join("other");
  publisher.all();
  publisher.send_bytes(burst(60, "x"));
  for (int i = 0; i < 50; ++i) world.advance(Seconds(1));
  CHECK_FALSE(publisher.is_closed());
  CHECK(other.publish("t", "x", QoS::at_least_once, 1).all() == "PUBACK 1");
  for (int i = 0; i < 30; ++i) world.advance(Seconds(1));
  CHECK(publisher.is_closed());
}

TEST_CASE("a listener whose rate is taken away lets its clients go on at once") {
  World world(limited(1, 0));
  auto& subscriber = world.peer().join("s").subscribe("t");
  world.peer().join("p").send_bytes(burst(5, "x"));
  CHECK(count_of(subscriber) == 1);
  world.core().use_config(quiet(), world.now);
  world.settle();
  CHECK(count_of(subscriber) == 4);
  CHECK(world.core().take_released().size() == 1);
}

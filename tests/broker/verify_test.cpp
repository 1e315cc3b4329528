#include <doctest/doctest.h>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using broker::Verdict;
using wire::Connect;
using wire::Version;

namespace {

broker::Config with_passwords() {
  auto config = quiet();
  config.max_packet_size = 0;
  config.max_inflight_messages = 0;
  config.listeners = {{.allow_anonymous = false,
                       .has_passwords = true,
                       .auto_id_prefix = "a-",
                       .max_topic_alias = 0},
                      {.allow_anonymous = true,
                       .has_passwords = true,
                       .auto_id_prefix = "a-",
                       .max_topic_alias = 0}};
  return config;
}

Connect user(std::string_view name, std::string_view password, Version version = Version::v311) {
  Connect connect;
  connect.version = version;
  connect.client_id = "id";
  connect.user_name = name;
  connect.password = bytes_of(password);
  return connect;
}

void answer(World& world, Verdict verdict) {
  for (const auto& asked : world.core().take_verifications()) {
    world.core().on_verified(asked.connection, verdict, world.now);
  }
  world.settle();
}

}  // namespace

TEST_CASE("a user waits for the verdict on the password, and then comes in") {
  World world(with_passwords());
  Peer& peer = world.peer().connect(user("alice", "secret"));
  CHECK(peer.all().empty());
  const auto asked = world.core().take_verifications();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].user_name == "alice");
  CHECK(asked[0].password == "secret");
  CHECK(asked[0].listener == 0);
  world.core().on_verified(asked[0].connection, Verdict::right, world.now);
  world.settle();
  CHECK(peer.all() == "CONNACK 00");
}

TEST_CASE(
    "a wrong password is refused with 5 in v3 and 0x87 in v5, as mosquitto does [MQTT-3.1.4-2]") {
  World world(with_passwords());
  Peer& old = world.peer().connect(user("alice", "x"));
  Peer& young = world.peer().connect(user("alice", "x", Version::v5));
  answer(world, Verdict::wrong);
  CHECK(old.all() == "CONNACK 05; closed");
  CHECK(young.all() == "CONNACK 87; closed");
  CHECK(world.core().session_count() == 0);
}

TEST_CASE("what does not let a client in is looked for again when its password is known") {
  auto config = with_passwords();
  config.global_max_clients = 1;
  World world(config);
  auto connect = user("alice", "secret");
  Peer& first = world.peer().connect(connect);
  connect.client_id = "other";
  Peer& second = world.peer().connect(connect);
  answer(world, Verdict::right);
  CHECK(first.all() == "CONNACK 00");
  CHECK(second.all() == "CONNACK 03; closed");
}

TEST_CASE("who names no user is let in by allow_anonymous only, and nobody is asked") {
  World world(with_passwords());
  Connect connect;
  connect.client_id = "a";
  CHECK(world.peer(0).connect(connect).all() == "CONNACK 05; closed");
  CHECK(world.peer(1).connect(connect).all() == "CONNACK 00");
  connect.version = Version::v5;
  connect.client_id = "b";
  connect.password = bytes_of("a password alone");
  CHECK(world.peer(0).connect(connect).all() == "CONNACK 87; closed");
  CHECK(world.peer(1).connect(connect).all() == "CONNACK 00");
  CHECK(world.core().take_verifications().empty());
}

TEST_CASE("allow_anonymous lets nobody in under a name without its password") {
  World world(with_passwords());
  auto connect = user("alice", "");
  connect.password.reset();
  Peer& peer = world.peer(1).connect(connect);
  Peer& nameless = world.peer(1).connect(user("", "x"));
  answer(world, Verdict::wrong);
  CHECK(peer.all() == "CONNACK 05; closed");
  CHECK(nameless.all() == "CONNACK 05; closed");
}

TEST_CASE("what comes behind a CONNECT waits with it, however it is cut") {
  World world(with_passwords());
  Peer& other = world.peer(1).join("other").subscribe("t");
  std::vector<Byte> bytes;
  wire::encode(user("alice", "secret"), Version::v311, bytes);
  wire::encode(wire::Publish{.topic = "t", .properties = {}, .payload = bytes_of("1")},
               Version::v311, bytes);
  wire::encode(wire::Publish{.topic = "t", .properties = {}, .payload = bytes_of("2")},
               Version::v311, bytes);
  for (const std::size_t cut : {bytes.size(), bytes.size() - 3, bytes.size() - 8}) {
    Peer& peer = world.peer();
    peer.send_bytes(ByteView(bytes).first(cut));
    peer.send_bytes(ByteView(bytes).subspan(cut));
    CHECK(peer.all().empty());
    CHECK(other.all().empty());
    answer(world, Verdict::right);
    CHECK(other.next() == "PUBLISH t q0 '1'");
    CHECK(other.next() == "PUBLISH t q0 '2'");
    peer.disconnect();
  }
}

TEST_CASE("a client that leaves, and one that sends too much, are no trouble") {
  World world(with_passwords());
  Peer& peer = world.peer().connect(user("alice", "secret"));
  peer.drop();
  answer(world, Verdict::right);
  CHECK(world.core().connection_count() == 0);

  Peer& loud = world.peer().connect(user("alice", "secret"));
  const std::vector<Byte> noise(600'000);
  loud.send_bytes(noise);
  CHECK_FALSE(loud.is_closed());
  loud.send_bytes(noise);
  CHECK(loud.is_closed());
  answer(world, Verdict::right);
  CHECK(world.core().session_count() == 0);
}

TEST_CASE("a verdict that does not come in time is a busy server") {
  World world(with_passwords());
  Peer& peer = world.peer().connect(user("alice", "secret", Version::v5));
  world.advance(Seconds(29));
  CHECK_FALSE(peer.is_closed());
  world.advance(Seconds(2));
  CHECK(peer.all() == "CONNACK 89; closed");
  answer(world, Verdict::right);
  CHECK(world.core().session_count() == 0);
}

TEST_CASE("the wait for the verdict does not count against the keep alive") {
  World world(with_passwords());
  auto connect = user("alice", "secret");
  connect.keep_alive = 10;
  Peer& peer = world.peer().connect(connect);
  world.advance(Seconds(20));
  answer(world, Verdict::right);
  world.advance(Seconds(14));
  CHECK(peer.all() == "CONNACK 00");
  world.advance(Seconds(2));
  CHECK(peer.is_closed());
}

TEST_CASE("who is proved by the transport needs no password") {
  World world(with_passwords());
  const auto id = world.core().on_open(0, world.now);
  world.core().on_proved(id, "cn");
  std::vector<Byte> bytes;
  wire::encode(user("alice", "x"), Version::v311, bytes);
  world.core().on_bytes(id, bytes, world.now);
  CHECK(world.core().take_verifications().empty());
  CHECK(world.core().connected_count() == 1);
}

#include <doctest/doctest.h>

#include "support/notation.hpp"
#include "support/world.hpp"

// Statements of CONNECT, of sessions and wills that no other test is about.

using namespace mq;
using namespace mq::support;
using wire::Connect;
using wire::PropertyId;
using wire::PropertyList;
using wire::QoS;
using wire::Version;

namespace {

constexpr wire::SubscriptionOptions kQoS1{.qos = QoS::at_least_once};

Connect kept(std::string_view id, Version version = Version::v311) {
  Connect connect;
  connect.version = version;
  connect.client_id = id;
  connect.clean_start = false;
  return connect;
}

Connect with_will(bool retain) {
  Connect connect;
  connect.client_id = "a";
  connect.will = wire::Will{.topic = "wills/a", .payload = bytes_of("gone"), .retain = retain};
  return connect;
}

std::size_t wills_stored(World& world) {
  std::size_t count = 0;
  for (const auto& [id, session] : world.store.load().sessions) count += session.will ? 1U : 0U;
  return count;
}

}  // namespace

TEST_CASE("without clean start there is a new session where there was none [MQTT-3.1.2-6]") {
  World world(quiet());
  CHECK(world.peer().connect(kept("new")).all() == "CONNACK 00");
  CHECK(world.peer().connect(kept("newer", Version::v5)).all().starts_with("CONNACK 00 {"));
  CHECK(world.core().session_count() == 2);
}

TEST_CASE(
    "the client id names the session, whatever its letters and digits [MQTT-3.1.3-2] "
    "[MQTT-3.1.3-5]") {
  World world(quiet());
  for (const auto* id :
       {"a", "0123456789ABCDEFGHIJKLM", "NOPQRSTUVWXYZabcdefghij", "klmnopqrstuvwxyz"}) {
    CHECK(world.peer().connect(kept(id)).all() == "CONNACK 00");
    world.peer().connect(kept(id)).drop();
    CHECK(world.peer().connect(kept(id)).all() == "CONNACK 00 present");
  }
  CHECK(world.core().session_count() == 4);
}

TEST_CASE("nothing behind a refused CONNECT is looked at [MQTT-3.1.4-6]") {
  World world(quiet());
  auto& listener = world.peer().join("listener").subscribe("#");
  const auto answer = [&world](const Connect& refused) {
    std::vector<Byte> bytes;
    wire::encode(refused, refused.version, bytes);
    wire::encode(wire::Publish{.topic = "t", .payload = bytes_of("x")}, refused.version, bytes);
    auto& peer = world.peer();
    peer.version = refused.version;
    return peer.send_bytes(bytes).all();
  };
  CHECK(answer(kept("")) == "CONNACK 02; closed");
  PropertyList properties;
  properties.add(PropertyId::authentication_method, std::string_view("riddles"));
  auto riddler = kept("a", Version::v5);
  riddler.properties = properties.view();
  CHECK(answer(riddler) == "CONNACK 8C; closed");
  CHECK(listener.all() == "");
}

TEST_CASE(
    "a v3 CONNECT that is malformed is not answered: no return code fits [MQTT3-3.1.4-1] "
    "[MQTT3-3.2.2-6]") {
  World world(quiet());
  CHECK(world.peer().send_bytes(bytes("10 [ ('MQTT') 04 03 003c ('a') ]")).all() == "closed");
  CHECK(world.peer().send_bytes(bytes("10 [ ('MQTT') 04 06 003c ('a') ('#') () ]")).all() ==
        "closed");
}

TEST_CASE("a v3 password without a user name is malformed [MQTT3-3.1.2-22]") {
  World world(quiet());
  CHECK(world.peer().send_bytes(bytes("10 [ ('MQTT') 04 42 003c ('a') ('p') ]")).all() == "closed");
}

TEST_CASE("who sent CONNACK or DISCONNECT with 0x80 or more closes [MQTT-4.13.2-1]") {
  auto config = quiet();
  config.listeners[0].allow_anonymous = false;
  World world(config);
  Connect connect;
  connect.version = Version::v5;
  CHECK(world.peer().connect(connect).all() == "CONNACK 87; closed");
  World open(quiet());
  CHECK(open.peer().join("a", Version::v5).send(wire::Pingresp{}).all() == "DISCONNECT 82; closed");
}

TEST_CASE(
    "a will is kept with its session until it is published or taken back [MQTT-3.1.2-7] "
    "[MQTT-3.1.2-10]") {
  World world(durable());
  auto connect = with_will(false);
  connect.clean_start = false;
  auto& peer = world.peer().connect(connect);
  CHECK(wills_stored(world) == 1);
  SUBCASE("published") {
    peer.drop();
  }
  SUBCASE("taken back") {
    peer.disconnect();
  }
  CHECK(wills_stored(world) == 0);
  auto& watcher = world.peer().join("w").subscribe("wills/#");
  world.peer().connect(kept("a")).drop();
  CHECK(watcher.all() == "");
}

TEST_CASE(
    "a delayed will is kept until it is published, or its client is back [MQTT-3.1.2-7] "
    "[MQTT-3.1.2-10]") {
  World world(durable());
  PropertyList expiry;
  expiry.add(PropertyId::session_expiry_interval, 100U);
  PropertyList delay;
  delay.add(PropertyId::will_delay_interval, 10U);
  auto connect = with_will(false);
  connect.version = Version::v5;
  connect.clean_start = false;
  connect.properties = expiry.view();
  connect.will->properties = delay.view();
  world.peer().connect(connect).drop();
  CHECK(wills_stored(world) == 1);
  SUBCASE("published") {
    world.advance(Seconds(11));
  }
  SUBCASE("its client is back") {
    connect.will.reset();
    world.peer().connect(connect);
  }
  CHECK(wills_stored(world) == 0);
}

TEST_CASE(
    "a will is retained when its flag says so, and only then [MQTT-3.1.2-14] [MQTT-3.1.2-15]") {
  World world(quiet());
  world.peer().connect(with_will(false)).drop();
  CHECK(world.core().retained_count() == 0);
  world.peer().connect(with_will(true)).drop();
  CHECK(world.peer().join("late").subscribe("#").all() == "PUBLISH wills/a q0 retain 'gone'");
}

TEST_CASE("without a will none is published [MQTT3-3.1.2-12]") {
  World world(quiet());
  auto& watcher = world.peer().join("w").subscribe("#");
  world.peer().join("a").drop();
  CHECK(watcher.all() == "");
}

TEST_CASE("the user properties of a will keep their order [MQTT-3.1.3-10]") {
  World world(quiet());
  auto& watcher = world.peer().join("w", Version::v5).subscribe("#");
  PropertyList properties;
  properties.add_user("k", "2").add_user("k", "1").add_user("a", "3");
  auto connect = with_will(false);
  connect.version = Version::v5;
  connect.will->properties = properties.view();
  world.peer().connect(connect).drop();
  CHECK(watcher.all() == "PUBLISH wills/a q0 {k:2, k:1, a:3} 'gone'");
}

TEST_CASE("a session is there as long as its connection, however long [MQTT-4.1.0-1]") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::session_expiry_interval, 10U);
  Connect connect = kept("a");
  connect.version = Version::v5;
  connect.properties = properties.view();
  auto& peer = world.peer().connect(connect).subscribe("t", kQoS1);
  peer.all();
  world.advance(std::chrono::hours(24));
  world.peer().join("p").publish("t", "x", QoS::at_least_once, 1);
  CHECK(peer.all() == "PUBLISH t q1 id=1 'x'");
}

TEST_CASE("retained messages outlive the session of their publisher [MQTT3-3.1.2-7]") {
  World world(quiet());
  world.peer().join("p").retain("t", "x").disconnect();
  CHECK(world.core().session_count() == 0);
  CHECK(world.peer().join("s").subscribe("t").all() == "PUBLISH t q0 retain 'x'");
}

TEST_CASE(
    "no answer carries a reason string or user properties, so none can be too large for its "
    "client [MQTT-3.1.2-29] [MQTT-3.2.2-19] [MQTT-3.2.2-20] [MQTT-3.4.2-2] [MQTT-3.4.2-3] "
    "[MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] "
    "[MQTT-3.9.2-1] [MQTT-3.9.2-2] [MQTT-3.11.2-1] [MQTT-3.11.2-2] [MQTT-3.14.2-3] "
    "[MQTT-3.14.2-4]") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::maximum_packet_size, 40U)
      .add(PropertyId::request_problem_information, 0U);
  Connect connect;
  connect.version = Version::v5;
  connect.client_id = "a";
  connect.properties = properties.view();
  auto& peer = world.peer().connect(connect);
  CHECK(peer.all() ==
        "CONNACK 00 {topic-alias-maximum=10, maximum-packet-size=2000000, receive-maximum=20}");
  CHECK(peer.publish("$SYS/x", "", QoS::at_least_once, 1).all() == "PUBACK 1 87");
  CHECK(peer.publish("$SYS/x", "", QoS::exactly_once, 2).all() == "PUBREC 2 87");
  CHECK(peer.send(wire::Pubrel{3, {}, {}}).all() == "PUBCOMP 3 92");
  CHECK(peer.send(wire::Pubrec{4, {}, {}}).all() == "PUBREL 4 92");
  CHECK(peer.send(wire::Subscribe{5, {}, {{"t", {}}}}).all() == "SUBACK 5 00");
  CHECK(peer.send(wire::Unsubscribe{6, {}, {"u"}}).all() == "UNSUBACK 6 11");
  CHECK(peer.send(wire::Pingresp{}).all() == "DISCONNECT 82; closed");
}

TEST_CASE("response information is for those who ask only [MQTT-3.1.2-28]") {
  World world(quiet());
  Connect connect;
  connect.version = Version::v5;
  connect.client_id = "a";
  CHECK(world.peer().connect(connect).all().find("response-information") == std::string::npos);
}

TEST_CASE("a DISCONNECT carries no code that only CONNACK may carry [MQTT-3.14.2-1]") {
  World world(quiet());
  auto& peer = world.peer().join("a", Version::v5);
  CHECK(peer.send_bytes(bytes("10 [ ('HTTP') 05 02 003c 00 ('a') ]")).all() ==
        "DISCONNECT 82; closed");
}

TEST_CASE("the first packet that a client gets is its one CONNACK [MQTT-3.2.0-1] [MQTT-3.2.0-2]") {
  for (const auto version : {Version::v311, Version::v5}) {
    World world(durable());
    world.peer().join("p").retain("t", "kept");
    world.is_storing = false;
    PropertyList expiry;
    if (version == Version::v5) expiry.add(PropertyId::session_expiry_interval, 100U);
    auto connect = kept("a", version);
    connect.properties = expiry.view();
    std::vector<Byte> bytes;
    wire::encode(connect, version, bytes);
    wire::encode(wire::Subscribe{1, {}, {{"t", kQoS1}}}, version, bytes);
    wire::encode(wire::Pingreq{}, version, bytes);
    auto& peer = world.peer();
    peer.version = version;
    peer.send_bytes(bytes);
    world.peer().join("q").publish("t", "live", QoS::at_least_once, 1);
    CHECK(peer.all() == "");
    world.is_storing = true;
    world.settle();
    CHECK(peer.next().starts_with("CONNACK 00"));
    CHECK(peer.all().find("CONNACK") == std::string::npos);
    peer.drop();
    auto& again = world.peer().connect(connect);
    CHECK(again.next().starts_with("CONNACK 00 present"));
    CHECK(again.all().starts_with("PUBLISH t q1"));
    CHECK(again.connect(connect).all() ==
          (version == Version::v5 ? "DISCONNECT 82; closed" : "closed"));
  }
}

TEST_CASE("a refusal speaks of no session, though there is one [MQTT-3.2.2-6]") {
  World world(quiet());
  world.peer().resume("a", Version::v5).drop();
  PropertyList properties;
  properties.add(PropertyId::authentication_method, std::string_view("riddles"));
  Connect connect = kept("a");
  connect.version = Version::v5;
  connect.properties = properties.view();
  CHECK(world.peer().connect(connect).all() == "CONNACK 8C; closed");
  CHECK(world.core().session_count() == 1);
}

#include <doctest/doctest.h>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using wire::Connect;
using wire::PropertyId;
using wire::PropertyList;
using wire::QoS;
using wire::Version;

namespace {

Connect named(std::string_view id, Version version = Version::v311) {
  Connect connect;
  connect.version = version;
  connect.client_id = id;
  return connect;
}

}  // namespace

TEST_CASE("a CONNECT is answered with CONNACK [MQTT-3.1.4-5]") {
  World world(quiet());
  CHECK(world.peer().connect(named("a")).all() == "CONNACK 00");
  CHECK(world.peer().connect(named("b", Version::v31)).all() == "CONNACK 00");
  CHECK(world.core().connected_count() == 2);
}

TEST_CASE(
    "a v5 CONNACK names the limits, in the order that programs rely on, and no authentication "
    "method [MQTT-3.1.4-5] [MQTT-4.12.0-6]") {
  World world(quiet());
  CHECK(world.peer().connect(named("a", Version::v5)).all() ==
        "CONNACK 00 {topic-alias-maximum=10, maximum-packet-size=2000000, receive-maximum=20}");
}

TEST_CASE("limits that are off are not named") {
  auto config = quiet();
  config.listeners[0].max_topic_alias = 0;
  config.max_packet_size = 0;
  config.max_inflight_messages = 0;
  World world(config);
  CHECK(world.peer().connect(named("a", Version::v5)).all() == "CONNACK 00");
}

TEST_CASE(
    "an empty client id is assigned one that starts with auto- [MQTT-3.1.3-6] [MQTT-3.1.3-7] "
    "[MQTT-3.2.2-16]") {
  auto config = quiet();
  config.listeners[0].max_topic_alias = 0;
  config.max_packet_size = 0;
  config.max_inflight_messages = 0;
  World world(config);
  const auto connack = world.peer().connect(named("", Version::v5)).all();
  CHECK(connack.starts_with("CONNACK 00 {assigned-client-identifier=auto-"));
  CHECK(connack.size() == std::string("CONNACK 00 {assigned-client-identifier=auto-}").size() + 36);
  CHECK(world.peer().connect(named("", Version::v5)).all() != connack);
  CHECK(world.peer().connect(named("")).all() == "CONNACK 00");
  std::uint64_t next = 0x0123456789ABCDEFULL;
  world.core().use_random([&next] { return next++; });
  CHECK(world.peer().connect(named("", Version::v5)).all() ==
        "CONNACK 00 {assigned-client-identifier=auto-FEDCBA98-7654-3210-0FDC-BA9876543210}");
  next -= 2;  // that is somebody's
  CHECK(world.peer().connect(named("", Version::v5)).all() ==
        "CONNACK 00 {assigned-client-identifier=auto-1FDCBA98-7654-3210-2FDC-BA9876543210}");
}

TEST_CASE(
    "an empty client id with a session to keep is refused before v5 [MQTT3-3.1.3-8] "
    "[MQTT3-3.1.3-9] [MQTT3-3.2.2-5]") {
  World world(quiet());
  auto connect = named("");
  connect.clean_start = false;
  CHECK(world.peer().connect(connect).all() == "CONNACK 02; closed");
  CHECK(world.peer().connect(named("", Version::v31)).all() == "CONNACK 02; closed");
}

TEST_CASE("clientid_prefixes refuses every other client id") {
  auto config = quiet();
  config.clientid_prefixes = "house-";
  World world(config);
  CHECK(world.peer().connect(named("house-1")).all() == "CONNACK 00");
  CHECK(world.peer().connect(named("")).all() == "CONNACK 00");
  CHECK(world.peer().connect(named("hous")).all() == "CONNACK 05; closed");
  CHECK(world.peer().connect(named("x", Version::v5)).all() == "CONNACK 87; closed");
}

TEST_CASE("allow_zero_length_clientid false refuses an empty client id [MQTT-3.1.3-8]") {
  auto config = quiet();
  config.allow_zero_length_clientid = false;
  World world(config);
  CHECK(world.peer().connect(named("", Version::v5)).all() == "CONNACK 85; closed");
}

TEST_CASE("the first packet is a CONNECT, or the connection closes [MQTT-3.1.0-1]") {
  World world(quiet());
  CHECK(world.peer().send(wire::Pingreq{}).all() == "closed");
  CHECK(world.peer().publish("a", "x").all() == "closed");
}

TEST_CASE("a second CONNECT is a protocol error [MQTT-3.1.0-2]") {
  World world(quiet());
  CHECK(world.peer().join("a").connect(named("a")).all() == "closed");
  CHECK(world.peer().join("b", Version::v5).connect(named("b", Version::v5)).all() ==
        "DISCONNECT 82; closed");
}

TEST_CASE("an unknown protocol level is answered with return code 1 [MQTT-3.1.2-2]") {
  World world(quiet());
  const std::vector<Byte> level_9{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 9, 2, 0, 0, 0, 1, 'a'};
  CHECK(world.peer().send_bytes(level_9).all() == "CONNACK 01; closed");
}

TEST_CASE("a malformed v5 CONNECT is refused with a reason code [MQTT-3.1.4-1] [MQTT-3.14.0-1]") {
  World world(quiet());
  // The reserved connect flag is set.
  const std::vector<Byte> bytes{0x10, 14, 0, 4, 'M', 'Q', 'T', 'T', 5, 3, 0, 0, 0, 0, 1, 'a'};
  auto& peer = world.peer();
  peer.version = Version::v5;
  CHECK(peer.send_bytes(bytes).all() == "CONNACK 81; closed");
}

TEST_CASE(
    "an authentication method is refused, an unexpected AUTH too [MQTT-4.12.0-1] [MQTT-4.12.0-4] "
    "[MQTT-4.12.1-2] [MQTT-3.2.2-7]") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::authentication_method, std::string_view("SCRAM-SHA-1"));
  auto connect = named("a", Version::v5);
  connect.properties = properties.view();
  CHECK(world.peer().connect(connect).all() == "CONNACK 8C; closed");
  auto& peer = world.peer().join("b", Version::v5);
  CHECK(peer.send(wire::Auth{wire::ReasonCode::re_authenticate, {}}).all() ==
        "DISCONNECT 82; closed");
}

TEST_CASE("allow_anonymous false refuses everyone: no users are known") {
  auto config = quiet();
  config.listeners[0].allow_anonymous = false;
  World world(config);
  CHECK(world.peer().connect(named("a")).all() == "CONNACK 05; closed");
  CHECK(world.peer().connect(named("a", Version::v5)).all() == "CONNACK 87; closed");
}

TEST_CASE(
    "a client id that connects again takes over from the older connection [MQTT-3.1.4-3] "
    "[MQTT-3.14.4-2]") {
  World world(quiet());
  auto& v3 = world.peer().join("a");
  auto& v5 = world.peer().join("a", Version::v5);
  CHECK(v3.all() == "closed");
  world.peer().join("a");
  CHECK(v5.all() == "DISCONNECT 8E; closed");
  CHECK(world.core().connected_count() == 1);
  CHECK(world.core().session_count() == 1);
}

TEST_CASE("a packet that only a server sends is a protocol error") {
  World world(quiet());
  auto& peer = world.peer().join("a", Version::v5);
  CHECK(peer.send(wire::Pingresp{}).all() == "DISCONNECT 82; closed");
}

TEST_CASE("PINGREQ is answered with PINGRESP [MQTT-3.12.4-1]") {
  World world(quiet());
  CHECK(world.peer().join("a").send(wire::Pingreq{}).all() == "PINGRESP");
}

TEST_CASE(
    "silence for one and a half keep alives ends the connection [MQTT-3.1.2-22] [MQTT-3.2.2-22]") {
  World world(quiet());
  auto connect = named("a", Version::v5);
  connect.keep_alive = 10;
  auto& peer = world.peer().connect(connect);
  peer.all();
  world.advance(Seconds(14));
  peer.send(wire::Pingreq{});
  CHECK(peer.all() == "PINGRESP");
  world.advance(Seconds(14));
  CHECK(peer.all() == "");
  world.advance(Seconds(2));
  CHECK(peer.all() == "DISCONNECT 8D; closed");
}

TEST_CASE("keep alive 0 means no limit") {
  World world(quiet());
  auto& peer = world.peer().join("a");
  world.advance(std::chrono::hours(24 * 365));
  CHECK_FALSE(peer.is_closed());
}

TEST_CASE("max_keepalive is imposed on v5 and refuses v3 clients above it [MQTT-3.1.2-21]") {
  auto config = quiet();
  config.max_keepalive = 20;
  World world(config);
  auto connect = named("a", Version::v5);
  connect.keep_alive = 60;
  auto& peer = world.peer().connect(connect);
  CHECK(peer.all().find("server-keep-alive=20") != std::string::npos);
  world.advance(Seconds(31));
  CHECK(peer.is_closed());
  connect.version = Version::v311;
  CHECK(world.peer().connect(connect).all() == "CONNACK 02; closed");
}

TEST_CASE("a connection without CONNECT is closed after connect_timeout") {
  World world(quiet());
  auto& peer = world.peer();
  world.advance(Seconds(29));
  CHECK_FALSE(peer.is_closed());
  world.advance(Seconds(2));
  CHECK(peer.is_closed());
}

TEST_CASE("a packet above max_packet_size ends the connection before it is read") {
  auto config = quiet();
  config.max_packet_size = 100;
  World world(config);
  auto& peer = world.peer().join("a", Version::v5);
  const std::vector<Byte> announces_200_mb{0x30, 0xFF, 0xFF, 0xFF, 0x5F};
  CHECK(peer.send_bytes(announces_200_mb).all() == "DISCONNECT 95; closed");
}

TEST_CASE("nobody announces more than a mebibyte before CONNECT") {
  auto config = quiet();
  config.max_packet_size = 0;
  World world(config);
  const std::vector<Byte> announces_200_mb{0x10, 0xFF, 0xFF, 0xFF, 0x5F};
  CHECK(world.peer().send_bytes(announces_200_mb).is_closed());
  CHECK_FALSE(world.peer().join("a").send_bytes(announces_200_mb).is_closed());
}

TEST_CASE("response information is given to those who ask for it [MQTT-3.1.2-28]") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::request_response_information, 1U);
  auto connect = named("a", Version::v5);
  connect.properties = properties.view();
  CHECK(world.peer().connect(connect).all().find("response-information=response/a") !=
        std::string::npos);
}

TEST_CASE("response information that is too long for a string is left out") {
  World world(quiet());
  PropertyList properties;
  properties.add(PropertyId::request_response_information, 1U);
  for (const std::size_t size : {65'526U, 65'527U, 65'535U}) {
    const std::string id(size, 'x');
    auto connect = named(id, Version::v5);
    connect.properties = properties.view();
    const auto connack = world.peer().connect(connect).all();
    CHECK(connack.starts_with("CONNACK 00"));
    CHECK(connack.contains("response-information=response/x") == (size == 65'526));
  }
}

TEST_CASE("a packet above the client's Maximum Packet Size is not sent [MQTT-3.1.2-24]") {
  World world(quiet());
  const auto connect_with = [&](Peer& peer, std::string_view id, std::uint32_t maximum,
                                bool asks_for_response_information = false) -> Peer& {
    PropertyList properties;
    properties.add(PropertyId::maximum_packet_size, maximum);
    if (asks_for_response_information) {
      properties.add(PropertyId::request_response_information, 1U);
    }
    auto connect = named(id, Version::v5);
    connect.properties = properties.view();
    return peer.connect(connect);
  };
  SUBCASE("CONNACK does without what the client can do without") {
    const auto connack = connect_with(world.peer(), "a", 28, true).all();
    CHECK(connack.starts_with("CONNACK 00"));
    CHECK_FALSE(connack.contains("response"));
  }
  SUBCASE("if that is not enough the client is refused, and nobody loses his session to it") {
    auto& holder = world.peer().resume("a", Version::v5);
    CHECK(connect_with(world.peer(), "a", 10).all() == "CONNACK 95; closed");
    CHECK(connect_with(world.peer(), "a", 4).all() == "closed");
    CHECK_FALSE(holder.is_closed());
  }
  SUBCASE("SUBACK and UNSUBACK") {
    auto& peer = connect_with(world.peer(), "a", 30);
    peer.all();
    wire::Subscribe subscribe{1, {}, {}};
    wire::Unsubscribe unsubscribe{2, {}, {}};
    for (int i = 0; i < 25; ++i) {
      subscribe.subscriptions.push_back({"t", {}});
      unsubscribe.filters.push_back("t");
    }
    CHECK(peer.send(subscribe).all().starts_with("SUBACK 1"));
    CHECK(peer.send(unsubscribe).all().starts_with("UNSUBACK 2"));
    SUBCASE("of a SUBSCRIBE nothing is done") {
      subscribe.subscriptions.push_back({"t", {}});
      CHECK(peer.send(subscribe).all() == "DISCONNECT 95; closed");
      CHECK(world.core().subscription_count() == 0);
    }
    SUBCASE("nor of an UNSUBSCRIBE") {
      peer.subscribe("t");
      unsubscribe.filters.push_back("t");
      CHECK(peer.send(unsubscribe).all() == "DISCONNECT 95; closed");
    }
  }
  SUBCASE("a reason that does not fit") {
    auto& peer = connect_with(world.peer(), "a", 30);
    peer.all();
    CHECK(peer.publish("nobody", "x", QoS::at_least_once, 1).all() == "PUBACK 1 10");
  }
}

TEST_CASE(
    "a will that the broker cannot keep is refused [MQTT-3.2.2-12] [MQTT-3.2.2-13] "
    "[MQTT-3.2.2-9]") {
  auto config = quiet();
  config.listeners[0].max_qos = QoS::at_least_once;
  config.retain_available = false;
  World world(config);
  auto connect = named("a", Version::v5);
  connect.will = wire::Will{
      .topic = "w", .payload = {}, .qos = QoS::exactly_once, .retain = false, .properties = {}};
  CHECK(world.peer().connect(connect).all() == "CONNACK 9B; closed");
  connect.will->qos = QoS::at_most_once;
  connect.will->retain = true;
  CHECK(world.peer().connect(connect).all() == "CONNACK 9A; closed");
  connect.will = wire::Will{.topic = "$SYS/broker/version", .payload = {}, .properties = {}};
  CHECK(world.peer().connect(connect).all() == "CONNACK 87; closed");
  connect.will.reset();
  const auto connack = world.peer().connect(connect).all();
  CHECK(connack.find("maximum-qos=1, retain-available=0") != std::string::npos);
}

TEST_CASE("a broker that shuts down says so") {
  World world(quiet());
  auto& v3 = world.peer().join("a");
  auto& v5 = world.peer().join("b", Version::v5);
  world.core().shut_down(world.now);
  world.settle();
  CHECK(v3.all() == "closed");
  CHECK(v5.all() == "DISCONNECT 8B; closed");
}

TEST_CASE("a slot is not given to another connection before the driver has heard of the end") {
  broker::Core core(quiet(), {});
  const auto first = core.on_open(0, {});
  core.on_bytes(first, bytes_of(std::string_view("\xc0\x00", 2)), {});
  const auto second = core.on_open(0, {});
  CHECK(second.slot != first.slot);
  REQUIRE(core.take_closing().size() == 1);
  core.end_turn();
  CHECK(core.connection_count() == 1);

  const auto third = core.on_open(0, {});
  CHECK(third.slot == first.slot);
  CHECK_FALSE(third == first);
}

TEST_CASE("a refused CONNECT is stated once, with its reason, and its end is not blamed on it") {
  auto config = quiet();
  config.listeners[0].allow_anonymous = false;
  World world(config);
  world.peer().connect(named("spy"));
  REQUIRE(world.facts.size() == 2);
  const auto* refused = std::get_if<broker::fact::Refused>(&world.facts[0]);
  REQUIRE(refused != nullptr);
  CHECK(refused->client_id == "spy");
  CHECK(refused->fault.reason == wire::ReasonCode::not_authorized);
  const auto* ended = std::get_if<broker::fact::Ended>(&world.facts[1]);
  REQUIRE(ended != nullptr);
  CHECK(ended->end == broker::fact::End::refused);
}

TEST_CASE("who comes to the wrong port is told apart by its first bytes, in the log") {
  for (const auto& [bytes, words] :
       {std::pair<std::string_view, std::string_view>{
            "\x16\x03\x01", "it speaks TLS, and this listener is without"},
        {"GET / HTTP/1.1\r\n", "it speaks HTTP, and this listener is for MQTT"},
        {"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n",
         "it begins with a PROXY header, and enable_proxy_protocol is not given"},
        {{"\r\n\r\n\0\r\nQUIT\n", 12},
         "it begins with a PROXY header, and enable_proxy_protocol is not given"},
        {"SSH-2.0", "no CONNECT first"},
        {{"\0", 1}, "no CONNECT first"}}) {
    World world(quiet());
    auto& peer = world.peer();
    peer.send_bytes(bytes_of(bytes));
    CHECK(peer.all() == "closed");
    REQUIRE(world.facts.size() == 1);
    const auto* ended = std::get_if<broker::fact::Ended>(&world.facts[0]);
    REQUIRE(ended != nullptr);
    CHECK(ended->fault.words == words);
  }
}

TEST_CASE("a name that the transport has proved counts more than the client's own") {
  auto config = quiet();
  config.listeners[0].allow_anonymous = false;
  broker::Core core(config, {});
  const auto id = core.on_open(0, {});
  core.on_proved(id, "alice");
  auto connect = named("a");
  connect.user_name = "bob";
  std::vector<Byte> bytes;
  wire::encode(connect, Version::v311, bytes);
  core.on_bytes(id, bytes, {});
  const auto facts = core.take_facts();
  REQUIRE(facts.size() == 1);
  const auto* connected = std::get_if<broker::fact::Connected>(&facts[0]);
  REQUIRE(connected != nullptr);
  CHECK(connected->user_name == "alice");
}

TEST_CASE("a transport that breaks is told in its own words") {
  broker::Core core(quiet(), {});
  const auto id = core.on_open(0, {});
  core.on_broken(id, "no cipher in common", {});
  const auto facts = core.take_facts();
  REQUIRE(facts.size() == 1);
  const auto* ended = std::get_if<broker::fact::Ended>(&facts[0]);
  REQUIRE(ended != nullptr);
  CHECK(ended->end == broker::fact::End::broken);
  CHECK(ended->words == "no cipher in common");
  CHECK(core.connection_count() == 0);
}

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

#include "support/notation.hpp"
#include "support/world.hpp"

// What a broker does not take from a client: the connection ends with a reason, and nobody gets
// anything of it. The packets are right but for the one thing that a test is about.

using namespace mq;
using namespace mq::support;
using wire::Version;

namespace {

/// What a client hears that sends these bytes behind its CONNECT.
std::string answer_to(World& world, Version version, std::string_view frame) {
  return world.peer().join("a", version).send_bytes(bytes(frame)).all();
}

/// What a v5 client hears that sends these bytes first.
std::string first_answer_to(World& world, std::string_view frame) {
  auto& peer = world.peer();
  peer.version = Version::v5;
  return peer.send_bytes(bytes(frame)).all();
}

std::string with(std::string_view frame, std::string_view text) {
  std::string whole(frame);
  return whole.replace(whole.find('$'), 1, text);
}

constexpr std::array kIllFormed{"ff", "c080", "eda080", "'a' 00"};

}  // namespace

TEST_CASE(
    "reserved flags end the connection [MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.8.1-1] "
    "[MQTT-3.10.1-1] [MQTT-3.14.1-1] [MQTT-4.13.1-1]") {
  World world(quiet());
  for (const auto* frame : {"42 02 0001", "52 02 0001", "60 02 0001", "63 02 0001", "6a 02 0001",
                            "72 02 0001", "c1 00", "e1 00"}) {
    CAPTURE(frame);
    CHECK(answer_to(world, Version::v311, frame) == "closed");
    CHECK(answer_to(world, Version::v5, frame) == "DISCONNECT 81; closed");
  }
  for (const auto* frame :
       {"80 [ 0001 ('#') 00 ]", "8a [ 0001 ('#') 00 ]", "a0 [ 0001 ('#') ]", "aa [ 0001 ('#') ]"}) {
    CAPTURE(frame);
    CHECK(answer_to(world, Version::v311, frame) == "closed");
  }
  for (const auto* frame : {"80 [ 0001 00 ('#') 00 ]", "a0 [ 0001 00 ('#') ]"}) {
    CAPTURE(frame);
    CHECK(answer_to(world, Version::v5, frame) == "DISCONNECT 81; closed");
  }
  CHECK(world.core().subscription_count() == 0);
  CHECK(first_answer_to(world, "11 [ ('MQTT') 05 02 003c 00 ('a') ]") == "CONNACK 81; closed");
}

TEST_CASE("reserved flags of AUTH are malformed, not only AUTH unasked for [MQTT-3.15.1-1]") {
  World world(quiet());
  CHECK(answer_to(world, Version::v5, "f1 [ 18 [ 15 ('m') ] ]") == "DISCONNECT 81; closed");
}

TEST_CASE(
    "a CONNECT of another protocol, or with the reserved flag, ends the connection "
    "[MQTT-3.1.2-1] [MQTT-3.1.2-3]") {
  World world(quiet());
  CHECK(world.peer().send_bytes(bytes("10 [ ('HTTP') 04 02 003c ('a') ]")).is_closed());
  CHECK(world.peer().send_bytes(bytes("10 [ ('mqtt') 04 02 003c ('a') ]")).is_closed());
  CHECK(world.peer().send_bytes(bytes("10 [ ('MQTT') 04 03 003c ('a') ]")).all() == "closed");
  CHECK(first_answer_to(world, "10 [ ('MQTT') 05 03 003c 00 ('a') ]") == "CONNACK 81; closed");
  CHECK(world.core().session_count() == 0);
}

TEST_CASE(
    "a string that is not UTF-8, or has U+0000, ends the connection [MQTT-1.5.4-1] "
    "[MQTT-1.5.4-2] [MQTT-1.5.7-1] [MQTT-3.3.2-1] [MQTT-3.3.2-13] [MQTT-3.3.2-19] "
    "[MQTT-4.7.3-2]") {
  World world(quiet());
  auto& watcher = world.peer().join("w", Version::v5).subscribe("#");
  for (const auto* text : kIllFormed) {
    for (const auto* frame : {"30 [ ($) 00 ]", "30 [ ('t') [ 08 ($) ] ]", "30 [ ('t') [ 03 ($) ] ]",
                              "30 [ ('t') [ 26 ($) ('v') ] ]", "30 [ ('t') [ 26 ('k') ($) ] ]",
                              "82 [ 0001 00 ($) 00 ]", "a2 [ 0001 00 ($) ]"}) {
      CAPTURE(with(frame, text));
      CHECK(answer_to(world, Version::v5, with(frame, text)) == "DISCONNECT 81; closed");
    }
    for (const auto* frame :
         {"10 [ ('MQTT') 05 02 003c 00 ($) ]", "10 [ ('MQTT') 05 06 003c 00 ('a') 00 ($) () ]",
          "10 [ ('MQTT') 05 82 003c 00 ('a') ($) ]"}) {
      CAPTURE(with(frame, text));
      CHECK(first_answer_to(world, with(frame, text)) == "CONNACK 81; closed");
    }
  }
  CHECK(watcher.all() == "");
}

TEST_CASE(
    "topics with wildcards, and empty ones, end the connection [MQTT-3.3.2-2] [MQTT-3.3.2-14] "
    "[MQTT-4.7.0-1] [MQTT-4.7.3-1]") {
  World world(quiet());
  auto& watcher = world.peer().join("w", Version::v5).subscribe("#");
  for (const auto* topic : {"'a/+'", "'#'", ""}) {
    CAPTURE(topic);
    CHECK(answer_to(world, Version::v311, with("30 [ ($) ]", topic)) == "closed");
    CHECK(answer_to(world, Version::v5, with("30 [ ('t') [ 08 ($) ] ]", topic)) ==
          "DISCONNECT 82; closed");
    CHECK(first_answer_to(world, with("10 [ ('MQTT') 05 06 003c 00 ('a') 00 ($) () ]", topic)) ==
          "CONNACK 90; closed");
  }
  CHECK(answer_to(world, Version::v5, "30 [ ('a/+') 00 ]") == "DISCONNECT 90; closed");
  CHECK(answer_to(world, Version::v5, "82 [ 0001 00 () 00 ]") == "DISCONNECT 8F; closed");
  CHECK(answer_to(world, Version::v5, "a2 [ 0001 00 () ]") == "DISCONNECT 8F; closed");
  CHECK(watcher.all() == "");
}

TEST_CASE("a PUBLISH of QoS 3 ends the connection [MQTT-3.3.1-4]") {
  World world(quiet());
  auto& watcher = world.peer().join("w").subscribe("#");
  CHECK(answer_to(world, Version::v311, "36 [ ('t') 0001 'x' ]") == "closed");
  CHECK(answer_to(world, Version::v5, "36 [ ('t') 0001 00 'x' ]") == "DISCONNECT 81; closed");
  CHECK(watcher.all() == "");
}

TEST_CASE("reserved bits of a subscription end the connection [MQTT-3.8.3-5] [MQTT3-3.8.3-4]") {
  World world(quiet());
  for (const auto* options : {"40", "80", "c0"}) {
    CAPTURE(options);
    CHECK(answer_to(world, Version::v5, with("82 [ 0001 00 ('t') $ ]", options)) ==
          "DISCONNECT 81; closed");
  }
  for (const auto* options : {"03", "04", "80"}) {
    CAPTURE(options);
    CHECK(answer_to(world, Version::v311, with("82 [ 0001 ('t') $ ]", options)) == "closed");
  }
  CHECK(world.core().subscription_count() == 0);
}

TEST_CASE("a refusal of CONNECT has a code of CONNACK for its reason [MQTT-3.2.2-8]") {
  auto config = quiet();
  config.listeners[0].max_qos = wire::QoS::at_least_once;
  config.retain_available = false;
  World world(config);
  for (const auto& [frame, answer] :
       {std::pair{"10 [ ('MQTT') 05 03 003c 00 ('a') ]", "CONNACK 81; closed"},
        {"10 [ ('MQTT') 05 02 003c [ 21 0000 ] ('a') ]", "CONNACK 82; closed"},
        {"10 [ ('MQTT') 05 02 003c [ 15 ('m') ] ('a') ]", "CONNACK 8C; closed"},
        {"10 [ ('MQTT') 05 06 003c 00 ('a') 00 ('$SYS/w') () ]", "CONNACK 87; closed"},
        {"10 [ ('MQTT') 05 06 003c 00 ('a') 00 ('w/#') () ]", "CONNACK 90; closed"},
        {"10 [ ('MQTT') 05 06 003c 00 ('a') [ 08 ('#') ] ('w') () ]", "CONNACK 82; closed"},
        {"10 [ ('MQTT') 05 16 003c 00 ('a') 00 ('w') () ]", "CONNACK 9B; closed"},
        {"10 [ ('MQTT') 05 26 003c 00 ('a') 00 ('w') () ]", "CONNACK 9A; closed"}}) {
    CAPTURE(frame);
    CHECK(first_answer_to(world, frame) == answer);
  }
}

TEST_CASE(
    "nothing follows DISCONNECT, and it has no session expiry interval [MQTT-3.14.4-1] "
    "[MQTT-3.14.2-2]") {
  World world(quiet());
  auto& peer = world.peer().resume("a", Version::v5).subscribe("t");
  CHECK(peer.send_bytes(bytes("c1 00 c0 00 30 [ ('t') 00 'x' ]")).all() == "DISCONNECT 81; closed");
  world.peer().join("p").publish("t", "x");
  CHECK(peer.all() == "");
  auto& older = world.peer().resume("b", Version::v5).subscribe("t");
  world.peer().resume("b", Version::v5);
  world.peer().join("p").publish("t", "x");
  CHECK(older.all() == "DISCONNECT 8E; closed");
}

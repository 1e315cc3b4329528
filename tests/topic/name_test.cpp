#include "topic/name.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace mq::topic;

TEST_CASE(
    "a topic name has no wildcards and at least one character [MQTT-4.7.3-1] [MQTT-3.3.2-2]") {
  for (const auto* good : {"a", "/", "a/b", "/a", "a/", "a//b", "$SYS/x", " "})
    CHECK(is_name(good));
  for (const auto* bad : {"", "+", "#", "a/#", "a+b"}) CHECK_FALSE(is_name(bad));
}

TEST_CASE(
    "wildcards stand alone in their level, # only in the last [MQTT-4.7.1-1] [MQTT-4.7.1-2]") {
  for (const auto* good : {"#", "+", "a/#", "+/+", "a/+/b", "/+", "+/", "a", "//", "+/#"}) {
    CAPTURE(good);
    CHECK(is_filter(good));
  }
  for (const auto* bad : {"", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/b+", "##", "++"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_filter(bad));
  }
}

TEST_CASE("a shared filter names a group and a filter [MQTT-4.8.2-1] [MQTT-4.8.2-2]") {
  for (const auto* good : {"$share/g/a", "$share/g/#", "$share/g//", "$share/g/+/a"}) {
    CHECK(is_filter(good));
  }
  for (const auto* bad : {"$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a",
                          "$share/g#/a", "$share/g/a#"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_filter(bad));
  }
  const auto share = share_of("$share/group/a/+/b");
  REQUIRE(share.has_value());
  CHECK(share->group == "group");
  CHECK(share->filter == "a/+/b");
  CHECK_FALSE(share_of("a/b").has_value());
  CHECK_FALSE(share_of("$sharex/g/a").has_value());
}

TEST_CASE("more than kMaximumLevels levels are refused") {
  std::string text = "a";
  while (text.size() < 2 * kMaximumLevels - 1) text += "/a";
  CHECK(is_name(text));
  CHECK(is_filter(text));
  text += "/a";
  CHECK_FALSE(is_name(text));
  CHECK_FALSE(is_filter(text));
}

TEST_CASE("filters match as the standard's examples say (§4.7.1)") {
  for (const auto* topic : {"sport/tennis/player1", "sport/tennis/player1/ranking",
                            "sport/tennis/player1/score/wimbledon"}) {
    CHECK(matches("sport/tennis/player1/#", topic));
  }
  CHECK(matches("sport/#", "sport"));
  CHECK(matches("#", "sport/a"));
  CHECK(matches("sport/tennis/+", "sport/tennis/player1"));
  CHECK_FALSE(matches("sport/tennis/+", "sport/tennis/player1/ranking"));
  CHECK_FALSE(matches("sport/+", "sport"));
  CHECK(matches("sport/+", "sport/"));
  CHECK(matches("+/+", "/finance"));
  CHECK(matches("/+", "/finance"));
  CHECK_FALSE(matches("+", "/finance"));
  CHECK_FALSE(matches("a", "A"));  // [MQTT-4.7.3-4]
}

TEST_CASE("a wildcard first level does not match $-topics [MQTT-4.7.2-1]") {
  CHECK_FALSE(matches("#", "$SYS"));
  CHECK_FALSE(matches("+/monitor/Clients", "$SYS/monitor/Clients"));
  CHECK(matches("$SYS/#", "$SYS/a"));
  CHECK(matches("$SYS/monitor/+", "$SYS/monitor/Clients"));
}

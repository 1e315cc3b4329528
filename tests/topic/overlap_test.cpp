#include "topic/overlap.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "topic/name.hpp"

using namespace mq::topic;

TEST_CASE("two filters have in common what both match") {
  CHECK(intersection("a/+/c", "a/b/#") == "a/b/c");
  CHECK(intersection("a/#", "a") == "a");
  CHECK(intersection("a/#", "+") == "a");
  CHECK(intersection("#", "a/+") == "a/+");
  CHECK(intersection("+/#", "a/#") == "a/#");
  CHECK(intersection("a/+", "a/") == "a/");
  CHECK_FALSE(intersection("a/b", "a/c").has_value());
  CHECK_FALSE(intersection("a/+", "a").has_value());
  CHECK_FALSE(intersection("a/b/#", "a").has_value());
}

TEST_CASE("wildcards in the first level have nothing in common with $ topics [MQTT-4.7.2-1]") {
  CHECK_FALSE(intersection("#", "$SYS/#").has_value());
  CHECK_FALSE(intersection("$SYS/a", "+/a").has_value());
  CHECK(intersection("$SYS/+", "$SYS/a") == "$SYS/a");
  CHECK_FALSE(covers("#", "$SYS/a"));
  CHECK(covers("$SYS/#", "$SYS/a"));
}

TEST_CASE("a filter covers another when it matches all that the other does") {
  CHECK(covers("#", "a/b"));
  CHECK(covers("a/#", "a"));
  CHECK(covers("a/#", "a/+/c"));
  CHECK(covers("a/+", "a/b"));
  CHECK(covers("a/+", "a/+"));
  CHECK_FALSE(covers("a/+", "a/#"));
  CHECK_FALSE(covers("a/b", "a/+"));
  CHECK_FALSE(covers("a", "a/b"));
  CHECK_FALSE(covers("a/b", "a"));
}

TEST_CASE("both agree with what filters match, topic by topic") {
  const std::vector<std::string> parts{"", "a", "b", "+", "$x"};
  std::vector<std::string> filters{"#"};
  std::vector<std::string> topics;
  for (const auto& one : parts) {
    filters.push_back(one + "/#");
    if (!one.empty()) filters.push_back(one);
    for (const auto& two : parts) {
      filters.push_back(one + "/" + two);
      filters.push_back(one + "/" + two + "/#");
    }
  }
  for (const auto& filter : filters) {
    if (!has_wildcard(filter)) topics.push_back(filter);
    topics.push_back("a/b/b");
  }
  for (const auto& a : filters) {
    for (const auto& b : filters) {
      CAPTURE(a);
      CAPTURE(b);
      const auto common = intersection(a, b);
      for (const auto& topic : topics) {
        const bool is_in_both = matches(a, topic) && matches(b, topic);
        if ((common && matches(*common, topic)) != is_in_both) FAIL(topic);
        if (covers(a, b) && matches(b, topic) && !matches(a, topic)) FAIL(topic);
      }
    }
  }
}

#include "server/acl_file.hpp"

#include <doctest/doctest.h>

using namespace mq;
using namespace mq::server;

namespace {

std::string error_of(std::string_view text) {
  const auto rules = parse_acl_file(text, "acl");
  return rules ? std::string() : rules.error().message;
}

std::string shown(const broker::AccessRule& rule) {
  return std::to_string(rule.line) + ":" + std::to_string(rule.rights) + ":" + rule.filter;
}

}  // namespace

TEST_CASE("topics belong to the user above them, patterns to everybody") {
  const auto rules = parse_acl_file(
      "# a comment\n"
      "topic read open/#\n"
      "\n"
      "user alice\n"
      "topic a\n"
      "  topic write a b/c \r\n"
      "pattern read c/%c\n"
      "user bob smith\n"
      "topic deny b/#\n"
      "user alice\n"
      "topic readwrite read",
      "acl");
  REQUIRE(rules.has_value());
  CHECK(rules->file == "acl");
  REQUIRE(rules->anonymous.rules().size() == 1);
  CHECK(shown(rules->anonymous.rules()[0]) == "2:1:open/#");
  const auto& alice = rules->users.at("alice").rules();
  REQUIRE(alice.size() == 3);
  CHECK(shown(alice[0]) == "5:3:a");
  CHECK(shown(alice[1]) == "6:2:a b/c");
  CHECK(shown(alice[2]) == "11:3:read");
  CHECK(shown(rules->users.at("bob smith").rules().at(0)) == "9:0:b/#");
  CHECK(shown(rules->patterns.at(0)) == "7:1:c/%c");
}

TEST_CASE("a mistake is named with its line and what would be right") {
  CHECK(error_of("\ntopci a") == "acl:2: unknown word \"topci\" (did you mean topic?)");
  CHECK(error_of("allow a") == "acl:1: unknown word \"allow\" (user, topic or pattern)");
  CHECK(error_of("user") == "acl:1: user: the name is missing");
  CHECK(error_of("topic") ==
        "acl:1: topic: the filter is missing ([read | write | readwrite | deny] FILTER)");
  CHECK(error_of("topic a b")
            .starts_with("acl:1: topic: \"a\" should be read, write, readwrite or deny"));
  CHECK(error_of("topic read a/#/b").starts_with("acl:1: topic: \"a/#/b\" is no topic filter"));
  CHECK(error_of("pattern x+").starts_with("acl:1: pattern: \"x+\" is no topic filter"));
  CHECK(error_of("topic $share/g/a").contains("is no topic filter"));
  CHECK(error_of("topic \xff").contains("not UTF-8"));
}

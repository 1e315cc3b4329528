#include "server/check.hpp"

#include <doctest/doctest.h>

#include "server/acl_file.hpp"
#include "server/config_file.hpp"

using namespace mq;
using namespace mq::server;
using broker::Right;

namespace {

const std::string kHash =
    "$7$101$RLubJFE4iWoqfj2f$"
    "j3YrcnLfBykw5kjwJS+grkCT0CCjN6TQVFOLGq7Sg3bl7bYNLuFkf7/vl4ceKwhvylrzi/QctKi8EhOjFXHRfw==";

AccessFiles files_of(std::string_view users, std::string_view rules) {
  AccessFiles files;
  auto& entry = files.listeners.emplace_back();
  entry.passwords = std::make_shared<PasswordFile>(PasswordFile::parse(users, "users").value());
  entry.rules = std::make_shared<broker::AccessRules>(parse_acl_file(rules, "acl").value());
  return files;
}

}  // namespace

TEST_CASE("an answer names the rule and its line") {
  const auto config =
      parse_config("listener 1883\npassword_file users\nacl_file acl\n", "c", {}).value();
  const auto files = files_of("alice:" + kHash,
                              "user alice\ntopic house/#\ntopic deny house/door\n"
                              "pattern read id/%c\n");
  const auto asked = [&](const Question& question) {
    return answer(config, files, 0, question).words;
  };
  CHECK(asked({"alice", "", Right::write, "house/x"}) ==
        "port 1883: user alice may write house/x: acl:2 (readwrite house/#)");
  CHECK(asked({"alice", "one", Right::read, "house/door"}) ==
        "port 1883: user alice as client one may not read house/door: acl:3 (deny house/door)");
  CHECK(
      asked({"alice", "one", Right::read, "id/+"}).ends_with("may read id/+: acl:4 (read id/one)"));
  CHECK(asked({"alice", "", Right::read, "id/+"}).ends_with("no rule of acl allows it"));
  CHECK(asked({"alice", "", Right::write, "$SYS/x"})
            .ends_with("only the broker itself publishes "
                       "there"));
  CHECK(asked({"bob", "", Right::read, "x"}).contains("there is no user bob in users"));
  CHECK(asked({"", "", Right::read, "x"}).contains("allow_anonymous is false"));
}

TEST_CASE("every file that cannot be used is a mistake with the line that names it") {
  const auto config = parse_config(
      "per_listener_settings true\nlistener 1\npassword_file /nowhere/users\n", "c", {});
  const auto found = look_into(config.value());
  REQUIRE(found.mistakes.size() == 1);
  CHECK(found.mistakes[0] ==
        "c:3: password_file: cannot read /nowhere/users: No such file or directory");
}

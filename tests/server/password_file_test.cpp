#include "server/password_file.hpp"

#include <doctest/doctest.h>

using namespace mq;
using namespace mq::server;

namespace {

const std::string kTheirs =  // of "secret pass", by mosquitto_passwd
    "$7$101$RLubJFE4iWoqfj2f$"
    "j3YrcnLfBykw5kjwJS+grkCT0CCjN6TQVFOLGq7Sg3bl7bYNLuFkf7/vl4ceKwhvylrzi/QctKi8EhOjFXHRfw==";

std::string error_of(std::string_view text) {
  const auto file = PasswordFile::parse(text, "users");
  return file ? std::string() : file.error().message;
}

}  // namespace

TEST_CASE("users are read, and what is no user is skipped") {
  const auto file = PasswordFile::parse(
      "# a comment: here\n\nno colon\n  alice : " + kTheirs + " \r\nbob:" + kTheirs, "users");
  REQUIRE(file.has_value());
  CHECK(file->size() == 2);
  CHECK(file->find("alice").is_known);
  CHECK(file->find("alice").hash->matches("secret pass"));
  CHECK_FALSE(file->find("Alice").is_known);
  CHECK(file->find("nobody").hash != nullptr);
  CHECK(PasswordFile::parse("", "users")->find("alice").hash == nullptr);
}

TEST_CASE("a mistake is named with its line and the way out") {
  CHECK(error_of("#\n:" + kTheirs).starts_with("users:2: a user's name is missing"));
  CHECK(error_of("a:" + kTheirs + "\nb:" + kTheirs + "\na:" + kTheirs)
            .starts_with("users:3: user a is there already, in line 1"));
  CHECK(error_of("a:secret").starts_with("users:1: what user a has is no hash"));
  CHECK(error_of("a:secret").contains("mqbroker passwd -U"));
  CHECK_FALSE(error_of("a:secret").contains("secret"));
  CHECK(error_of("a:").starts_with("users:1: what user a has is no hash"));
}

TEST_CASE("who has another password, or is gone, has changed") {
  const auto before = PasswordFile::parse("a:" + kTheirs + "\nb:" + kTheirs, "users").value();
  const auto after = PasswordFile::parse("b:" + kTheirs + "\nc:" + kTheirs, "users").value();
  CHECK(before.changed_in(after) == std::vector<std::string>{"a"});
  CHECK(before.changed_in(before).empty());
}

TEST_CASE("a change leaves every other line as it is") {
  const std::string text = "# who\n\nalice:1\n bob : 2\njunk\nalice:3";
  CHECK(password_text::put(text, "bob", "X").text == "# who\n\nalice:1\nbob:X\njunk\nalice:3\n");
  CHECK(password_text::put(text, "carol", "X").text == text + "\ncarol:X\n");
  CHECK(password_text::put(text, "alice", "X").text == "# who\n\nalice:X\n bob : 2\njunk\n");
  CHECK(password_text::put("", "a", "X").text == "a:X\n");
  CHECK(password_text::drop(text, "alice").text == "# who\n\n bob : 2\njunk\n");
  CHECK(password_text::drop(text, "nobody").lines == 0);
}

TEST_CASE("plain passwords are hashed, colons and all, and hashes stay") {
  const auto changed = password_text::hash_all("#a:b\nold:" + kTheirs + "\nnew:my:pass\n", "users",
                                               {crypto::HashKind::sha512_pbkdf2, 5});
  REQUIRE(changed.has_value());
  CHECK(changed->lines == 1);
  CHECK(changed->text.starts_with("#a:b\nold:" + kTheirs + "\nnew:$7$5$"));
  const auto file = PasswordFile::parse(changed->text, "users").value();
  CHECK(file.find("new").hash->matches("my:pass"));
}

TEST_CASE("finding out that a user is unknown takes as long as the dearest password of the file") {
  const auto hash_of = [](crypto::HashKind kind, std::uint32_t iterations) {
    return crypto::PasswordHash::make("x", {.kind = kind, .iterations = iterations}).value();
  };
  using enum crypto::HashKind;
  const std::string cheap = hash_of(sha512_pbkdf2, 1000);
  const std::string dear = hash_of(sha512_pbkdf2, 3000);
  const std::string dearest = hash_of(argon2id, 1);
  const auto decoy_in = [](const std::string& text) {
    const auto found = PasswordFile::parse(text, "users")->find("nobody");
    CHECK_FALSE(found.is_known);
    return *found.hash;
  };
  const std::string old = "old:" + kTheirs + "\n";
  CHECK(decoy_in(old + "a:" + cheap + "\nb:" + dear + "\n") == *crypto::PasswordHash::parse(dear));
  CHECK(decoy_in(old + "b:" + dear + "\na:" + cheap + "\n") == *crypto::PasswordHash::parse(dear));
  CHECK(decoy_in("b:" + dear + "\nc:" + dearest + "\n") == *crypto::PasswordHash::parse(dearest));
}

TEST_CASE("a damaged hash is not hashed as if it were a password") {
  for (const auto& damaged : {kTheirs.substr(0, kTheirs.size() - 5), std::string("$6$salt"),
                              std::string("$argon2id$v=19$m=47104,t=1$x")}) {
    CAPTURE(damaged);
    const auto changed =
        password_text::hash_all("# two\nnew:pass\nold:" + damaged + "\n", "users", {});
    REQUIRE_FALSE(changed.has_value());
    CHECK(changed.error().message ==
          "users:3: the hash of user old is damaged; \"mqbroker passwd FILE old\" gives a new "
          "password");
    CHECK(PasswordFile::parse("old:" + damaged, "users").error().message.contains("is damaged"));
  }
}

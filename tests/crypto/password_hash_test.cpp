#include "crypto/password_hash.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace mq;
using namespace mq::crypto;

namespace {

// Written by Python's hashlib, for the password "secret".
const std::string kSalt = "MDEyMzQ1Njc4OWFi";
const std::string kSha512 =
    "qEXipeLbgxRlwd06QHfY5WITkUZg0jLg9SZbXzq3ifXjfj+v3GbJGrSfC5PAg3UNCS+UFfbhUIZX4bmIAs330w==";
const std::string kPbkdf2 =
    "EO/lLlkeUgIiBaS8G8UK0ZMP1u508TA7Tl+AdJ1cEsmlbGyEPAERErpfq84j1kepISs0UzmcdL4ucgZ2uodxfQ==";
// By mosquitto_passwd 2.0, for "secret pass".
const std::string kTheirs =
    "$7$101$RLubJFE4iWoqfj2f$"
    "j3YrcnLfBykw5kjwJS+grkCT0CCjN6TQVFOLGq7Sg3bl7bYNLuFkf7/vl4ceKwhvylrzi/QctKi8EhOjFXHRfw==";
// The example of argon2's own test suite, for "password" and the salt "somesalt".
const std::string kArgon2 =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

bool is_right(const std::string& text, std::string_view password) {
  const auto hash = PasswordHash::parse(text);
  return hash && hash->matches(password);
}

}  // namespace

TEST_CASE("a hash that others have made is that of its password only") {
  CHECK(is_right("$6$" + kSalt + "$" + kSha512, "secret"));
  CHECK(is_right("$7$101$" + kSalt + "$" + kPbkdf2, "secret"));
  CHECK(is_right(kTheirs, "secret pass"));
  CHECK(is_right(kArgon2, "password"));
  CHECK_FALSE(is_right("$6$" + kSalt + "$" + kSha512, "Secret"));
  CHECK_FALSE(is_right("$7$101$" + kSalt + "$" + kPbkdf2, "secret "));
  CHECK_FALSE(is_right("$7$102$" + kSalt + "$" + kPbkdf2, "secret"));
  CHECK_FALSE(is_right(kArgon2, "Password"));
  CHECK_FALSE(is_right(kTheirs, ""));
}

TEST_CASE("a hash that is made is that of its password, and another one each time") {
  for (const auto kind : {HashKind::sha512, HashKind::sha512_pbkdf2, HashKind::argon2id}) {
    const PasswordHash::Recipe recipe{kind, 10};
    const std::string text = PasswordHash::make("a\xc3\xa4:$ b", recipe).value();
    CHECK(is_right(text, "a\xc3\xa4:$ b"));
    CHECK_FALSE(is_right(text, "a\xc3\xa4:$ "));
    CHECK(PasswordHash::parse(text)->kind() == kind);
    CHECK(PasswordHash::make("a\xc3\xa4:$ b", recipe).value() != text);
  }
  CHECK(PasswordHash::make("x", {}).value().starts_with("$7$100000$"));
  CHECK(is_right(PasswordHash::make("", {HashKind::sha512_pbkdf2, 1}).value(), ""));
}

TEST_CASE("what is no hash is not taken for one") {
  const std::string good = "$7$101$" + kSalt + "$" + kPbkdf2;
  CHECK(PasswordHash::parse(good).has_value());
  for (const std::string& bad :
       {std::string(),
        std::string("secret"),
        std::string("$"),
        std::string("$6$"),
        std::string("$5$abc$def"),
        "$6$" + kSalt,
        "$6$" + kSalt + "$",
        "x" + good,
        good + "=",
        good + "$",
        "$7$0$" + kSalt + "$" + kPbkdf2,
        "$7$-1$" + kSalt + "$" + kPbkdf2,
        "$7$99999999999$" + kSalt + "$" + kPbkdf2,
        "$7$$" + kSalt + "$" + kPbkdf2,
        "$7$101$MDEy$" + kPbkdf2,
        "$7$101$" + kSalt + "$" + kSalt,
        "$7$101$" + kSalt + "\n$" + kPbkdf2,
        "$7$101$====$" + kPbkdf2,
        std::string("$argon2id$v=19$m=4000000000,t=1,p=1$c29tZXNhbHQ$AAAA"),
        std::string("$argon2id$v=19$m=256"),
        std::string("$argon2id$v=19$m=25$"),
        std::string("$argon2id$")}) {
    CAPTURE(bad);
    CHECK_FALSE(PasswordHash::parse(bad).has_value());
  }
}

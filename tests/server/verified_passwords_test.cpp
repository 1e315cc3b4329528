#include "server/verified_passwords.hpp"

#include <doctest/doctest.h>

using namespace mq;
using server::VerifiedPasswords;

TEST_CASE("a password that was right is known for a while, for its user only") {
  VerifiedPasswords passwords;
  const Instant start{Millis(1000)};
  CHECK_FALSE(passwords.knows("alice", "secret", start));
  passwords.remember("alice", "secret", start);
  CHECK(passwords.knows("alice", "secret", start + Seconds(299)));
  CHECK_FALSE(passwords.knows("alice", "secret", start + Seconds(301)));
  CHECK_FALSE(passwords.knows("alice", "secret2", start));
  CHECK_FALSE(passwords.knows("bob", "secret", start));
  CHECK_FALSE(passwords.knows("alic", "esecret", start));
}

TEST_CASE("the last password that was right counts") {
  VerifiedPasswords passwords;
  const Instant now{Millis(1000)};
  passwords.remember("alice", "old", now);
  passwords.remember("alice", "new", now);
  CHECK_FALSE(passwords.knows("alice", "old", now));
  CHECK(passwords.knows("alice", "new", now));
}

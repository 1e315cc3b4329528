#include "crypto/keyed_hash.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace mq;
using crypto::keyed_hash;

TEST_CASE("HMAC-SHA-256 as RFC 4231 has it (test case 2)") {
  const auto digest = keyed_hash(bytes_of("Jefe"), "what do ya want for nothing?");
  const crypto::Digest expected{0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
  CHECK(digest == expected);
}

TEST_CASE("no two keys are alike") {
  CHECK(crypto::random_key() != crypto::random_key());
}

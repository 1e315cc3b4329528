#include "base/prng.hpp"

#include <doctest/doctest.h>

#include <array>

namespace mq {

TEST_CASE("the numbers are those of SplitMix64, on every machine") {
  Prng zero(0);
  CHECK(zero.next() == 0xE220A8397B1DCDAFULL);
  Prng prng(1234567);
  CHECK(prng.next() == 6457827717110365317ULL);
  CHECK(prng.next() == 3203168211198807973ULL);
  CHECK(prng.next() == 9817491932198370423ULL);
}

TEST_CASE("a seed says all that follows") {
  Prng a(7);
  Prng b(7);
  Prng c(8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t number = a.next();
    CHECK(number == b.next());
    differs = differs || number != c.next();
  }
  CHECK(differs);
}

TEST_CASE("a number below a bound is below it, and each one comes") {
  Prng prng(3);
  std::array<int, 6> seen{};
  for (int i = 0; i < 6000; ++i) ++seen.at(prng.below(6));
  for (const int times : seen) CHECK(times > 800);
  CHECK(prng.below(1) == 0);
  CHECK(prng.below(0) == 0);
}

TEST_CASE("a chance of nothing never comes, a whole one always, a quarter about as often") {
  Prng prng(4);
  int quarters = 0;
  for (int i = 0; i < 1000; ++i) {
    CHECK_FALSE(prng.chance(0, 10));
    CHECK(prng.chance(10, 10));
    if (prng.chance(1, 4)) ++quarters;
  }
  CHECK(quarters > 200);
  CHECK(quarters < 300);
}

}  // namespace mq

#include "base/deadlines.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/prng.hpp"

namespace mq {

namespace {

Instant at(int milliseconds) {
  return Instant(Millis(milliseconds));
}

}  // namespace

TEST_CASE("without deadlines nothing is due and the next one never comes") {
  Deadlines<int> deadlines;
  CHECK(deadlines.next() == kNever);
  CHECK_FALSE(deadlines.take_due(at(1'000'000)).has_value());
}

TEST_CASE("a deadline is due at its time, not a millisecond before, and once") {
  Deadlines<std::string> deadlines;
  deadlines.set(at(50), "ping");
  CHECK(deadlines.next() == at(50));
  CHECK_FALSE(deadlines.take_due(at(49)).has_value());
  CHECK(deadlines.take_due(at(50)) == "ping");
  CHECK_FALSE(deadlines.take_due(at(50)).has_value());
  CHECK(deadlines.next() == kNever);
}

TEST_CASE("the earliest deadline comes first, equal ones as they were set") {
  Deadlines<int> deadlines;
  deadlines.set(at(20), 3);
  deadlines.set(at(10), 1);
  deadlines.set(at(20), 4);
  deadlines.set(at(10), 2);
  deadlines.set(at(20), 5);
  CHECK(deadlines.size() == 5);
  for (int key = 1; key <= 5; ++key) CHECK(deadlines.take_due(at(20)) == key);
  CHECK(deadlines.size() == 0);
}

TEST_CASE("deadlines come in the order of a sorted list, whatever the order they were set in") {
  Prng prng(2);
  Deadlines<int> deadlines;
  std::vector<std::pair<Instant, int>> model;
  for (int key = 0; key < 1000; ++key) {
    const Instant when = at(static_cast<int>(prng.below(200)));
    deadlines.set(when, key);
    model.emplace_back(when, key);
  }
  std::ranges::stable_sort(model, {}, [](const auto& entry) { return entry.first; });
  for (const auto& [when, key] : model) {
    REQUIRE(deadlines.next() == when);
    REQUIRE(deadlines.take_due(when) == key);
  }
}

}  // namespace mq

#include "base/ring.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>

#include "base/prng.hpp"

namespace mq {

TEST_CASE("a ring gives back what it was given, in that order") {
  Ring<int> ring;
  CHECK(ring.empty());
  for (int i = 0; i < 100; ++i) CHECK(ring.push_back(i) == i);
  CHECK(ring.size() == 100);
  CHECK(ring.back() == 99);
  for (int i = 0; i < 100; ++i) {
    CHECK(ring.front() == i);
    ring.pop_front();
  }
  CHECK(ring.empty());
}

TEST_CASE("a ring is addressed from its front, wherever that lies in memory") {
  Ring<std::string> ring;
  for (int i = 0; i < 3; ++i) ring.push_back("gone");
  for (int i = 0; i < 3; ++i) ring.pop_front();
  for (int i = 0; i < 4; ++i) ring.push_back(std::to_string(i));
  for (std::size_t i = 0; i < 4; ++i) CHECK(ring[i] == std::to_string(i));
  ring[2] = "two";
  CHECK(std::as_const(ring)[2] == "two");
}

TEST_CASE("a ring that grows while it is wrapped keeps its order") {
  Ring<std::unique_ptr<int>> ring;
  int next = 0;
  for (int i = 0; i < 4; ++i) ring.push_back(std::make_unique<int>(next++));
  ring.pop_front();
  ring.pop_front();
  for (int i = 0; i < 10; ++i) ring.push_back(std::make_unique<int>(next++));
  for (std::size_t i = 0; i < ring.size(); ++i) CHECK(*ring[i] == static_cast<int>(i) + 2);
}

TEST_CASE("a ring destroys what is popped, what is cleared and what is left") {
  const auto witness = std::make_shared<int>(1);
  {
    Ring<std::shared_ptr<int>> ring;
    for (int i = 0; i < 10; ++i) ring.push_back(witness);
    CHECK(witness.use_count() == 11);
    ring.pop_front();
    CHECK(witness.use_count() == 10);
    ring.pop_back();
    CHECK(witness.use_count() == 9);
    CHECK(ring.size() == 8);
    ring.clear();
    CHECK(witness.use_count() == 1);
    CHECK(ring.empty());
    ring.push_back(witness);
    CHECK(ring.front() == witness);
  }
  CHECK(witness.use_count() == 1);
}

namespace {

struct Counted {
  explicit Counted(int& alive_count) : alive(&alive_count) { ++*alive; }
  Counted(Counted&& other) noexcept : alive(other.alive) { ++*alive; }
  ~Counted() { --*alive; }
  int* alive;
};

}  // namespace

TEST_CASE("a ring that grows leaves nothing behind") {
  int alive = 0;
  Ring<Counted> ring;
  for (int i = 1; i <= 100; ++i) {
    ring.push_back(Counted(alive));
    CHECK(alive == i);
  }
  ring.clear();
  CHECK(alive == 0);
}

TEST_CASE("a ring that was moved from is empty and of use again") {
  Ring<int> from;
  for (int i = 0; i < 5; ++i) from.push_back(i);
  Ring<int> to = std::move(from);
  CHECK(to.size() == 5);
  CHECK(from.empty());
  from.push_back(7);
  CHECK(from.front() == 7);
  to = std::move(from);
  CHECK(to.size() == 1);
  CHECK(to.front() == 7);
}

TEST_CASE("a ring does what a deque does, whatever is asked of it") {
  Prng prng(1);
  Ring<std::uint64_t> ring;
  std::deque<std::uint64_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const bool is_growing = step / 1000 % 2 == 0;
    if (model.empty() || prng.chance(is_growing ? 3 : 1, 4)) {
      const std::uint64_t value = prng.next();
      ring.push_back(value);
      model.push_back(value);
    } else {
      ring.pop_front();
      model.pop_front();
    }
    REQUIRE(ring.size() == model.size());
    if (model.empty()) continue;
    const std::size_t position = prng.below(model.size());
    REQUIRE(ring[position] == model[position]);
    REQUIRE(ring.front() == model.front());
    REQUIRE(ring.back() == model.back());
  }
}

}  // namespace mq

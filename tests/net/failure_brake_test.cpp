#include "net/failure_brake.hpp"

#include <doctest/doctest.h>

using namespace mq;
using net::FailureBrake;

TEST_CASE("failures of one address are slowed, more and more, and nobody else's") {
  FailureBrake brake;
  Instant now(Millis(1'000'000));
  for (unsigned i = 0; i < FailureBrake::kFree; ++i) {
    CHECK_FALSE(brake.is_slowed("a"));
    brake.on_failure("a", now);
  }
  CHECK(brake.next("a") == now + Millis(1000));
  brake.on_failure("a", now);
  CHECK(brake.next("a") == now + Millis(2000));
  for (int i = 0; i < 100; ++i) brake.on_failure("a", now);
  CHECK(brake.next("a") == now + FailureBrake::kLongestPause);
  CHECK_FALSE(brake.is_slowed("b"));
}

TEST_CASE("a success and the time forgive") {
  FailureBrake brake;
  Instant now(Millis(1'000'000));
  for (int i = 0; i < 5; ++i) brake.on_failure("a", now);
  brake.on_success("a");
  CHECK_FALSE(brake.is_slowed("a"));
  for (int i = 0; i < 5; ++i) brake.on_failure("a", now);
  now += FailureBrake::kMemory + Seconds(1);
  brake.on_failure("a", now);
  CHECK_FALSE(brake.is_slowed("a"));
}

TEST_CASE("memory is bounded, however many addresses there are") {
  FailureBrake brake;
  const Instant now(Millis(1'000'000));
  for (int i = 0; i < 5; ++i) brake.on_failure("a", now);
  for (std::size_t i = 0; i < FailureBrake::kMost; ++i) brake.on_failure(std::to_string(i), now);
  CHECK_FALSE(brake.is_slowed("a"));
}

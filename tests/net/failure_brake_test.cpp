#include "net/failure_brake.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace mq;
using net::FailureBrake;

namespace {

constexpr Instant kStart(Millis(1'000'000));

void fail(FailureBrake& brake, const std::string& place, const std::string& name, int times,
          Instant now = kStart) {
  for (int i = 0; i < times; ++i) brake.on_failure(place, FailureBrake::name_of(name), now);
}

bool is_slowed(const FailureBrake& brake, const std::string& place, const std::string& name,
               Instant now) {
  return brake.next(place, FailureBrake::name_of(name), now) != Instant{};
}

}  // namespace

TEST_CASE("failures of one name at one place are slowed, more and more, and nobody else's") {
  FailureBrake brake;
  for (unsigned i = 0; i < FailureBrake::kFree; ++i) {
    CHECK_FALSE(is_slowed(brake, "a", "bob", kStart));
    fail(brake, "a", "bob", 1);
  }
  CHECK(brake.next("a", FailureBrake::name_of("bob"), kStart) == kStart + Millis(1000));
  fail(brake, "a", "bob", 1);
  CHECK(brake.next("a", FailureBrake::name_of("bob"), kStart) == kStart + Millis(2000));
  fail(brake, "a", "bob", 100);
  CHECK(brake.next("a", FailureBrake::name_of("bob"), kStart) ==
        kStart + FailureBrake::kLongestPause);
  CHECK_FALSE(is_slowed(brake, "b", "bob", kStart));
  CHECK_FALSE(is_slowed(brake, "a", "alice", kStart));
}

TEST_CASE("a success and the time forgive the name") {
  FailureBrake brake;
  fail(brake, "a", "bob", 5);
  fail(brake, "a", "eve", 5);
  brake.on_success("a", FailureBrake::name_of("bob"));
  CHECK_FALSE(is_slowed(brake, "a", "bob", kStart));
  CHECK(is_slowed(brake, "a", "eve", kStart));
  const Instant later = kStart + FailureBrake::kMemory + Seconds(1);
  CHECK_FALSE(is_slowed(brake, "a", "eve", later));
  fail(brake, "a", "eve", 1, later);
  CHECK_FALSE(is_slowed(brake, "a", "eve", later));
}

TEST_CASE("whoever makes up names at one place is slowed as one") {
  FailureBrake brake;
  for (std::size_t i = 0; i < FailureBrake::kNames; ++i) fail(brake, "a", std::to_string(i), 1);
  int attempts = 0;
  const auto made_up = [&attempts] { return "made up " + std::to_string(attempts); };
  Instant now = kStart;
  for (; now < kStart + Seconds(3600); now += Millis(100)) {
    if (brake.next("a", FailureBrake::name_of(made_up()), now) > now) continue;
    brake.on_failure("a", FailureBrake::name_of(made_up()), now);
    ++attempts;
  }
  const auto longest = Seconds(3600) / FailureBrake::kLongestPause;
  CHECK(attempts < 2 * longest + 8 * static_cast<int>(FailureBrake::kNames));
  CHECK_FALSE(is_slowed(brake, "b", made_up(), now));
}

TEST_CASE("a name that is right does not make up for those that are made up") {
  FailureBrake brake;
  for (int i = 0; i < 100; ++i) fail(brake, "a", std::to_string(i), 1);
  brake.on_success("a", FailureBrake::name_of("alice"));
  CHECK(is_slowed(brake, "a", "made up", kStart));
}

TEST_CASE("memory is bounded, however many places there are") {
  FailureBrake brake;
  fail(brake, "a", "bob", 5);
  for (std::size_t i = 0; i < FailureBrake::kMost; ++i) fail(brake, std::to_string(i), "bob", 1);
  CHECK_FALSE(is_slowed(brake, "a", "bob", kStart));
}

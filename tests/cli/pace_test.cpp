#include "cli/pace.hpp"

#include <doctest/doctest.h>

using namespace mq;
using namespace mq::cli;

namespace {

std::int64_t micros(std::string_view text) {
  const auto time = parse_stamp(text);
  REQUIRE(time.has_value());
  return time->time_since_epoch().count();
}

}  // namespace

TEST_CASE("a stamp is read as mqsub, mosquitto_sub 2.1 and 2.0 write it, and as RFC 3339 does") {
  CHECK(micros("1970-01-01T00:00:01.000001+0000") == 1'000'001);
  CHECK(micros("1970-01-01T00:00:01.500000Z+0000") == 1'500'000);
  CHECK(micros("1970-01-01T00:00:01Z") == 1'000'000);
  CHECK(micros("1970-01-01 00:00:01.25Z") == 1'250'000);
  CHECK(micros("1970-01-01T02:00:00+02:00") == 0);
  CHECK(micros("1970-01-01T00:00:00-0130") == 5'400'000'000);
  CHECK(micros("2024-02-29T12:00:00Z") == 1'709'208'000'000'000);
}

TEST_CASE("what is no time is no stamp") {
  for (const auto* text : {"", "yesterday", "2026-11-23", "2026-13-01T00:00:00Z",
                           "2026-02-30T00:00:00Z", "2026-11-23T08:58:39Zx", "2026-11-23T08:58",
                           "2026-11-23T08:58:39+1", "-026-11-23T08:58:39Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_stamp(text).has_value());
  }
}

TEST_CASE("the first message is due at once, the others as long after it as when recorded") {
  const Instant start(Seconds(100));
  const auto at = [](int millis) { return WallTime(Seconds(1'000'000) + Millis(millis)); };
  Pace real(1);
  CHECK(real.due(at(0), start) == start);
  CHECK(real.due(at(1500), start + Millis(3)) == start + Millis(1500));
  CHECK(real.due(at(-500), start + Millis(3)) == start - Millis(500));
  Pace fast(10);
  CHECK(fast.due(at(0), start) == start);
  CHECK(fast.due(at(1500), start) == start + Millis(150));
}

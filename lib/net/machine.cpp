#include "net/machine.hpp"

#include <uv.h>

#include "base/check.hpp"
#include "net/loop.hpp"

namespace mq::net {

Now now() {
  return Loop().now();
}

Instant steady_time() {
  return Instant(Millis(uv_hrtime() / 1'000'000));
}

WallTime wall_time() {
  uv_timeval64_t wall{};
  uv_gettimeofday(&wall);
  return WallTime(std::chrono::microseconds(wall.tv_sec * 1'000'000 + wall.tv_usec));
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  MQ_CHECK(uv_random(nullptr, nullptr, &seed, sizeof(seed), 0, nullptr) == 0);
  return seed;
}

}  // namespace mq::net

#pragma once

#include <cstdint>

#include "base/time.hpp"

/// What only the operating system knows and the cores must be told.
namespace mq::net {

/// The time on the clocks that the drivers use.
Now now();
Instant steady_time();
WallTime wall_time();

/// From the system's own source of randomness.
std::uint64_t random_seed();

}  // namespace mq::net

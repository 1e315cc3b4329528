#pragma once

#include <chrono>
#include <cstdint>

namespace mq {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

/// Tags without a now(): time is handed in by the driver, so a core that asks for it does not
/// compile.
struct SteadyTag {};
struct WallTag {};

/// Never goes back; says nothing about the calendar. Deadlines use it.
using Instant = std::chrono::time_point<SteadyTag, Millis>;
/// Microseconds since 1970-01-01 UTC. What is shown or written to disk uses it.
using WallTime = std::chrono::time_point<WallTag, std::chrono::microseconds>;

/// Read once per turn of the loop.
struct Now {
  Instant steady;
  WallTime wall;
};

inline constexpr Instant kNever = Instant::max();

}  // namespace mq

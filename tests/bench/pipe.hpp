#pragma once

#include <cstdint>

#include "bench/load.hpp"

namespace mq::bench {

/// One end of a pipe whose other end is a program to be measured: `sink` counts what comes to the
/// plan's topic, and says "ready" on stdout once it is subscribed; `source` publishes to it.
Result pipe(const Plan& plan, std::uint16_t port);

}  // namespace mq::bench

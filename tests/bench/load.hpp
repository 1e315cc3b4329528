#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bench/plan.hpp"
#include "bench/tally.hpp"

namespace mq::bench {

struct Result {
  Faults faults;
  /// Named "cpu_us", "per_s", "bytes": what is measured, of a message unless the name says more.
  std::vector<std::pair<std::string, double>> figures;
};

/// Loads the broker at this port of this machine as the plan says.
///
/// broker  its process; 0: nobody knows
/// Throws  std::system_error when it cannot be reached, std::invalid_argument for a scenario that
///         there is not
Result load(const Plan& plan, std::uint16_t port, pid_t broker);

/// What load() can do, with a line of words for each.
std::vector<std::pair<std::string, std::string>> scenarios();

}  // namespace mq::bench

#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

namespace mq::bench {

/// What one run of the load generator does: a scenario and its numbers.
struct Plan {
  std::string scenario;
  std::uint32_t pubs = 1;
  std::uint32_t subs = 1;
  std::uint32_t qos = 0;
  std::uint32_t payload = 256;  ///< at least 16: it begins with a stamp
  std::uint32_t window = 0;     ///< of one publisher, sent and not delivered everywhere; 0: by size
  std::uint32_t inflight = 0;   ///< of one publisher, not acknowledged; 0: 1,000
  std::uint32_t batch = 0;      ///< a publisher sends so many at once; 0: as it suits
  std::uint32_t step = 0;       ///< 1: the broker is stopped while it is written to, if it delivers
  std::uint32_t count = 0;      ///< messages of all publishers; 0: as many as `seconds` allow
  std::uint32_t idle = 0;       ///< connections that do nothing meanwhile
  std::uint32_t filters = 1;
  std::uint32_t rate = 0;      ///< messages a second of all publishers; 0: as fast as it goes
  std::string sink = "none";   ///< who hears what is acknowledged: none, online, asleep, durable
  std::string topic = "load";  ///< of `sink` and `source`
  double seconds = 2;
  double patience = 30;  ///< seconds without any progress: what has not come by then is lost
};

/// Reads `scenario key=value ...`.
///
/// Fails  a line that names the word that is wrong
std::expected<Plan, std::string> read_plan(std::span<const char* const> words);

}  // namespace mq::bench

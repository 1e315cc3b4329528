#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "cli/console.hpp"

namespace mq::cli {

/// How far a transfer has come: what has arrived, as far as that can be known.
struct Transferred {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t in_flight = 0;  ///< messages
};

/// Shows on a terminal, once it takes longer than a second, how a transfer goes: its size, rate,
/// what is in flight, and the share that is done where the whole is known.
class Progress {
 public:
  enum class Unit : std::uint8_t { lines, bytes };

  Progress(Notices& notices, Unit unit, std::optional<std::uint64_t> bytes_total)
      : notices_(notices), unit_(unit), total_(bytes_total) {}

  /// The transfer begins; where nobody looks, nothing is shown.
  void start(Instant now);
  /// When to call show() next.
  Instant next_deadline() const { return next_; }
  void show(const Transferred& so_far, Instant now);
  void clear();

 private:
  struct Sample {
    Instant at;
    Transferred so_far;
  };

  Notices& notices_;
  Unit unit_;
  std::optional<std::uint64_t> total_;
  Instant next_ = kNever;
  std::deque<Sample> samples_;  ///< of the last seconds, for the rate; the oldest first
};

/// "1.2 MB"
std::string words_of_bytes(double bytes);

}  // namespace mq::cli

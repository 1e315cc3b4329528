#pragma once

#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace mq::cli {

/// The time that a stamp as mqsub's %j prints it stands for: "2026-11-23T08:58:39.966231+0000",
/// also with fewer digits behind the second, or Z, or +00:00.
std::optional<WallTime> parse_stamp(std::string_view text);

/// When the messages of a recording are due, for it to be played as fast as it was made, or `speed`
/// times as fast.
class Pace {
 public:
  explicit Pace(double speed) : speed_(speed) {}

  /// The first message is due at once.
  Instant due(WallTime stamp, Instant now) {
    if (!first_) first_ = First{stamp, now};
    const auto gap = std::chrono::duration<double, std::milli>(stamp - first_->stamp) / speed_;
    return first_->at + std::chrono::duration_cast<Millis>(gap);
  }

 private:
  struct First {
    WallTime stamp;
    Instant at;
  };

  double speed_;
  std::optional<First> first_;
};

}  // namespace mq::cli

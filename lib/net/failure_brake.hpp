#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/text_map.hpp"
#include "base/time.hpp"

namespace mq::net {

/// Slows down whoever keeps failing: the first failures are free, then each doubles the pause
/// before the next attempt, up to a limit. A success, or five minutes without failure, are a new
/// start.
class FailureBrake {
 public:
  static constexpr unsigned kFree = 3;
  static constexpr Millis kFirstPause{1000};
  static constexpr Millis kLongestPause{16'000};
  static constexpr Seconds kMemory{300};
  /// Whom it can remember. When there are more, all are forgotten.
  static constexpr std::size_t kMost = 10'000;

  /// When `who` may try again; an instant that has passed: now.
  Instant next(std::string_view who) const {
    const auto known = records_.find(who);
    if (known == records_.end() || known->second.failures < kFree) return Instant{};
    const unsigned doublings = std::min(known->second.failures - kFree, 4U);
    return known->second.last + std::min(kFirstPause * (1 << doublings), kLongestPause);
  }
  /// Whether there is a pause between its attempts.
  bool is_slowed(std::string_view who) const { return next(who) != Instant{}; }

  void on_failure(const std::string& who, Instant now) {
    if (records_.size() >= kMost) forget(now);
    Record& record = records_[who];
    if (record.last + kMemory < now) record.failures = 0;
    ++record.failures;
    record.last = now;
  }
  void on_success(std::string_view who) {
    if (const auto known = records_.find(who); known != records_.end()) records_.erase(known);
  }

 private:
  struct Record {
    unsigned failures = 0;
    Instant last{};
  };

  void forget(Instant now) {
    absl::erase_if(records_, [now](const auto& one) { return one.second.last + kMemory < now; });
    if (records_.size() >= kMost) records_.clear();
  }

  TextMap<Record> records_;
};

}  // namespace mq::net

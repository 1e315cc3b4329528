#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_map.hpp"
#include "base/time.hpp"

namespace mq::net {

/// Slows down whoever keeps failing: the first failures are free, then each doubles the pause
/// before the next attempt, up to a limit. A success, or five minutes without failure, are a new
/// start.
///
/// At each place, the first names that fail are slowed each for itself, so nobody waits for the
/// mistakes of a few others. When there are more, the rest is slowed together, whatever its names:
/// whoever makes them up is slowed as one, and no name that is right makes up for that. So a place
/// has at most kNames + 1 attempts in each of the longest pauses, beside the free ones.
class FailureBrake {
 public:
  static constexpr unsigned kFree = 3;
  static constexpr Millis kFirstPause{1000};
  static constexpr Millis kLongestPause{16'000};
  static constexpr Seconds kMemory{300};
  /// Names that are slowed each for itself, of a place.
  static constexpr std::size_t kNames = 8;
  /// Places that it can remember. When there are more, all are forgotten.
  static constexpr std::size_t kMost = 10'000;

  /// A name's hash, for names are as long as somebody likes.
  enum class Name : std::size_t {};
  static Name name_of(std::string_view name) { return Name{TextHash()(name)}; }

  /// When `name` may try again at `place`; Instant{}: there is no pause between its attempts.
  Instant next(std::string_view place, Name name, Instant now) const {
    const auto known = places_.find(place);
    if (known == places_.end()) return Instant{};
    const Failures failures = known->second.of(name, now);
    if (failures.count < kFree) return Instant{};
    const unsigned doublings = std::min(failures.count - kFree, 4U);
    return failures.last + std::min(kFirstPause * (1 << doublings), kLongestPause);
  }

  void on_failure(const std::string& place, Name name, Instant now) {
    if (places_.size() >= kMost) forget(now);
    Failures& failures = places_[place].added(name, now);
    ++failures.count;
    failures.last = now;
  }
  void on_success(std::string_view place, Name name) {
    const auto known = places_.find(place);
    if (known == places_.end()) return;
    std::erase_if(known->second.names, [name](const Failures& one) { return one.name == name; });
  }

 private:
  struct Failures {
    Name name{};
    unsigned count = 0;
    Instant last{};

    bool is_old(Instant now) const { return last + kMemory < now; }
  };

  struct Place {
    std::vector<Failures> names;
    Failures others{};

    Failures of(Name name, Instant now) const {
      std::size_t lately = 0;
      for (const Failures& one : names) {
        if (one.is_old(now)) continue;
        if (one.name == name) return one;
        ++lately;
      }
      return lately < kNames || others.is_old(now) ? Failures() : others;
    }
    Failures& added(Name name, Instant now) {
      std::erase_if(names, [now](const Failures& one) { return one.is_old(now); });
      const auto known = std::ranges::find(names, name, &Failures::name);
      if (known != names.end()) return *known;
      if (names.size() < kNames) return names.emplace_back(Failures{.name = name});
      if (others.is_old(now)) others = {};
      return others;
    }
    bool is_old(Instant now) const {
      return others.is_old(now) &&
             std::ranges::all_of(names, [now](const Failures& one) { return one.is_old(now); });
    }
  };

  void forget(Instant now) {
    absl::erase_if(places_, [now](const auto& one) { return one.second.is_old(now); });
    if (places_.size() >= kMost) places_.clear();
  }

  TextMap<Place> places_;
};

}  // namespace mq::net

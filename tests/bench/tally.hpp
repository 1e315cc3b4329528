#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace mq::bench {

/// What may go wrong in a run. All of it is zero with a broker that is right.
struct Faults {
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t reordered = 0;
  std::uint64_t wrong = 0;   ///< a payload, topic, QoS, flag or answer that should not be
  std::uint64_t closed = 0;  ///< connections that the broker ended
  std::uint64_t sum() const { return lost + doubled + reordered + wrong + closed; }
};

/// One subscriber's account of what has come. Every message belongs to a stream and has a number
/// in it: 0, 1, 2 …, and the messages of a stream are to come in that order.
class Tally {
 public:
  explicit Tally(std::uint32_t streams) : next_(streams) {}

  /// Returns whether the message is new.
  bool take(std::uint32_t stream, std::uint32_t number) {
    if (number == next_[stream]) [[likely]] {
      ++next_[stream];
      return true;
    }
    return take_out_of_order(stream, number);
  }

  /// published  how many messages each stream has had, in the end
  void settle(const std::vector<std::uint32_t>& published, std::uint32_t first,
              Faults& faults) const {
    for (std::uint32_t stream = 0; stream < next_.size(); ++stream) {
      if (next_[stream] < published[first + stream]) {
        faults.lost += published[first + stream] - next_[stream];
      }
    }
    for (const auto& [stream, numbers] : missing_) faults.lost += numbers.size();
    faults.doubled += doubled_;
    faults.reordered += reordered_;
  }

  std::uint32_t streams() const { return static_cast<std::uint32_t>(next_.size()); }

 private:
  bool take_out_of_order(std::uint32_t stream, std::uint32_t number) {
    auto& missing = missing_[stream];
    if (number > next_[stream]) {
      while (next_[stream] < number) missing.insert(next_[stream]++);
      ++next_[stream];
      return true;
    }
    if (missing.erase(number) == 0) {
      ++doubled_;
      return false;
    }
    ++reordered_;
    return true;
  }

  std::vector<std::uint32_t> next_;
  std::map<std::uint32_t, std::set<std::uint32_t>> missing_;
  std::uint64_t doubled_ = 0;
  std::uint64_t reordered_ = 0;
};

}  // namespace mq::bench

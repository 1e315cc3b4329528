#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"

namespace mq {

/// Who is to be woken when. Entries are not taken back: the owner of an entry that has become
/// pointless or premature finds that out when it comes due and, if need be, sets it anew. So the
/// common case (a client that keeps sending) costs nothing per packet.
///
/// Key   anything that names the owner and can be copied; equal deadlines come due in the order
///       in which they were set
template <class Key>
class Deadlines {
 public:
  void set(Instant at, Key key) {
    heap_.push_back({at, order_++, key});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  /// The earliest deadline, or kNever.
  Instant next() const { return heap_.empty() ? kNever : heap_.front().at; }

  /// Removes and returns the earliest entry that is due at `now`.
  std::optional<Key> take_due(Instant now) {
    if (heap_.empty() || heap_.front().at > now) return std::nullopt;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Key key = heap_.back().key;
    heap_.pop_back();
    return key;
  }

  std::size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    Instant at;
    std::uint64_t order;
    Key key;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }

  std::vector<Entry> heap_;
  std::uint64_t order_ = 0;
};

}  // namespace mq

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mq::session {

/// The packet ids of QoS 2 messages that came in and are not released yet: from PUBLISH to PUBREL
/// (MQTT 5.0 §4.3.3). Kept across connections, since the PUBLISH may come again.
class Inbox {
 public:
  /// A PUBLISH with this id has come. Returns false when it is a repetition.
  [[nodiscard]] bool put(std::uint16_t packet_id) {
    const auto it = find(packet_id);
    if (it == entries_.end()) {
      entries_.push_back({packet_id, true});
      ++under_way_;
      return true;
    }
    if (!it->is_under_way) ++under_way_;
    it->is_under_way = true;
    return false;
  }

  /// Returns false when the id was not here.
  bool drop(std::uint16_t packet_id) {
    const auto it = find(packet_id);
    if (it == entries_.end()) return false;
    if (it->is_under_way) --under_way_;
    entries_.erase(it);
    return true;
  }

  /// Puts an id back that was stored.
  void restore(std::uint16_t packet_id) { entries_.push_back({packet_id, false}); }

  bool contains(std::uint16_t packet_id) const {
    return std::ranges::find(entries_, packet_id, &Entry::id) != entries_.end();
  }

  /// A connection is over: of what remains, nothing counts against the next one's receive maximum
  /// until it comes again (MQTT 5.0 §4.9).
  void rewind() {
    for (Entry& entry : entries_) entry.is_under_way = false;
    under_way_ = 0;
  }

  std::size_t size() const { return entries_.size(); }
  /// How many came in this connection.
  std::size_t under_way() const { return under_way_; }
  void clear() {
    entries_.clear();
    under_way_ = 0;
  }

 private:
  struct Entry {
    std::uint16_t id;
    bool is_under_way;
  };

  std::vector<Entry>::iterator find(std::uint16_t packet_id) {
    return std::ranges::find(entries_, packet_id, &Entry::id);
  }

  std::vector<Entry> entries_;  ///< in order of arrival
  std::size_t under_way_ = 0;
};

}  // namespace mq::session

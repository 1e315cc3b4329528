#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace mq::session {

/// The packet ids of QoS 2 messages that came in and are not released yet: from PUBLISH to PUBREL
/// (MQTT 5.0 §4.3.3). Kept across connections, since the PUBLISH may come again.
class Inbox {
 public:
  /// A PUBLISH with this id has come. Returns whether it is a repetition; if not, and it is to be
  /// taken, put() it.
  [[nodiscard]] bool repeat(std::uint16_t packet_id) {
    const auto it = ids_.find(packet_id);
    if (it == ids_.end()) return false;
    if (!std::exchange(it->second, true)) ++under_way_;  // [MQTT-4.3.3-10]
    return true;
  }

  /// Takes an id that is not here.
  void put(std::uint16_t packet_id) {
    ids_.emplace(packet_id, true);
    ++under_way_;
  }

  /// Returns false when the id was not here.
  bool drop(std::uint16_t packet_id) {
    const auto it = ids_.find(packet_id);
    if (it == ids_.end()) return false;
    if (it->second) --under_way_;
    ids_.erase(it);  // [MQTT-4.3.3-12]
    return true;
  }

  /// Puts an id back that was stored.
  void restore(std::uint16_t packet_id) { ids_.emplace(packet_id, false); }

  /// A connection is over: of what remains, nothing counts against the next one's receive maximum
  /// until it comes again (MQTT 5.0 §4.9).
  void rewind() {
    for (auto& [id, is_under_way] : ids_) is_under_way = false;
    under_way_ = 0;
  }

  std::size_t size() const { return ids_.size(); }
  /// How many came in this connection.
  std::size_t under_way() const { return under_way_; }
  void clear() {
    ids_.clear();
    under_way_ = 0;
  }

 private:
  absl::flat_hash_map<std::uint16_t, bool> ids_;  ///< whether it came in this connection
  std::size_t under_way_ = 0;
};

}  // namespace mq::session

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
  /// Returns false when the id is under way already: the PUBLISH is a repetition.
  [[nodiscard]] bool put(std::uint16_t packet_id) {
    if (contains(packet_id)) return false;
    ids_.push_back(packet_id);
    return true;
  }

  /// Puts an id back that was stored.
  void restore(std::uint16_t packet_id) { ids_.push_back(packet_id); }

  /// Returns false when the id was not under way.
  bool drop(std::uint16_t packet_id) {
    const auto it = std::find(ids_.begin(), ids_.end(), packet_id);
    if (it == ids_.end()) return false;
    ids_.erase(it);
    return true;
  }

  bool contains(std::uint16_t packet_id) const {
    return std::find(ids_.begin(), ids_.end(), packet_id) != ids_.end();
  }

  std::size_t size() const { return ids_.size(); }
  void clear() { ids_.clear(); }
  auto begin() const { return ids_.begin(); }
  auto end() const { return ids_.end(); }

 private:
  std::vector<std::uint16_t> ids_;  ///< in order of arrival
};

}  // namespace mq::session

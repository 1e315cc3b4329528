#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>

#include "base/check.hpp"
#include "wire/packet.hpp"

namespace mq::fuzz {

/// What one side has sent at QoS 1 and 2 in a connection, and the other has not acknowledged.
class Window {
 public:
  struct Open {
    std::uint16_t packet_id = 0;
    wire::QoS qos{};
    bool is_released = false;  ///< at QoS 2, PUBREC has gone
    std::size_t size = 0;      ///< of the payload
  };

  void take(const wire::Publish& publish) {
    const Open open{publish.packet_id, publish.qos, false, publish.payload.size()};
    const bool is_new = open_.emplace(publish.packet_id, open).second;
    MQ_CHECK(is_new);  // nothing is repeated within a connection [MQTT-4.4.0-1] [MQTT-2.2.1-3]
  }
  void puback(std::uint16_t id) {
    const Open* open = find(id);
    if (open != nullptr && open->qos == wire::QoS::at_least_once) open_.erase(id);
  }
  /// is_wanted  false: its receiver refuses the message
  void pubrec(std::uint16_t id, bool is_wanted) {
    const auto open = open_.find(id);
    if (open == open_.end() || open->second.qos != wire::QoS::exactly_once) return;
    if (is_wanted) {
      open->second.is_released = true;
    } else {
      open_.erase(open);
    }
  }
  void pubcomp(std::uint16_t id) {
    const Open* open = find(id);
    if (open != nullptr && open->is_released) open_.erase(id);
  }
  void clear() { open_.clear(); }

  std::size_t size() const { return open_.size(); }
  bool empty() const { return open_.empty(); }
  const Open* find(std::uint16_t id) const {
    const auto open = open_.find(id);
    return open == open_.end() ? nullptr : &open->second;
  }
  /// One of them, where there are some.
  Open any(unsigned choice) const {
    return std::next(open_.begin(), static_cast<std::ptrdiff_t>(choice % open_.size()))->second;
  }
  /// Of the payloads that are not released.
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& [_, open] : open_) sum += open.is_released ? 0 : open.size;
    return sum;
  }

 private:
  std::map<std::uint16_t, Open> open_;
};

}  // namespace mq::fuzz

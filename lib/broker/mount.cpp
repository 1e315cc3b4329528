#include <algorithm>

#include "broker/core.hpp"
#include "topic/name.hpp"

// The clients of a listener with a mount_point live in a part of the tree: what they name gets the
// mount point in front of it as it comes in, and loses it as it goes out. In between, a topic is a
// topic.

namespace mq::broker {

bool Core::is_mountable(const Connection& connection, std::string_view topic) {
  if (connection.mount == nullptr) return true;
  const std::string whole = *connection.mount + std::string(topic);
  return whole.size() <= topic::kLongestName && topic::is_name(whole);  // [MQTT-4.7.3-3]
}

std::string_view Core::mounted(const Connection& connection, std::string_view topic) {
  const std::string& mount = *connection.mount;
  const std::span<Byte> room = turn_.take(mount.size() + topic.size());
  std::ranges::copy(topic, std::ranges::copy(mount, room.begin()).out);
  return text_of(room);
}

std::string Core::mounted_filter(const Connection& connection, std::string_view filter) {
  if (connection.mount == nullptr) return std::string(filter);
  const auto share = topic::share_of(filter);
  if (!share) return *connection.mount + std::string(filter);
  const auto group = filter.substr(0, filter.size() - share->filter.size());
  return std::string(group) + *connection.mount + std::string(share->filter);
}

}  // namespace mq::broker

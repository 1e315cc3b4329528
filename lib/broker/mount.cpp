#include <algorithm>

#include "broker/core.hpp"
#include "topic/name.hpp"

// The clients of a listener with a mount_point live in a part of the tree: what they name gets the
// mount point in front of it as it comes in, and loses it as it goes out. In between, a topic is a
// topic.

namespace mq::broker {

std::string_view Core::mount_of(const Connection& connection) const {
  return config_.listeners[connection.listener].mount_point;
}

bool Core::is_mountable(const Connection& connection, std::string_view topic) const {
  constexpr std::size_t kLongestTopic = 65'535;
  if (!connection.is_mounted) return true;
  const std::string whole = std::string(mount_of(connection)) + std::string(topic);
  return whole.size() <= kLongestTopic && topic::is_name(whole);
}

std::string_view Core::mounted(const Connection& connection, std::string_view topic) {
  const std::string_view mount = mount_of(connection);
  const std::span<Byte> room = turn_.take(mount.size() + topic.size());
  std::ranges::copy(topic, std::ranges::copy(mount, room.begin()).out);
  return text_of(room);
}

std::string Core::mounted_filter(const Connection& connection, std::string_view filter) const {
  const std::string_view mount = mount_of(connection);
  const auto share = topic::share_of(filter);
  if (!share) return std::string(mount) + std::string(filter);
  const auto group = filter.substr(0, filter.size() - share->filter.size());
  return std::string(group) + std::string(mount) + std::string(share->filter);
}

bool Core::sees(const Connection& connection, std::string_view topic) const {
  if (!connection.is_mounted) return true;
  const std::string_view mount = mount_of(connection);
  return topic.size() > mount.size() && topic.starts_with(mount);
}

std::string_view Core::seen_by(const Connection& connection, std::string_view topic) const {
  return connection.is_mounted ? topic.substr(mount_of(connection).size()) : topic;
}

}  // namespace mq::broker

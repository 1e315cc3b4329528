#include "topic/name.hpp"

#include <algorithm>

namespace mq::topic {
namespace {

constexpr std::string_view kSharePrefix = "$share/";

bool has_few_levels(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '/')) < kMaximumLevels;
}

bool is_plain_filter(std::string_view filter) {
  if (filter.empty() || !has_few_levels(filter)) return false;
  for (std::string_view rest = filter; rest.data() != nullptr;) {
    const auto level = take_level(rest);
    if (!has_wildcard(level)) continue;
    if (level.size() > 1) return false;                        // [MQTT-4.7.1-2] [MQTT-4.7.1-1]
    if (level == "#" && rest.data() != nullptr) return false;  // [MQTT-4.7.1-1]
  }
  return true;
}

}  // namespace

bool is_name(std::string_view topic) {
  // [MQTT-4.7.0-1] [MQTT-4.7.3-1]
  return !topic.empty() && !has_wildcard(topic) && has_few_levels(topic);
}

bool is_filter(std::string_view filter) {
  if (!filter.starts_with(kSharePrefix)) return is_plain_filter(filter);
  const auto share = share_of(filter);
  // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
  return share && !share->group.empty() && !has_wildcard(share->group) &&
         is_plain_filter(share->filter);
}

bool has_wildcard(std::string_view filter) {
  return filter.find_first_of("+#") != std::string_view::npos;
}

std::optional<Share> share_of(std::string_view filter) {
  if (!filter.starts_with(kSharePrefix)) return std::nullopt;
  filter.remove_prefix(kSharePrefix.size());
  const auto slash = filter.find('/');
  if (slash == std::string_view::npos) return Share{filter, {}};
  return Share{filter.substr(0, slash), filter.substr(slash + 1)};
}

bool matches(std::string_view filter, std::string_view topic) {
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) {
    return false;  // [MQTT-4.7.2-1]
  }
  while (filter.data() != nullptr) {
    const auto wanted = take_level(filter);
    if (wanted == "#") return true;
    if (topic.data() == nullptr) return false;
    const auto level = take_level(topic);
    if (wanted != "+" && wanted != level) return false;  // [MQTT-4.7.3-4]
    // "sport/#" also matches "sport": the parent level (§4.7.1.2)
    if (topic.data() == nullptr && filter == "#") return true;
  }
  return topic.data() == nullptr;
}

std::string_view take_level(std::string_view& rest) {
  const auto slash = rest.find('/');
  const auto level = rest.substr(0, slash);
  if (slash == std::string_view::npos) {
    rest = std::string_view();
  } else {
    rest.remove_prefix(slash + 1);
  }
  return level;
}

}  // namespace mq::topic

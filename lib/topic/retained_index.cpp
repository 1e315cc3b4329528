#include "topic/retained_index.hpp"

#include <algorithm>

// Topics are sorted with "/" below every other byte, so that what lies under a topic follows it
// directly. A filter then matches runs of neighbours. Where a topic does not match, the level that
// failed says where to look next: forward to the level that the filter names, or behind the whole
// subtree of the nearest level above it that a "+" stands for.

namespace mq::topic {
namespace {

/// The first key behind everything at or below the topic `prefix`: no topic contains U+0000, which
/// comes right after "/" in this order.
std::string behind(std::string_view prefix) {
  std::string key(prefix);
  key.push_back('\0');
  return key;
}

const Step kMatch{true, false, {}};
const Step kLast{false, true, {}};

Step seek_to(std::string key) {
  return {false, false, std::move(key)};
}

}  // namespace

bool is_before(std::string_view a, std::string_view b) {
  const auto shared = std::min(a.size(), b.size());
  const auto [at_a, at_b] =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shared), b.begin());
  const auto position = static_cast<std::size_t>(at_a - a.begin());
  if (position == shared) return a.size() < b.size();
  if (*at_a == '/') return true;
  if (*at_b == '/') return false;
  return static_cast<unsigned char>(*at_a) < static_cast<unsigned char>(*at_b);
}

std::string_view start_of(std::string_view filter) {
  const auto wildcard = filter.find_first_of("+#");
  if (wildcard == std::string_view::npos) return filter;
  // "a/#" matches "a" too.
  return filter.substr(0, wildcard == 0 ? 0 : wildcard - 1);
}

Step step(std::string_view filter, std::string_view topic) {
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) {
    return seek_to("%");  // [MQTT-4.7.2-1]; "%" comes after "$"
  }
  std::string_view wanted_rest = filter;
  std::string_view rest = topic;
  std::size_t plus_end = std::string_view::npos;  // where the level under the last "+" ends
  while (wanted_rest.data() != nullptr) {
    const auto wanted = take_level(wanted_rest);
    if (wanted == "#") return kMatch;
    if (rest.data() == nullptr) return {};  // too short: what is wanted lies below it, next
    const auto start = static_cast<std::size_t>(rest.data() - topic.data());
    const auto level = take_level(rest);
    if (wanted == "+") {
      plus_end = start + level.size();
    } else if (wanted != level) {
      if (is_before(level, wanted)) {
        return seek_to(std::string(topic.substr(0, start)).append(wanted));
      }
      if (plus_end == std::string_view::npos) return kLast;
      return seek_to(behind(topic.substr(0, plus_end)));
    }
    if (rest.data() == nullptr && wanted_rest == "#") return kMatch;
  }
  if (rest.data() == nullptr) return kMatch;
  // Longer than the filter: nothing below this level matches.
  return seek_to(behind(topic.substr(0, static_cast<std::size_t>(rest.data() - topic.data()) - 1)));
}

}  // namespace mq::topic

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

/// Topic names and topic filters (MQTT 5.0 §4.7), already checked to be UTF-8 strings.
namespace mq::topic {

/// A deeper topic or filter is refused: it costs its receivers more than it tells them.
inline constexpr std::size_t kMaximumLevels = 200;
inline constexpr std::size_t kLongestName = 65'535;  ///< in bytes (MQTT 5.0 §1.5.4)

/// Not empty, no wildcards, at most kMaximumLevels levels [MQTT-4.7.3-1] [MQTT-3.3.2-2].
bool is_name(std::string_view topic);

/// Not empty, wildcards only as whole levels and `#` only as the last one, at most kMaximumLevels
/// levels [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1]. A filter that starts with `$share/` needs
/// a group without wildcards and a filter behind it [MQTT-4.8.2-1] [MQTT-4.8.2-2].
bool is_filter(std::string_view filter);

/// Whether a filter has a `+` or `#` in it.
bool has_wildcard(std::string_view filter);

/// What `$share/GROUP/FILTER` consists of; nothing for any other filter.
struct Share {
  std::string_view group;
  std::string_view filter;
};
std::optional<Share> share_of(std::string_view filter);

/// Whether a filter, not a shared one, matches a topic. A wildcard in the first level does not
/// match a topic that begins with `$` [MQTT-4.7.2-1].
bool matches(std::string_view filter, std::string_view topic);

/// Cuts the first level off `rest`: "a/b" gives "a" and leaves "b". `rest` becomes empty with a
/// null data() behind the last level, so that "a/" has two levels.
std::string_view take_level(std::string_view& rest);

}  // namespace mq::topic

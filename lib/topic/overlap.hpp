#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What two filters have in common; both satisfy is_filter() and are not shared ones.
namespace mq::topic {

/// The filter that matches what both match; nothing where no topic matches both.
///
///     a/+/c and a/b/#   a/b/c
std::optional<std::string> intersection(std::string_view a, std::string_view b);

/// Whether `wide` matches every topic that `narrow` matches.
bool covers(std::string_view wide, std::string_view narrow);

}  // namespace mq::topic

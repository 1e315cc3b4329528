#include "topic/overlap.hpp"

#include "topic/name.hpp"

namespace mq::topic {
namespace {

/// A wildcard in the first level does not match a topic that begins with `$` [MQTT-4.7.2-1].
bool is_hidden_from(std::string_view wide, std::string_view narrow) {
  return narrow.starts_with('$') && (wide.starts_with('+') || wide.starts_with('#'));
}

void append(std::string& filter, bool& is_first, std::string_view level) {
  if (!is_first) filter += '/';
  is_first = false;
  filter += level;
}

}  // namespace

std::optional<std::string> intersection(std::string_view a, std::string_view b) {
  if (is_hidden_from(a, b) || is_hidden_from(b, a)) return std::nullopt;
  std::string common;
  bool is_first = true;
  while (a.data() != nullptr || b.data() != nullptr) {
    if (a == "#" || b == "#") {  // all that the other has left, which may be nothing
      const std::string_view rest = a == "#" ? b : a;
      if (rest.data() != nullptr) append(common, is_first, rest);
      return common;
    }
    if (a.data() == nullptr || b.data() == nullptr) return std::nullopt;
    const auto left = take_level(a);
    const auto right = take_level(b);
    if (left != right && left != "+" && right != "+") return std::nullopt;
    append(common, is_first, left == "+" ? right : left);
  }
  return common;
}

bool covers(std::string_view wide, std::string_view narrow) {
  if (is_hidden_from(wide, narrow)) return false;
  while (wide.data() != nullptr) {
    if (wide == "#") return true;
    if (narrow.data() == nullptr || narrow == "#") return false;
    const auto pattern = take_level(wide);
    if (const auto level = take_level(narrow); pattern != "+" && pattern != level) return false;
  }
  return narrow.data() == nullptr;
}

}  // namespace mq::topic

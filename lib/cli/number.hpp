#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace mq::cli {

/// The whole of `text` as a decimal number between the bounds.
template <class Number>
std::optional<Number> parse_number(std::string_view text, Number minimum, Number maximum) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc() || stop != end || number < minimum || number > maximum) {
    return std::nullopt;
  }
  return number;
}

}  // namespace mq::cli

#pragma once

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace mq::cli {

/// The whole of `text` as a decimal number between the bounds.
template <class Number>
std::optional<Number> parse_number(std::string_view text, Number minimum, Number maximum) {
  Number number{};
  if constexpr (std::is_floating_point_v<Number>) {
    // Not std::from_chars, which would bring libm into every start.
    if (text.find_first_not_of("0123456789.eE-") != text.npos) return std::nullopt;
    const std::string copy(text);
    char* stop = nullptr;
    number = std::strtod(copy.c_str(), &stop);
    if (copy.empty() || *stop != '\0') return std::nullopt;
  } else {
    const char* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, number);
    if (fault != std::errc() || stop != end) return std::nullopt;
  }
  if (number < minimum || number > maximum) return std::nullopt;
  return number;
}

}  // namespace mq::cli

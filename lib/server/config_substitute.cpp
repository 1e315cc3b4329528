#include "server/config_substitute.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/printable.hpp"
#include "server/text_file.hpp"

namespace mq::server {
namespace {

constexpr std::string_view kFile = "file:";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_in_name(char c) {
  return c == '_' || is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_variable(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) && std::ranges::all_of(name, is_in_name);
}

/// What follows a "${" that is never closed and was meant to be; empty: it was not.
std::string_view unclosed(std::string_view rest) {
  if (rest.starts_with(kFile)) return rest;
  const auto end = std::ranges::find_if_not(rest, is_in_name) - rest.begin();
  const std::string_view name = rest.substr(0, static_cast<std::size_t>(end));
  return is_variable(name) ? name : std::string_view();
}

std::expected<std::string, Error> line_in(std::string_view path) {
  auto text = contents_of(std::string(path));
  if (!text) return text;
  std::string line(trimmed(*text));
  if (line.find('\n') == std::string::npos) return line;
  return std::unexpected(Error{fmt::format("{} holds more than one line", printable(path))});
}

std::expected<std::string, Error> replacement(std::string_view name) {
  if (name.starts_with(kFile)) return line_in(name.substr(kFile.size()));
  const std::string variable(name);
  if (const char* value = std::getenv(variable.c_str())) return value;
  return std::unexpected(
      Error{fmt::format("the environment has no variable {} (write $${{ for ${{)", variable)});
}

}  // namespace

std::expected<std::string, Error> substituted(std::string_view value) {
  std::string text;
  while (true) {
    const auto at = value.find("${");
    text += value.substr(0, at);
    if (at == std::string_view::npos) return text;
    value.remove_prefix(at + 2);
    const auto end = value.find('}');
    const std::string_view name = value.substr(0, end);
    const bool is_literal = text.ends_with('$');
    if (is_literal) text.pop_back();
    if (!is_literal && end == std::string_view::npos && !unclosed(name).empty()) {
      return std::unexpected(Error{fmt::format("${{{} is not closed by }} (write $${{ for ${{)",
                                               printable(unclosed(name)))});
    }
    const bool is_ours = end != std::string_view::npos && !is_literal &&
                         (is_variable(name) || name.starts_with(kFile));
    if (!is_ours) {
      text += "${";
      continue;
    }
    const auto found = replacement(name);
    if (!found) return found;
    text += *found;
    value.remove_prefix(end + 1);
  }
}

}  // namespace mq::server

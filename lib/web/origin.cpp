#include "web/origin.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace mq::web {

namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_host(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char letter) {
    return letter > ' ' && letter < 0x7F && !std::string_view("/?#@\\").contains(letter);
  });
}

/// Cuts ":8080" off the end of a place; an IPv6 address is full of colons and stands in brackets.
std::string_view cut_port(std::string_view& place) {
  const auto colon = place.rfind(':');
  if (colon == std::string_view::npos || place.find(']', colon) != std::string_view::npos) {
    return {};
  }
  const std::string_view port = place.substr(colon + 1);
  place = place.substr(0, colon);
  return port;
}

}  // namespace

std::optional<std::string> origin_of(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == 0 || scheme_end == std::string_view::npos) return std::nullopt;
  std::string origin(text);
  std::ranges::transform(origin, origin.begin(), lower);
  const std::string_view whole = origin;
  const std::string_view scheme = whole.substr(0, scheme_end);
  std::string_view place = whole.substr(scheme_end + 3);
  const bool has_port = !cut_port(place).empty();
  const bool is_bracketed = place.starts_with('[') && place.ends_with(']');
  if (!is_host(place) || (place.contains(':') && !is_bracketed)) return std::nullopt;
  if (has_port) {
    const std::string_view digits = whole.substr(scheme_end + 4 + place.size());
    std::uint16_t port = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    const bool is_number = code == std::errc() && end == digits.data() + digits.size();
    return is_number ? std::optional(origin) : std::nullopt;
  }
  if (whole.ends_with(':')) return std::nullopt;
  if (scheme == "http" || scheme == "ws") return origin + ":80";
  if (scheme == "https" || scheme == "wss") return origin + ":443";
  return origin;
}

}  // namespace mq::web

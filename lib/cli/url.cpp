#include "cli/url.hpp"

#include <algorithm>
#include <charconv>

#include "cli/number.hpp"

namespace mq::cli {

namespace {

constexpr std::string_view kPercent =
    "has a % without two digits behind it; write %25 for a percent sign";
constexpr std::string_view kForm =
    "must be mqtt://HOST/TOPIC, or have mqtts, ws or wss in place of mqtt";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// %41 is A. Nothing, when two digits do not follow a percent sign.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    unsigned value = 0;
    const auto [end, code] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() < 2 || code != std::errc() || end != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

/// Cuts "HOST", "HOST:PORT" or "[ADDRESS]:PORT" in two; the port is empty when there is none.
std::optional<std::pair<std::string_view, std::string_view>> split(std::string_view place) {
  std::string_view host = place.substr(0, place.find(':'));
  std::string_view rest = place.substr(host.size());
  if (place.starts_with('[')) {
    const auto end = place.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = place.substr(1, end - 1);
    rest = place.substr(end + 1);
  }
  if (rest.empty()) return std::pair(host, rest);
  if (rest[0] != ':') return std::nullopt;
  return std::pair(host, rest.substr(1));
}

/// "USER" or "USER:PASSWORD". Returns false when it cannot be decoded.
bool read_user(std::string_view text, Url& url) {
  const auto colon = text.find(':');
  url.parts.user_name = decoded(text.substr(0, colon));
  if (colon == std::string_view::npos) return url.parts.user_name.has_value();
  url.parts.password = decoded(text.substr(colon + 1));
  return url.parts.user_name && url.parts.password;
}

/// What stands between the scheme and the path.
Verdict read_authority(std::string_view place, Url& url) {
  if (const auto at = place.rfind('@'); at != std::string_view::npos) {
    if (!read_user(place.substr(0, at), url)) return wrong(kPercent);
    place.remove_prefix(at + 1);
  }
  const auto parts = split(place);
  if (!parts || parts->first.empty()) return wrong("has no host");
  const auto host = decoded(parts->first);
  if (!host) return wrong(kPercent);
  url.host = *host;
  if (parts->second.empty()) return {};
  url.port = parse_number<std::uint16_t>(parts->second, 0, 65'535);
  if (!url.port) return wrong("its port must be a number, 0 to 65535");
  return {};
}

}  // namespace

std::expected<Url, std::string> parse_url(std::string_view text) {
  Url url;
  const auto scheme_end = text.find("://");
  const std::string scheme = lower(text.substr(0, scheme_end));
  if (scheme_end == std::string_view::npos) return std::unexpected(std::string(kForm));
  url.parts.is_tls = scheme == "mqtts" || scheme == "wss";
  url.parts.is_websocket = scheme == "ws" || scheme == "wss";
  if (scheme != "mqtt" && !url.parts.is_tls && !url.parts.is_websocket) {
    return std::unexpected(std::string(kForm));
  }

  text.remove_prefix(scheme_end + 3);
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash + 1 == text.size()) {
    return std::unexpected("has no topic; " + std::string(kForm));
  }
  const auto topic = decoded(text.substr(slash + 1));
  if (!topic) return std::unexpected(std::string(kPercent));
  if (auto verdict = read_authority(text.substr(0, slash), url); !verdict) {
    return std::unexpected(verdict.error());
  }
  url.topic = *topic;
  return url;
}

std::expected<client::Proxy, std::string> parse_proxy(std::string_view text) {
  constexpr std::string_view kScheme = "socks5h://";
  if (lower(text.substr(0, kScheme.size())) != kScheme) {
    return std::unexpected("must be socks5h://[USER[:PASSWORD]@]HOST[:PORT]");
  }
  text.remove_prefix(kScheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  Url url;
  if (auto verdict = read_authority(text, url); !verdict) return std::unexpected(verdict.error());
  client::Proxy proxy{.host = url.host};
  proxy.port = url.port.value_or(proxy.port);
  proxy.user_name = url.parts.user_name.value_or("");
  proxy.password = url.parts.password.value_or("");
  if (proxy.user_name.size() > 255 || proxy.password.size() > 255) {
    return std::unexpected("its user name and password must not be longer than 255 bytes");
  }
  return proxy;
}

void apply_url(const Url& url, ConnectOptions& options) {
  options.endpoint.host = url.host;
  options.port = url.port;
  options.url = url.parts;
}

}  // namespace mq::cli

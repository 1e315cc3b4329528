#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "cli/connect_options.hpp"
#include "cli/option.hpp"

namespace mq::cli {

/// What "mqtts://user:password@host:port/topic" says, decoded.
struct Url {
  UrlParts parts;
  std::string host;  ///< an IPv6 address without its brackets
  std::optional<std::uint16_t> port;
  std::string topic;
};

/// Fails  what is wrong, to be read behind the option
/// Spec   RFC 3986 §2.1, §3.1, §3.2; everything behind the first slash is the topic, also ? and #
std::expected<Url, std::string> parse_url(std::string_view text);

/// "socks5h://user:password@host:port". The port is 1080 by default.
std::expected<client::Proxy, std::string> parse_proxy(std::string_view text);

/// Where to connect, and as whom, in place of what an earlier URL said.
void apply_url(const Url& url, ConnectOptions& options);

}  // namespace mq::cli

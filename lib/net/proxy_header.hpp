#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/filter.hpp"

namespace mq::net {

/// What a proxy says at the beginning of a connection about whom it stands for.
struct ProxyHeader {
  std::size_t size = 0;             ///< its own bytes
  std::optional<Place> place = {};  ///< where the client is; nothing: the proxy does not say
  bool is_tls = false;              ///< the client came to the proxy through TLS
  bool is_verified = false;         ///< ... and showed a certificate that the proxy has verified
  std::string common_name = {};     ///< of that certificate
};

/// Nothing as long as more has to come; a failure is what is wrong, in words about the peer.
using ParsedProxyHeader = std::expected<std::optional<ProxyHeader>, std::string>;

/// Reads the header that `bytes` begin with.
///
/// Spec  The PROXY protocol, versions 1 & 2, of HAProxy: §2.1, §2.2
ParsedProxyHeader parse_proxy_v1(ByteView bytes);
ParsedProxyHeader parse_proxy_v2(ByteView bytes);

}  // namespace mq::net

#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "base/error.hpp"
#include "base/filter.hpp"
#include "client/endpoint.hpp"
#include "crypto/tls_options.hpp"
#include "web/options.hpp"

namespace mq::net {

/// The way of a client to its server, and what is wrapped around what it says there: first the
/// proxy, then TLS, then the WebSocket.
struct Way {
  client::Endpoint endpoint;
  std::optional<client::Proxy> proxy = {};
  std::optional<crypto::TlsClientOptions> tls = {};
  std::optional<web::ClientOptions> websocket = {};
};

/// What each connection passes through; none: nothing.
///
/// seed   for what a WebSocket hides its frames with
/// Fails  a file that the options name, or an option
std::expected<MakeFilter, Error> filter_for(const Way& way, std::uint64_t seed);

/// Where the connection leads first: to the proxy, if there is one.
client::Endpoint first_stop(const Way& way);

}  // namespace mq::net

#include "net/way.hpp"

#include <string>
#include <utility>

#include "crypto/tls.hpp"
#include "net/socks5.hpp"
#include "net/stacked.hpp"
#include "web/websocket.hpp"

namespace mq::net {

namespace {

/// The Host line of an HTTP request.
std::string host_line(const client::Endpoint& endpoint, std::uint16_t usual_port) {
  if (!endpoint.unix_path.empty()) return "localhost";
  const bool is_v6 = endpoint.host.contains(':');
  std::string line = is_v6 ? std::string("[").append(endpoint.host).append("]") : endpoint.host;
  if (endpoint.port != usual_port) line.append(":").append(std::to_string(endpoint.port));
  return line;
}

}  // namespace

std::expected<MakeFilter, Error> filter_for(const Way& way, std::uint64_t seed) {
  constexpr std::uint16_t kHttpPort = 80;
  constexpr std::uint16_t kHttpsPort = 443;
  MakeFilter proxy;
  if (way.proxy) {
    proxy = [proxy = *way.proxy, endpoint = way.endpoint] {
      return std::make_unique<Socks5>(proxy, endpoint);
    };
  }
  MakeFilter tls;
  if (way.tls) {
    auto made = crypto::tls_client(*way.tls, way.endpoint.host);
    if (!made) return made;
    tls = *std::move(made);
  }
  MakeFilter websocket;
  if (way.websocket) {
    const std::string host = host_line(way.endpoint, way.tls ? kHttpsPort : kHttpPort);
    websocket = web::websocket_client(*way.websocket, host, Prng(seed));
  }
  return stacked(stacked(std::move(proxy), std::move(tls)), std::move(websocket));
}

client::Endpoint first_stop(const Way& way) {
  if (!way.proxy) return way.endpoint;
  return {.host = way.proxy->host,
          .port = way.proxy->port,
          .unix_path = {},
          .bind_address = way.endpoint.bind_address};
}

}  // namespace mq::net

#include "server/listener_filter.hpp"

#include <utility>

#include "crypto/tls.hpp"
#include "net/proxy_filter.hpp"
#include "net/stacked.hpp"
#include "web/websocket.hpp"

namespace mq::server {

std::expected<MakeFilter, Error> filter_for(const Listener& listener) {
  MakeFilter proxy;
  if (listener.proxy.version != 0) proxy = net::proxy_header(listener.proxy);
  MakeFilter tls;
  if (listener.tls.is_wanted()) {
    auto made = crypto::tls_server(listener.tls);
    if (!made) return made;
    tls = *std::move(made);
  }
  MakeFilter websocket;
  if (listener.is_websocket) websocket = web::websocket_server(listener.web);
  return net::stacked(net::stacked(std::move(proxy), std::move(tls)), std::move(websocket));
}

}  // namespace mq::server

#include "server/listener_filter.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/tls.hpp"
#include "net/proxy_filter.hpp"
#include "net/stacked.hpp"
#include "web/websocket.hpp"

namespace mq::server {
namespace {

using Tls = crypto::TlsServerOptions;

/// What mqbroker.conf calls an option of TLS; empty: the command line says it.
std::string_view name_of(std::string Tls::* option) {
  constexpr std::array<std::pair<std::string Tls::*, std::string_view>, 8> kNames{
      {{&Tls::certificate, "certfile"},
       {&Tls::key, "keyfile"},
       {&Tls::psk_file, "psk_file"},
       {&Tls::ca_file, "cafile"},
       {&Tls::ca_path, "capath"},
       {&Tls::crl_file, "crlfile"},
       {&Tls::ciphers, "ciphers"},
       {&Tls::ciphers_tls1_3, "ciphers_tls1.3"}}};
  for (const auto& [member, name] : kNames) {
    if (member == option) return name;
  }
  return {};
}

}  // namespace

std::expected<MakeFilter, Error> filter_for(const Listener& listener) {
  MakeFilter proxy;
  if (listener.proxy.version != 0) proxy = net::proxy_header(listener.proxy);
  MakeFilter tls;
  if (listener.tls.is_wanted()) {
    Tls options = listener.tls;
    options.alpn = listener.is_websocket ? "http/1.1" : "mqtt";
    auto made = crypto::tls_server(options);
    if (!made) {
      const auto name = name_of(made.error().option);
      const std::string place = name.empty() ? "" : listener.places.before(name);
      return std::unexpected(Error{place + made.error().message});
    }
    tls = *std::move(made);
  }
  MakeFilter websocket;
  if (listener.is_websocket) websocket = web::websocket_server(listener.web);
  return net::stacked(net::stacked(std::move(proxy), std::move(tls)), std::move(websocket));
}

}  // namespace mq::server

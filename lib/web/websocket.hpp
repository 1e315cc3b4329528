#pragma once

#include <string>

#include "base/filter.hpp"
#include "base/prng.hpp"
#include "web/options.hpp"

/// MQTT in a WebSocket, as a filter over bytes; wss has TLS below it.
///
/// Spec  RFC 6455; MQTT 5.0 §6
namespace mq::web {

MakeFilter websocket_server(ServerOptions options);

/// host   whom the request is for: "example.org", or "example.org:8080" where the port is not the
///        usual one of the scheme
/// chance for keys and masks
MakeFilter websocket_client(ClientOptions options, std::string host, Prng chance);

}  // namespace mq::web

#pragma once

#include <cstdint>
#include <string>

namespace mq::client {

/// Where a server is to be found.
struct Endpoint {
  std::string host = "localhost";  ///< a name or an address
  std::uint16_t port = 1883;
  std::string unix_path;  ///< when not empty, a Unix socket instead of host and port
  /// When not empty, "_mqtt._tcp": `host` is a domain whose SRV records for it name the servers.
  std::string srv_service = {};
  std::string bind_address = {};  ///< to connect from; empty: what the system chooses
};

/// A SOCKS5 proxy on the way to it.
struct Proxy {
  std::string host;
  std::uint16_t port = 1080;
  std::string user_name = {};  ///< empty: none is needed
  std::string password = {};
};

}  // namespace mq::client

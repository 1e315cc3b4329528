#pragma once

#include <cstdint>
#include <string>

namespace mq::client {

/// Where a server is to be found.
struct Endpoint {
  std::string host = "localhost";  ///< a name or an address
  std::uint16_t port = 1883;
  std::string unix_path;  ///< when not empty, a Unix socket instead of host and port
};

/// A SOCKS5 proxy on the way to it.
struct Proxy {
  std::string host;
  std::uint16_t port = 1080;
  std::string user_name = {};  ///< empty: none is needed
  std::string password = {};
};

}  // namespace mq::client

#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace mq::web {

/// WebSockets as a listener takes them.
struct ServerOptions {
  std::size_t header_size_max = 4096;  ///< bytes of the HTTP request
  /// Which web pages may connect, as origin_of() writes them; empty: all of them.
  std::vector<std::string> origins = {};
  bool operator==(const ServerOptions&) const = default;
};

/// A WebSocket as a client asks for it.
struct ClientOptions {
  std::string path = "/mqtt";
  /// Additional lines of the HTTP request, names and values. One named Host takes the place of
  /// ours.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

}  // namespace mq::web

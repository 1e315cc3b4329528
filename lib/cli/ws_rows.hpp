#pragma once

#include <string_view>
#include <vector>

#include "cli/connect_options.hpp"
#include "cli/option.hpp"

namespace mq::cli {

Verdict set_ws_path(ConnectOptions& options, std::string_view value);
Verdict add_ws_header(ConnectOptions& options, std::string_view value);

/// The rows about WebSockets; each of them means that there is to be one.
template <class Options>
std::vector<OptionRow<Options>> ws_rows() {
  using O = Options;
  using V = std::string_view;
  return {
      {{"ws", 0, "", "", "speak MQTT through a WebSocket"},
       [](O& o, V) -> Verdict {
         if (!o.connection.websocket) o.connection.websocket.emplace();
         return {};
       }},
      {{"ws-path", 0, "PATH", "/mqtt", "the WebSocket's path; with it comes --ws"},
       [](O& o, V value) { return set_ws_path(o.connection, value); }},
      {{"ws-header", 0, "NAME: VALUE", "",
        "a line for the HTTP request that opens the WebSocket; repeatable"},
       [](O& o, V value) { return add_ws_header(o.connection, value); }},
  };
}

}  // namespace mq::cli

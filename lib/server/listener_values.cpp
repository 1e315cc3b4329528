#include "server/listener_values.hpp"

#include "web/origin.hpp"

namespace mq::server {

Objection set_protocol(ConfigDraft& draft, std::string_view value) {
  if (value == "http_api") return "http_api is not in this version of mqbroker";
  if (value != "mqtt" && value != "websockets") return rejected(value, "mqtt or websockets");
  draft.listener().where.is_websocket = value == "websockets";
  return {};
}

Objection add_websockets_origin(ConfigDraft& draft, std::string_view value) {
  auto origin = web::origin_of(value);
  if (!origin) {
    return rejected(value, "scheme, host and port of the pages, such as https://example.org");
  }
  draft.listener().where.web.origins.push_back(*std::move(origin));
  return {};
}

}  // namespace mq::server

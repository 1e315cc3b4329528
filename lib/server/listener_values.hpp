#pragma once

#include <string_view>

#include "server/config_draft.hpp"
#include "server/config_values.hpp"

/// Values of options about one listener that are more than a number or a switch.
namespace mq::server {

Objection set_protocol(ConfigDraft& draft, std::string_view value);
Objection set_interface(ConfigDraft& draft, std::string_view value);
Objection set_max_connections(ConfigDraft& draft, std::string_view value);
Objection set_socket_mode(ConfigDraft& draft, std::string_view value);
Objection set_socket_group(ConfigDraft& draft, std::string_view value);
Objection set_mount_point(ConfigDraft& draft, std::string_view value);
Objection set_versions(ConfigDraft& draft, std::string_view value);
Objection set_proxy_protocol(ConfigDraft& draft, std::string_view value);
Objection add_websockets_origin(ConfigDraft& draft, std::string_view value);

}  // namespace mq::server

#pragma once

#include <string_view>

#include "server/config_draft.hpp"
#include "server/config_values.hpp"

/// mosquitto's plugins. mqbroker loads none, but does itself what three of them are for, so what a
/// file says to these is taken as if it were said to mqbroker.
namespace mq::server {

/// plugin PATH: about the listener above it, with per_listener_settings.
Objection use_plugin(ConfigDraft& draft, std::string_view value);
/// global_plugin PATH: about all listeners.
Objection use_global_plugin(ConfigDraft& draft, std::string_view value);
/// plugin_load NAME PATH
Objection load_plugin(ConfigDraft& draft, std::string_view value);
/// plugin_use NAME: a plugin that was loaded, for the listener above.
Objection use_loaded_plugin(ConfigDraft& draft, std::string_view value);
/// plugin_opt_NAME VALUE, for the plugin that was named last.
Objection set_plugin_option(ConfigDraft& draft, std::string_view value);

/// Whether the name is plugin_opt_… or, as it was called before, auth_opt_….
bool is_plugin_option(std::string_view name);

}  // namespace mq::server

#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "server/config.hpp"

namespace mq::server {

/// A listener as far as the file has come.
struct ListenerDraft {
  Listener where;
  std::string place;      ///< of its line; of the default listener, the file
  std::size_t index = 0;  ///< of the file's listeners; 0: the default one
  bool is_named = false;  ///< the file says where it listens
  std::optional<bool> allow_anonymous;
  std::optional<std::string> auto_id_prefix;
  NamedFile password_file, acl_file;  ///< with per_listener_settings
  broker::ListenerConfig limits;      ///< but for who may come in
};

/// A bridge, as far as its options depend on each other.
struct BridgeDraft {
  std::string name;
  std::string place;  ///< of its `connection` line
  bool has_address = false;
  bool has_topic = false;
  std::string user_name, password;
  std::string ca, certificate, key;
  std::string identity, psk;
};

/// The plugins of mosquitto whose work is done without them.
enum class Plugin : std::uint8_t { acl_file, password_file, persist_sqlite };

/// A configuration while its file is read: what depends on the whole of it is still open.
struct ConfigDraft {
  Config config;
  std::optional<bool> allow_anonymous;
  std::optional<std::string> auto_id_prefix;
  bool is_per_listener = false;       ///< who may come in is said for each listener
  NamedFile password_file, acl_file;  ///< of all listeners
  std::string place;                  ///< of the line that is read
  std::string name;                   ///< of its option, as it is written
  std::size_t web_header_size_max = web::ServerOptions().header_size_max;
  std::string psk_file;       ///< for the listeners with a psk_hint
  bool has_log_dest = false;  ///< the file names where the log goes: the default is off
  bool has_log_type = false;
  bool is_persistent = false;
  std::string persistence_location;  ///< a directory, or else what the file's name begins with
  std::string persistence_file = "mqbroker.db";
  std::string include_dir;                                     ///< named by the last line
  std::optional<Plugin> plugin;                                ///< what plugin options are about
  std::optional<std::size_t> plugin_listener;                  ///< that it is for; none: all
  std::vector<std::pair<std::string, Plugin>> loaded_plugins;  ///< by their names
  std::vector<BridgeDraft> bridges;
  /// The first is the one without a `listener` line: what stands before the first `listener`, or
  /// at the top of an included file, is about it.
  std::vector<ListenerDraft> listeners{1};
  std::size_t current = 0;
  bool is_per_listener_late = false;  ///< it is said behind a listener
  /// Where each option was given, and for which listener or bridge: "mosquitto.conf:12".
  std::map<std::pair<std::string_view, std::size_t>, std::string> places;

  ListenerDraft& listener() { return listeners[current]; }
  /// Of all listeners, or with per_listener_settings of the one above the line.
  std::optional<bool>& anonymous_choice() {
    return is_per_listener ? listener().allow_anonymous : allow_anonymous;
  }

  /// What it all adds up to.
  ///
  /// ports  where to listen when the file names no listener; empty: 1883
  /// Fails  what does not fit together, with its place
  std::expected<Config, Error> finish(const std::vector<std::uint16_t>& ports) &&;
};

}  // namespace mq::server

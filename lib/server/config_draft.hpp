#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "server/config.hpp"

namespace mq::server {

/// A listener as far as the file has come.
struct ListenerDraft {
  Listener where;
  bool is_named = false;  ///< the file says where it listens
  std::optional<bool> allow_anonymous;
  std::optional<std::string> auto_id_prefix;
  std::string mount_point;
  std::vector<wire::Version> versions;
  NamedFile password_file, acl_file;  ///< with per_listener_settings
  broker::Config limits;              ///< of these, max_qos and the topic aliases
};

/// A configuration while its file is read: what depends on the whole of it is still open.
struct ConfigDraft {
  Config config;
  std::optional<bool> allow_anonymous;
  std::optional<std::string> auto_id_prefix;
  bool is_per_listener = false;       ///< who may come in is said for each listener
  NamedFile password_file, acl_file;  ///< of all listeners
  std::string place;                  ///< of the line that is read
  std::size_t web_header_size_max = web::ServerOptions().header_size_max;
  std::string psk_file;       ///< for the listeners with a psk_hint
  bool has_log_dest = false;  ///< the file names where the log goes: the default is off
  bool has_log_type = false;
  bool is_persistent = false;
  std::string persistence_location;  ///< put before the file's name as it is
  std::string persistence_file = "mqbroker.db";
  std::string include_dir;  ///< named by the last line
  /// The first is the one without a `listener` line: what stands before the first `listener`, or
  /// at the top of an included file, is about it.
  std::vector<ListenerDraft> listeners{1};
  std::size_t current = 0;

  ListenerDraft& listener() { return listeners[current]; }
  /// Of all listeners, or with per_listener_settings of the one above the line.
  std::optional<bool>& anonymous_choice() {
    return is_per_listener ? listener().allow_anonymous : allow_anonymous;
  }

  /// What it all adds up to.
  ///
  /// ports  where to listen when the file names no listener; empty: 1883
  /// Fails  listeners that differ where all of them must be alike
  std::expected<Config, Error> finish(const std::vector<std::uint16_t>& ports) &&;
};

}  // namespace mq::server

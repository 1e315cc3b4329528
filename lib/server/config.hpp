#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.hpp"
#include "crypto/tls_options.hpp"
#include "net/listen_options.hpp"
#include "net/proxy_filter.hpp"
#include "server/log.hpp"
#include "storage/sync_policy.hpp"
#include "web/options.hpp"

namespace mq::server {

/// A file that the configuration names, and where it does so: "mosquitto.conf:12: password_file".
struct NamedFile {
  std::string path;  ///< empty: none
  std::string place;
  bool operator==(const NamedFile&) const = default;
};

/// Where the file says what: no part of what it says, so they are all equal.
struct Places {
  std::string whole;                                        ///< "mosquitto.conf:12"; empty: no file
  std::map<std::string, std::string, std::less<>> options;  ///< likewise, by name

  /// What an error line begins with that is about the option: "mosquitto.conf:12: certfile: ".
  std::string before(std::string_view option) const;
  bool operator==(const Places&) const { return true; }
};

/// Where a listener listens. What it grants is in broker::Config::listeners, at the same index.
struct Listener {
  std::string host;  ///< a name or an address; empty: all interfaces
  std::uint16_t port = 1883;
  std::string unix_path;     ///< instead of host and port
  bool is_loopback = false;  ///< instead of host: 127.0.0.1 and, where there is IPv6, ::1
  net::Family family = net::Family::any;
  crypto::TlsServerOptions tls = {};
  std::string interface = {};                      ///< only what comes in by it; empty: by any
  std::size_t connections_max = 0;                 ///< 0: any
  std::optional<std::uint32_t> socket_mode = {};   ///< of the Unix socket
  std::optional<std::uint32_t> socket_group = {};  ///< its id
  net::ProxyOptions proxy = {};
  bool is_websocket = false;  ///< MQTT comes in WebSockets
  web::ServerOptions web = {};
  /// Whether clients without a name may come in; nothing: as Config says.
  std::optional<bool> allow_anonymous = {};
  NamedFile password_file = {};  ///< who may come in under a name
  NamedFile acl_file = {};       ///< who may read and write what
  Places places = {};
  bool operator==(const Listener&) const = default;
};

/// What says of the clients of all listeners who they are and what they may do.
struct CommonFiles {
  NamedFile password_file = {};
  NamedFile acl_file = {};
  bool operator==(const CommonFiles&) const = default;
};

/// A broker process, whole: what the configuration file and the command line add up to.
struct Config {
  broker::Config broker;
  std::vector<Listener> listeners;
  bool allow_anonymous = false;
  std::optional<CommonFiles> files = {};  ///< nothing: each listener has its own
  bool is_local_only = false;             ///< nobody asked for a listener: this machine only
  bool has_nodelay = true;                ///< small packets leave at once
  bool is_daemon = false;                 ///< leaves its terminal
  LogConfig log;
  std::string pid_file;  ///< empty: none
  /// Where the state is kept; empty: in memory only. broker.persistence says the same.
  std::string data_file;
  storage::SyncPolicy sync;
  /// Whom root becomes once everything is open; empty: mosquitto, or nobody where there is no such
  /// user.
  std::string user;
  Places places;  ///< of the options that are about no listener
  /// What the file says about options that count at the start only.
  std::map<std::string, std::string> at_start;
  std::vector<std::string> warnings;  ///< what the file asks for in vain, a line each
  bool operator==(const Config&) const = default;
};

}  // namespace mq::server

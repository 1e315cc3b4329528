#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/config.hpp"

namespace mq::server {

/// Where a listener listens. What it grants is in broker::Config::listeners, at the same index.
struct Listener {
  std::string host;  ///< a name or an address; empty: all interfaces
  std::uint16_t port = 1883;
  std::string unix_path;     ///< instead of host and port
  bool is_loopback = false;  ///< instead of host: 127.0.0.1 and, where there is IPv6, ::1
};

/// A broker process, whole: what the configuration file and the command line add up to.
struct Config {
  broker::Config broker;
  std::vector<Listener> listeners;
};

/// Without a configuration file: this machine only, anyone may come in.
///
/// ports  empty for 1883
Config local_config(const std::vector<std::uint16_t>& ports);

}  // namespace mq::server

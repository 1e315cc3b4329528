#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "server/config.hpp"

namespace mq::server {

/// Reads a configuration file in the format of mosquitto.conf, and what it includes.
///
/// ports  where to listen when the file names no listener; empty: 1883
/// Fails  one line that names the file, the line, the option and what would be right
std::expected<Config, Error> read_config_file(const std::string& path,
                                              const std::vector<std::uint16_t>& ports);

/// The same for a text that is at hand.
///
/// name  what an error line calls it
std::expected<Config, Error> parse_config(std::string_view text, const std::string& name,
                                          const std::vector<std::uint16_t>& ports);

/// Without a configuration file: this machine only, anyone may come in.
///
/// ports  empty: 1883
Config local_config(const std::vector<std::uint16_t>& ports);

}  // namespace mq::server

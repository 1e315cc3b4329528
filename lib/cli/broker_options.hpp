#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/option.hpp"

namespace mq::cli {

/// What was typed behind `mqbroker`.
struct BrokerOptions {
  std::string config_file;           ///< empty: none
  std::vector<std::uint16_t> ports;  ///< 0: any that is free
  std::string tls_keylog;            ///< empty: none
  std::string data_directory;        ///< empty: not named
  bool is_daemon = false;
  bool is_in_memory = false;
  bool is_quiet = false;
  bool is_verbose = false;
  bool is_config_test = false;
  bool wants_help = false;
  bool wants_version = false;
};

std::span<const OptionRow<BrokerOptions>> broker_table();

/// arguments  as main() gets them, the program's name first
/// Fails      one line that names the option and the remedy
std::expected<BrokerOptions, Error> parse_broker(std::span<char* const> arguments);

/// What --help prints.
std::string broker_help();

}  // namespace mq::cli

#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace mq::cli {

/// One flag, as the parser, --help, the manual and the completions know it.
struct BrokerFlag {
  char letter;             ///< 0: none
  std::string_view name;   ///< without the dashes
  std::string_view value;  ///< what its value is called; empty: it takes none
  std::string_view help;
};

std::span<const BrokerFlag> broker_flags();

/// What was typed behind `mqbroker`.
struct BrokerOptions {
  std::string config_file;           ///< empty: none
  std::vector<std::uint16_t> ports;  ///< 0: any that is free
  bool is_daemon = false;
  bool is_quiet = false;
  bool is_verbose = false;
  bool is_config_test = false;
  bool wants_help = false;
  bool wants_version = false;
};

/// arguments  as main() gets them, the program's name first
/// Fails      one line that names the flag and the remedy
std::expected<BrokerOptions, Error> parse_broker_options(std::span<const char* const> arguments);

/// The text of --help.
std::string broker_help();

}  // namespace mq::cli

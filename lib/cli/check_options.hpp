#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "broker/access.hpp"
#include "cli/option.hpp"

namespace mq::cli {

/// What was typed behind `mqbroker check`.
struct CheckOptions {
  std::string config_file;
  std::string user;                    ///< empty: anonymous
  std::string client;                  ///< empty: none in particular
  std::string listener;                ///< its port or path; empty: all of them
  std::optional<broker::Right> right;  ///< to be explained; none: only the files are checked
  std::string topic;                   ///< or filter, to be read
  bool wants_help = false;
};

/// arguments  as main() gets them, without the program's name: "check" first
/// Fails      one line that names the option and the remedy
std::expected<CheckOptions, Error> parse_check(std::span<char* const> arguments);

std::string check_help();

}  // namespace mq::cli

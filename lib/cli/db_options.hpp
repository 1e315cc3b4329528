#pragma once

#include <expected>
#include <span>
#include <string>

#include "base/error.hpp"

namespace mq::cli {

/// What was typed behind `mqbroker db`.
struct DbOptions {
  enum class Task { verify, dump, stats, backup };
  Task task{};
  std::string file;
  std::string to;  ///< of a backup
  bool wants_help = false;
};

/// arguments  as main() gets them, without the program's name: "db" first
/// Fails      one line that says what to type
std::expected<DbOptions, Error> parse_db(std::span<char* const> arguments);

/// What --help prints.
std::string db_help();

}  // namespace mq::cli

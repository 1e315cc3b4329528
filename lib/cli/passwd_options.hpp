#pragma once

#include <expected>
#include <span>
#include <string>

#include "base/error.hpp"
#include "cli/option.hpp"
#include "crypto/password_hash.hpp"

namespace mq::cli {

/// What was typed behind `mqbroker passwd`.
struct PasswdOptions {
  std::string file;
  std::string user;      ///< empty with hashes_all
  std::string password;  ///< empty: to be asked for
  crypto::PasswordHash::Recipe recipe;
  bool creates = false;
  bool overwrites = false;
  bool is_batch = false;
  bool deletes = false;
  bool hashes_all = false;
  bool wants_help = false;
};

/// arguments  as main() gets them, without the program's name: "passwd" first
/// Fails      one line that names the option and the remedy
std::expected<PasswdOptions, Error> parse_passwd(std::span<char* const> arguments);

std::string passwd_help();

}  // namespace mq::cli

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "cli/connect_options.hpp"
#include "cli/formatter.hpp"
#include "cli/option.hpp"

namespace mq::cli {

/// What mqsub was asked to do.
struct SubOptions {
  ConnectOptions connection;
  std::vector<std::string> filters;
  std::vector<std::string> filters_out;
  std::vector<std::string> unsubscriptions;
  bool is_verbose = false;
  bool has_newline = true;
  std::optional<std::string> format;  ///< as it was typed
  OutputFormat pieces;                ///< the same, read
  JsonStyle json = JsonStyle::compact;
  bool shows_retained = true;
  bool ends_after_subscribing = false;
  std::optional<std::uint64_t> count;
  std::optional<Millis> timeout;
};

std::span<const OptionRow<SubOptions>> sub_table();
std::string sub_help();

/// Wipes passwords from `arguments`.
///
/// Returns  checked options; with --help or --version among them, unchecked ones
/// Fails    one line that names the option and the remedy
std::expected<SubOptions, Error> parse_sub(std::span<char* const> arguments);

/// What mqsub says about itself in CONNECT.
client::Settings settings_of(const SubOptions& options, std::uint64_t pid, Prng& prng);

/// How mqsub prints, on standard output that is such a medium.
MessageFormat format_of(const SubOptions& options, Medium medium);

}  // namespace mq::cli

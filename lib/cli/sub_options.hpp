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
#include "cli/option.hpp"
#include "cli/print_options.hpp"

namespace mq::cli {

inline constexpr std::uint32_t kAllMessages = 1'000'000;

/// What mqsub was asked to do.
struct SubOptions : PrintOptions {
  ConnectOptions connection;
  std::vector<std::string> filters;
  std::vector<std::string> filters_out;
  std::vector<std::string> unsubscriptions;
  bool is_watching = false;
  bool shows_rate = false;
  bool shows_live = true;
  bool removes_retained = false;
  std::uint32_t millionths = kAllMessages;  ///< of the messages, chosen at random, are printed
  bool ends_after_subscribing = false;
};

std::span<const OptionRow<SubOptions>> sub_table();
std::string sub_help();

/// Wipes passwords from `arguments`. Before them, the options of a file are applied: of the one
/// that they name, or else of the first of `files` that exists.
///
/// Returns  checked options; with --help or --version among them, unchecked ones
/// Fails    one line that names the option and the remedy
std::expected<SubOptions, Error> parse_sub(std::span<char* const> arguments,
                                           std::span<const std::string> files = {});

/// What mqsub says about itself in CONNECT.
client::Settings settings_of(const SubOptions& options, std::uint64_t pid, Prng& prng);

/// How mqsub prints, on standard output that is such a medium.
MessageFormat format_of(const SubOptions& options, Medium medium);

}  // namespace mq::cli

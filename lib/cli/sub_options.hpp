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

inline constexpr std::uint32_t kAllMessages = 1'000'000;

enum class Colour : std::uint8_t { automatic, always, never };

/// What mqsub was asked to do.
struct SubOptions {
  ConnectOptions connection;
  std::vector<std::string> filters;
  std::vector<std::string> filters_out;
  std::vector<std::string> unsubscriptions;
  bool is_verbose = false;
  bool has_newline = true;
  bool ends_with_nul = false;
  std::optional<std::string> format;  ///< as it was typed
  OutputFormat pieces;                ///< the same, read
  JsonStyle json = JsonStyle::compact;
  Colour colour = Colour::automatic;
  bool is_watching = false;
  bool shows_rate = false;
  bool shows_retained = true;
  bool shows_live = true;
  bool removes_retained = false;
  bool is_retain_kept = false;  ///< the flag comes as it was published
  wire::RetainHandling retain_handling = wire::RetainHandling::send;
  std::uint32_t millionths = kAllMessages;  ///< of the messages, chosen at random, are printed
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

/// NO_COLOR, as the environment has it; nullptr when it has none.
void respect_no_color(SubOptions& options, const char* value);

/// How mqsub prints, on standard output that is such a medium.
MessageFormat format_of(const SubOptions& options, Medium medium);

}  // namespace mq::cli

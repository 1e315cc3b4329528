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

namespace mq::cli {

/// Where mqpub takes its messages from.
enum class Source : std::uint8_t { message, file, input, lines, json_lines, nothing };

/// What mqpub was asked to do.
struct PubOptions {
  ConnectOptions connection;
  std::string topic;            ///< none: JSON lines name their own
  std::vector<Source> sources;  ///< one, when checked
  std::string message;
  std::string file;
  bool is_retained = false;
  std::uint64_t repeat = 1;
  Millis repeat_delay = Millis(0);
  Millis ack_timeout = Seconds(60);
  bool skips_bad_lines = false;

  Source source() const { return sources.front(); }
  /// Rather than one message.
  bool reads_lines() const { return source() == Source::lines || source() == Source::json_lines; }
};

std::span<const OptionRow<PubOptions>> pub_table();
std::string pub_help();

/// Wipes passwords from `arguments`.
///
/// Returns  checked options; with --help or --version among them, unchecked ones
/// Fails    one line that names the option and the remedy
std::expected<PubOptions, Error> parse_pub(std::span<char* const> arguments);

}  // namespace mq::cli

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
#include "wire/framer.hpp"

namespace mq::cli {

/// Where mqpub takes its messages from.
enum class Source : std::uint8_t { message, file, input, lines, json_lines, nothing };

/// What mqpub was asked to do. It prints the answers to a request.
struct PubOptions : PrintOptions {
  ConnectOptions connection;
  std::string topic;            ///< none: JSON lines name their own
  std::vector<Source> sources;  ///< one, when checked
  std::string message;
  std::string file;
  bool is_retained = false;
  std::uint64_t repeat = 1;
  Millis repeat_delay = Millis(0);
  bool skips_bad_lines = false;
  std::size_t longest_line = 2 * std::size_t{wire::kMaximumPacketSize};  ///< in bytes
  std::optional<std::string> topic_separator;  ///< lines: it stands behind the topic of each
  std::optional<double> pace;                  ///< JSON lines: as fast as they were recorded, times
  bool is_request = false;
  std::optional<std::string> response_topic;
  bool shows_latency = false;

  Source source() const { return sources.front(); }
  /// Rather than one message.
  bool reads_lines() const { return source() == Source::lines || source() == Source::json_lines; }
  /// Lines may then be bad ones.
  bool do_lines_name_topics() const {
    return source() == Source::json_lines || topic_separator.has_value();
  }
};

/// What mqpub says about itself in CONNECT. Where there are QoS 2 messages, the session outlives a
/// lost connection, so that none is doubled, but not the run.
client::Settings settings_of(const PubOptions& options, std::uint64_t pid, Prng& prng);

std::span<const OptionRow<PubOptions>> pub_table();
std::string pub_help();

/// Wipes passwords from `arguments`. Before them, the options of a file are applied: of the one
/// that they name, or else of the first of `files` that exists.
///
/// Returns  checked options; with --help or --version among them, unchecked ones
/// Fails    one line that names the option and the remedy
std::expected<PubOptions, Error> parse_pub(std::span<char* const> arguments,
                                           std::span<const std::string> files = {});

}  // namespace mq::cli

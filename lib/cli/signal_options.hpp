#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "base/error.hpp"

namespace mq::cli {

/// What was typed behind `mqbroker signal`.
struct SignalOptions {
  enum class Command : std::uint8_t {
    config_reload,
    log_rotate,
    shutdown,
    store_commit,
    tree_print
  };
  Command command{};
  int pid = 0;  ///< 0: every broker
  bool wants_help = false;
};

/// arguments  the word `signal` first
/// Fails      one line that says what is wrong
std::expected<SignalOptions, Error> parse_signal(std::span<char* const> arguments);

std::string signal_help();

}  // namespace mq::cli

#include "cli/signal_options.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "base/nearest.hpp"
#include "cli/command_line.hpp"
#include "cli/help.hpp"
#include "cli/number.hpp"

namespace mq::cli {
namespace {

constexpr std::string_view kUsage =
    "mqbroker signal tells brokers that run what to do.\n"
    "\n"
    "  mqbroker signal -a|-p PID config-reload|log-rotate|shutdown|store-commit|tree-print\n"
    "\n"
    "config-reload reads the configuration again, log-rotate opens the log file anew,\n"
    "shutdown ends the broker, store-commit brings everything into the main file, and\n"
    "tree-print writes all subscriptions into the log.\n"
    "\n";

using O = SignalOptions;
using V = std::string_view;

constexpr std::array<std::string_view, 5> kCommands{"config-reload", "log-rotate", "shutdown",
                                                    "store-commit", "tree-print"};

struct Typed : O {
  bool is_for_all = false;
};

Verdict set_pid(Typed& options, V value) {
  const auto pid = parse_number<int>(value, 1, std::numeric_limits<int>::max());
  if (!pid) return std::unexpected("must be the id of a process");
  options.pid = *pid;
  return {};
}

constexpr std::array<OptionRow<Typed>, 3> kTable{{
    {{"all", 'a', "", "", "tell every mqbroker on this machine"},
     [](Typed& options, V) -> Verdict {
       options.is_for_all = true;
       return {};
     }},
    {{"help", 'h', "", "", "show this text and exit"},
     [](Typed& options, V) -> Verdict {
       options.wants_help = true;
       return {};
     }},
    {{"pid", 'p', "PID", "", "tell the broker with this process id"}, set_pid},
}};

Error misuse(const std::string& words) {
  return {"signal: " + words + "; mqbroker signal --help shows how"};
}

}  // namespace

std::expected<SignalOptions, Error> parse_signal(std::span<char* const> arguments) {
  std::vector<std::string> operands;
  auto options = apply(std::span<const OptionRow<Typed>>(kTable), Typed{}, arguments, &operands);
  if (!options) return std::unexpected(options.error());
  if (options->wants_help) return *options;
  if (options->is_for_all == (options->pid != 0)) {
    return std::unexpected(misuse("it takes one of -a and -p PID"));
  }
  if (operands.size() != 1) return std::unexpected(misuse("it takes one command"));
  const auto* command = std::ranges::find(kCommands, operands[0]);
  if (command == kCommands.end()) {
    const auto meant = nearest(operands[0], kCommands);
    return std::unexpected(
        misuse("it does not know \"" + operands[0] + "\"" +
               (meant.empty() ? "" : " (did you mean " + std::string(meant) + "?)")));
  }
  options->command = static_cast<O::Command>(command - kCommands.begin());
  return *options;
}

std::string signal_help() {
  return help_text(kUsage, names_of(std::span<const OptionRow<Typed>>(kTable)));
}

}  // namespace mq::cli

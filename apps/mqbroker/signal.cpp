#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cli/signal_options.hpp"
#include "commands.hpp"
#include "server/brokers.hpp"

namespace mq::app {
namespace {

int signal_for(cli::SignalOptions::Command command) {
  using Command = cli::SignalOptions::Command;
  switch (command) {
    case Command::config_reload:
      return SIGHUP;
    case Command::log_rotate:
      return SIGRTMIN;
    case Command::shutdown:
      return SIGTERM;
    case Command::store_commit:
      return SIGUSR1;
    case Command::tree_print:
      break;
  }
  return SIGUSR2;
}

}  // namespace

int tell_brokers(std::span<char* const> arguments) {
  const auto options = cli::parse_signal(arguments);
  if (!options) return fail(options.error(), kUsage);
  if (options->wants_help) return show(cli::signal_help());
  const auto pids =
      options->pid == 0 ? server::brokers_that_run() : std::vector<pid_t>{options->pid};
  if (pids.empty()) return fail({"signal: no mqbroker runs on this machine"}, kCannotStart);
  int code = 0;
  for (const pid_t pid : pids) {
    if (kill(pid, signal_for(options->command)) == 0) continue;
    code = fail({fmt::format("signal: cannot tell process {}: {}", pid, std::strerror(errno))},
                kCannotStart);
  }
  return code;
}

}  // namespace mq::app

#include "cli/broker_options.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cxxopts.hpp>
#include <optional>

#include "base/nearest.hpp"

namespace mq::cli {
namespace {

constexpr std::array kFlags{
    BrokerFlag{'c', "config-file", "FILE", "read the configuration from FILE"},
    BrokerFlag{'d', "daemon", "", "go to the background once every listener is open"},
    BrokerFlag{'h', "help", "", "show this text"},
    BrokerFlag{'p', "port", "PORT",
               "listen on PORT, for this machine only; may be repeated; ignored when FILE has a "
               "listener; 0: any free port"},
    BrokerFlag{'q', "quiet", "", "log nothing, whatever FILE says"},
    BrokerFlag{0, "test-config", "", "check FILE and exit: 0 when it is right, 3 when not"},
    BrokerFlag{'v', "verbose", "", "log everything, whatever FILE says"},
    BrokerFlag{0, "version", "", "show the version"},
};

std::unexpected<Error> mistake(std::string message) {
  return std::unexpected(Error{std::move(message)});
}

cxxopts::Options make_parser() {
  cxxopts::Options parser("mqbroker");
  parser.allow_unrecognised_options();
  auto add = parser.add_options();
  for (const BrokerFlag& flag : kFlags) {
    const std::string names =
        (flag.letter == 0 ? "" : std::string(1, flag.letter) + ",") + std::string(flag.name);
    // Values are taken as they are: a list type would split them at commas.
    if (flag.value.empty()) {
      add(names, "", cxxopts::value<bool>());
    } else {
      add(names, "", cxxopts::value<std::string>());
    }
  }
  return parser;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

Error not_understood(std::string_view argument) {
  if (!argument.starts_with('-')) {
    return {fmt::format("unexpected argument \"{}\" (a configuration file is named with -c)",
                        argument)};
  }
  const std::string_view flag = argument.substr(0, argument.find('='));
  std::vector<std::string_view> names;
  for (const BrokerFlag& known : kFlags) names.push_back(known.name);
  const std::string_view meant =
      flag.starts_with("--") ? nearest(flag.substr(2), names) : std::string_view();
  return {meant.empty() ? fmt::format("unknown flag {} (see mqbroker --help)", flag)
                        : fmt::format("unknown flag {} (did you mean --{}?)", flag, meant)};
}

std::expected<BrokerOptions, Error> read(const cxxopts::ParseResult& parsed) {
  if (!parsed.unmatched().empty()) {
    return std::unexpected(not_understood(parsed.unmatched().front()));
  }
  BrokerOptions options;
  options.is_daemon = parsed.count("daemon") > 0;
  options.is_quiet = parsed.count("quiet") > 0;
  options.is_verbose = parsed.count("verbose") > 0;
  options.is_config_test = parsed.count("test-config") > 0;
  options.wants_help = parsed.count("help") > 0;
  options.wants_version = parsed.count("version") > 0;
  for (const auto& argument : parsed.arguments()) {
    if (argument.key() == "config-file") options.config_file = argument.value();
    if (argument.key() != "port") continue;
    const auto port = port_of(argument.value());
    if (!port) {
      return mistake(
          fmt::format("-p: \"{}\" is not a port (a number from 0 to 65535)", argument.value()));
    }
    options.ports.push_back(*port);
  }
  if (parsed.count("config-file") > 0 && options.config_file.empty()) {
    return mistake("-c: the name of the file is empty");
  }
  if (options.is_config_test && options.config_file.empty()) {
    return mistake("--test-config: there is nothing to test (name the file with -c)");
  }
  return options;
}

}  // namespace

std::span<const BrokerFlag> broker_flags() {
  return kFlags;
}

std::expected<BrokerOptions, Error> parse_broker_options(std::span<const char* const> arguments) {
  try {
    return read(make_parser().parse(static_cast<int>(arguments.size()), arguments.data()));
  } catch (const cxxopts::exceptions::exception& error) {
    return mistake(fmt::format("{} (see mqbroker --help)", error.what()));
  }
}

std::string broker_help() {
  std::string text =
      "Usage: mqbroker [-c FILE] [-d] [-p PORT]... [-q | -v]\n"
      "An MQTT broker for MQTT 5.0, 3.1.1 and 3.1. Without a FILE it serves this machine only, on\n"
      "port 1883, and lets anyone in.\n\n";
  for (const BrokerFlag& flag : kFlags) {
    std::string names = flag.letter == 0 ? "    " : fmt::format("-{}, ", flag.letter);
    names += fmt::format("--{}{}{}", flag.name, flag.value.empty() ? "" : "=", flag.value);
    text += fmt::format("  {:<24}  {}\n", names, flag.help);
  }
  return text + "\nSee mqbroker(8), and mqbroker.conf(5) for what FILE may say.\n";
}

}  // namespace mq::cli

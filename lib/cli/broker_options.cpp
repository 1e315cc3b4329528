#include "cli/broker_options.hpp"

#include <array>
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/help.hpp"
#include "cli/number.hpp"

namespace mq::cli {

namespace {

constexpr std::string_view kUsage =
    "mqbroker is an MQTT broker: it passes messages on to those who subscribed to\n"
    "their topics. Without FILE it serves this machine only, on port 1883.\n"
    "\n"
    "  mqbroker [-c FILE] [-d] [-p PORT ...] [--data DIR | --no-persistence] [-q | -v]\n"
    "  mqbroker cert DIR --host NAME ... [--client NAME ...]\n"
    "  mqbroker check -c FILE\n"
    "  mqbroker check -c FILE [--user NAME] [--client ID] [--listener PORT]\n"
    "                 --read FILTER | --write TOPIC\n"
    "  mqbroker db verify|dump|stats FILE\n"
    "  mqbroker db backup FILE TO\n"
    "  mqbroker passwd [-c [-f]] [-b] [-D | -U] [-H HASH] [-I NUMBER] FILE [USER]\n"
    "  mqbroker signal -a|-p PID config-reload|log-rotate|shutdown|store-commit|tree-print\n"
    "\n"
    "What FILE may say is in mqbroker.conf(5). cert makes certificates for TLS in DIR.\n"
    "check looks at FILE and what it names, and explains what it allows.\n"
    "db looks at a file with the state, also while the broker runs: is it right, all of it,\n"
    "how much is in it (JSON, an object a line); or copies it.\n"
    "passwd does what mosquitto_passwd does. signal tells brokers that run what to do.\n"
    "\n";

using O = BrokerOptions;
using V = std::string_view;

template <bool O::* Member>
Verdict turn_on(O& options, V) {
  options.*Member = true;
  return {};
}

Verdict set_config_file(O& options, V value) {
  if (value.empty()) return std::unexpected("the name of the file is missing");
  options.config_file = value;
  return {};
}

Verdict set_data_directory(O& options, V value) {
  if (value.empty()) return std::unexpected("the name of the directory is missing");
  options.data_directory = value;
  return {};
}

Verdict set_tls_keylog(O& options, V value) {
  if (value.empty()) return std::unexpected("the name of the file is missing");
  options.tls_keylog = value;
  return {};
}

Verdict add_port(O& options, V value) {
  const auto port = parse_number<std::uint16_t>(value, 0, UINT16_MAX);
  if (!port) return std::unexpected("must be a port, 1 to 65535, or 0 for any that is free");
  options.ports.push_back(*port);
  return {};
}

constexpr std::array<OptionRow<O>, 11> kTable{{
    {{"config-file", 'c', "FILE", "", "read the configuration from FILE"}, set_config_file},
    {{"daemon", 'd', "", "", "leave the terminal, once every listener is open"},
     turn_on<&O::is_daemon>},
    {{"data", 0, "DIR", "", "keep the broker's state in DIR, whatever FILE says"},
     set_data_directory},
    {{"help", 'h', "", "", "show this text and exit"}, turn_on<&O::wants_help>},
    {{"no-persistence", 0, "", "", "keep the broker's state in memory only, whatever FILE says"},
     turn_on<&O::is_in_memory>},
    {{"port", 'p', "PORT", "",
      "listen on PORT, for this machine only; may be given several times; 0 stands for any that is "
      "free; no effect when FILE has a listener"},
     add_port},
    {{"quiet", 'q', "", "", "log nothing, whatever FILE says"}, turn_on<&O::is_quiet>},
    {{"test-config", 0, "", "", "check FILE and exit: with 0 when it is right, else with 3"},
     turn_on<&O::is_config_test>},
    {{"tls-keylog", 0, "FILE", "", "append the keys of TLS sessions to FILE, for Wireshark"},
     set_tls_keylog},
    {{"verbose", 'v', "", "", "log everything, whatever FILE says"}, turn_on<&O::is_verbose>},
    {{"version", 0, "", "", "show the version and exit"}, turn_on<&O::wants_version>},
}};

}  // namespace

std::span<const OptionRow<BrokerOptions>> broker_table() {
  return kTable;
}

std::expected<BrokerOptions, Error> parse_broker(std::span<char* const> arguments) {
  auto options = apply(broker_table(), O{}, arguments);
  if (options && options->is_config_test && options->config_file.empty()) {
    return std::unexpected(Error{"--test-config needs a file to test; name it with -c FILE"});
  }
  if (options && options->is_in_memory && !options->data_directory.empty()) {
    return std::unexpected(
        Error{"--data keeps the state and --no-persistence does not: leave one of them out"});
  }
  return options;
}

std::string broker_help() {
  return help_text(kUsage, names_of(broker_table()));
}

}  // namespace mq::cli

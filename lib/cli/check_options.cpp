#include "cli/check_options.hpp"

#include <array>
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/help.hpp"
#include "topic/name.hpp"

namespace mq::cli {

namespace {

constexpr std::string_view kUsage =
    "mqbroker check says whether a configuration is right and the files that it names\n"
    "can be used, and why a client may or may not do something.\n"
    "\n"
    "  mqbroker check -c FILE\n"
    "  mqbroker check -c FILE [--user NAME] [--client ID] [--listener PORT]\n"
    "                 --read FILTER | --write TOPIC\n"
    "\n"
    "It exits with 0 when all is right or allowed, with 1 when something is denied, and\n"
    "with 3 when something is wrong.\n"
    "\n";

using O = CheckOptions;
using V = std::string_view;
using broker::Right;

template <std::string O::* Member>
Verdict set_text(O& options, V value) {
  if (value.empty()) return wrong("must not be empty");
  options.*Member = value;
  return {};
}

Verdict set_question(O& options, Right right, V topic) {
  if (options.right) return wrong("is one question too many: --read and --write come alone");
  options.right = right;
  options.topic = topic;
  return {};
}

Verdict set_read(O& options, V value) {
  if (!topic::is_filter(value)) {
    return wrong("must be a topic or a filter: + and # are whole levels, and # the last one");
  }
  return set_question(options, Right::read, value);
}

Verdict set_write(O& options, V value) {
  if (!topic::is_name(value)) return wrong("must be a topic, without wildcards");
  return set_question(options, Right::write, value);
}

constexpr std::array<OptionRow<O>, 7> kTable{{
    {{"client", 0, "ID", "", "the client id in question"}, set_text<&O::client>},
    {{"config-file", 'c', "FILE", "", "the configuration"}, set_text<&O::config_file>},
    {{"help", 'h', "", "", "show this text and exit"},
     [](O& options, V) -> Verdict {
       options.wants_help = true;
       return {};
     }},
    {{"listener", 0, "PORT", "", "asks about this listener only; PORT or the path of its socket"},
     set_text<&O::listener>},
    {{"read", 0, "FILTER", "", "may the client subscribe to FILTER, and be sent what matches?"},
     set_read},
    {{"user", 0, "NAME", "", "the user name in question; without it, a client without one"},
     set_text<&O::user>},
    {{"write", 0, "TOPIC", "", "may the client publish to TOPIC?"}, set_write},
}};

}  // namespace

std::expected<CheckOptions, Error> parse_check(std::span<char* const> arguments) {
  auto options = apply(std::span<const OptionRow<O>>(kTable), O{}, arguments);
  if (!options || options->wants_help) return options;
  if (options->config_file.empty()) {
    return std::unexpected(Error{"check needs a file to check; name it with -c FILE"});
  }
  const bool is_about_somebody =
      !options->user.empty() || !options->client.empty() || !options->listener.empty();
  if (is_about_somebody && !options->right) {
    return std::unexpected(
        Error{"--user, --client and --listener belong to a question: add --read FILTER or --write "
              "TOPIC"});
  }
  return options;
}

std::string check_help() {
  return help_text(kUsage, names_of(std::span<const OptionRow<O>>(kTable)));
}

}  // namespace mq::cli

#include "cli/pub_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command_line.hpp"
#include "cli/connect_rows.hpp"
#include "cli/help.hpp"
#include "cli/number.hpp"
#include "cli/url.hpp"

namespace mq::cli {

namespace {

constexpr std::string_view kUsage =
    "mqpub publishes messages through an MQTT server.\n"
    "\n"
    "  mqpub -t TOPIC (-m MESSAGE | -f FILE | -s | -l | -n) [-h HOST] [-q QOS] [-r]\n"
    "        [options]\n"
    "  mqpub --json-lines [--keep-going] [-t TOPIC] [-h HOST] [-q QOS] [-r]\n"
    "        [options]\n"
    "\n";

using O = PubOptions;
using V = std::string_view;

std::vector<OptionRow<O>> make_table() {
  std::vector<OptionRow<O>> table = {
      {{"topic", 't', "TOPIC", "", "publish to this"},
       [](O& o, V value) -> Verdict {
         o.topic = value;
         return check_topic(value);
       }},
      {{"url", 'L', "URL", "",
        "server, user and topic in one: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC"},
       [](O& o, V value) -> Verdict {
         const auto url = parse_url(value);
         if (!url) return std::unexpected(url.error());
         apply_url(*url, o.connection);
         o.topic = url->topic;
         return check_topic(url->topic);
       }},
      {{"message", 'm', "MESSAGE", "", "the message"},
       [](O& o, V value) -> Verdict {
         o.sources.push_back(Source::message);
         o.message = value;
         return {};
       }},
      {{"file", 'f', "FILE", "", "the content of a file is the message"},
       [](O& o, V value) -> Verdict {
         o.sources.push_back(Source::file);
         o.file = value;
         return {};
       }},
      {{"stdin-file", 's', "", "", "all of standard input is the message"},
       [](O& o, V) -> Verdict {
         o.sources.push_back(Source::input);
         return {};
       }},
      {{"stdin-line", 'l', "", "", "each line of standard input is a message"},
       [](O& o, V) -> Verdict {
         o.sources.push_back(Source::lines);
         return {};
       }},
      {{"json-lines", 0, "", "",
        "each line of standard input is a message as mqsub -F %j prints it"},
       [](O& o, V) -> Verdict {
         o.sources.push_back(Source::json_lines);
         return {};
       }},
      {{"keep-going", 0, "", "", "skip lines that are not as they should be, and count them"},
       [](O& o, V) -> Verdict {
         o.skips_bad_lines = true;
         return {};
       }},
      {{"null-message", 'n', "", "", "an empty message"},
       [](O& o, V) -> Verdict {
         o.sources.push_back(Source::nothing);
         return {};
       }},
      {{"retain", 'r', "", "", "the server keeps the message for later subscribers"},
       [](O& o, V) -> Verdict {
         o.is_retained = true;
         return {};
       }},
      {{"repeat", 0, "COUNT", "1", "publish the message so many times"},
       [](O& o, V value) -> Verdict {
         const auto count = parse_number<std::uint64_t>(value, 1, UINT64_MAX);
         if (!count) return wrong("must be a number from 1");
         o.repeat = *count;
         return {};
       }},
      {{"repeat-delay", 0, "SECONDS", "0", "wait so long after each delivery before the next"},
       [](O& o, V value) -> Verdict {
         const auto delay = parse_seconds(value);
         if (!delay) return std::unexpected(delay.error());
         o.repeat_delay = *delay;
         return {};
       }},
      {{"ack-timeout", 0, "SECONDS", "60",
        "give up when nothing is acknowledged for so long; 0 for never"},
       [](O& o, V value) -> Verdict {
         const auto timeout = parse_seconds(value);
         if (!timeout) return std::unexpected(timeout.error());
         o.ack_timeout = *timeout;
         return {};
       }},
  };
  auto shared = connect_rows<O>();
  table.insert(table.end(), shared.begin(), shared.end());
  return table;
}

constexpr V kSources = "-m, -f, -s, -l, -n, --json-lines";

Verdict check_lines(const PubOptions& options) {
  if (options.repeat > 1 && options.reads_lines()) {
    return wrong(options.source() == Source::lines ? "--repeat does not go with -l"
                                                   : "--repeat does not go with --json-lines");
  }
  if (options.skips_bad_lines && options.source() != Source::json_lines) {
    return wrong("--keep-going goes with --json-lines");
  }
  return {};
}

Verdict check(const PubOptions& options) {
  const bool names_topics = std::ranges::count(options.sources, Source::json_lines) > 0;
  if (options.topic.empty() && !names_topics) {
    return wrong("no topic given; say where to publish with -t TOPIC");
  }
  if (options.sources.empty())
    return wrong(fmt::format("no message given; use one of {}", kSources));
  if (options.sources.size() > 1) {
    return wrong(
        fmt::format("only one kind of message can be sent at once; use one of {}", kSources));
  }
  if (const Verdict verdict = check_lines(options); !verdict) return verdict;
  return check(options.connection);
}

}  // namespace

std::span<const OptionRow<PubOptions>> pub_table() {
  static const std::vector<OptionRow<O>> table = make_table();
  return table;
}

std::string pub_help() {
  return help_text(kUsage, names_of(pub_table()));
}

std::expected<PubOptions, Error> parse_pub(std::span<char* const> arguments) {
  auto options = apply(pub_table(), PubOptions{}, arguments);
  if (options) {
    for (const auto* secret : {"pw", "psk", "proxy", "url"})
      wipe(names_of(pub_table()), secret, arguments);
  }
  if (!options || options->connection.wants_help || options->connection.wants_version) {
    return options;
  }
  complete(options->connection);
  if (const Verdict verdict = check(*options); !verdict) {
    return std::unexpected(Error{verdict.error()});
  }
  return options;
}

}  // namespace mq::cli

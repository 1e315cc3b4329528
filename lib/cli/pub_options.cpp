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
    "  mqpub --json-lines [--pace [SPEED]] [--keep-going] [-t TOPIC] [-h HOST]\n"
    "        [-q QOS] [-r] [options]\n"
    "  mqpub --request -t TOPIC (-m MESSAGE | -f FILE | -s | -n) [-e TOPIC]\n"
    "        [-C COUNT] [-W SECONDS] [-v | -F FORMAT] [--latency] [options]\n"
    "\n";

using O = PubOptions;
using V = std::string_view;

template <Source source>
Verdict add_source(O& options, V) {
  options.sources.push_back(source);
  return {};
}

Verdict set_pace(O& options, V value) {
  constexpr double kSlowest = 0.001;
  constexpr double kFastest = 1e6;
  options.pace = parse_number<double>(value, kSlowest, kFastest);
  if (!options.pace) return wrong("must be a speed from 0.001 to 1000000; 1 is as it was recorded");
  return {};
}

std::vector<OptionRow<O>> make_table() {
  std::vector<OptionRow<O>> table = {
      {{"topic", 't', "TOPIC", "", "publish to this"},
       [](O& o, V value) -> Verdict {
         o.topic = value;
         return check_topic(value);
       }},
      {{"url", 'L', "URL", "",
        "server, user and topic in one: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC", Values::one,
        Secrecy::secret},
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
       add_source<Source::input>},
      {{"stdin-line", 'l', "", "", "each line of standard input is a message"},
       add_source<Source::lines>},
      {{"json-lines", 0, "", "",
        "each line of standard input is a message as mqsub -F %j prints it"},
       add_source<Source::json_lines>},
      {{"keep-going", 0, "", "", "skip lines that are not as they should be, and count them"},
       set_switch<O, &O::skips_bad_lines>},
      {{"topic-separator", 0, "SEPARATOR", "",
        "with -l: each line is a topic, SEPARATOR and the message"},
       [](O& o, V value) -> Verdict {
         if (value.empty()) return wrong("must not be empty");
         o.topic_separator = value;
         return {};
       }},
      {{"pace", 0, "[SPEED]", "1",
        "with --json-lines: wait between lines as long as their tst says, or SPEED times as short",
        Values::number_or_none},
       [](O& o, V value) { return set_pace(o, value); }},
      {{"null-message", 'n', "", "", "an empty message"}, add_source<Source::nothing>},
      {{"retain", 'r', "", "", "the server keeps the message for later subscribers"},
       set_switch<O, &O::is_retained>},
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
  };
  const std::vector<OptionRow<O>> requesting = {
      {{"request", 0, "", "", "publish a request and print what is answered; MQTT 5 by default"},
       set_switch<O, &O::is_request>},
      {{"response-topic", 'e', "TOPIC", "", "where answers go; by default a topic of its own"},
       [](O& o, V value) -> Verdict {
         o.response_topic = value;
         return check_topic(value);
       }},
      {{"latency", 0, "", "", "print how long each answer took"}, set_switch<O, &O::shows_latency>},
  };
  table.insert(table.end(), requesting.begin(), requesting.end());
  const auto printing = print_rows<O>("never");
  table.insert(table.end(), printing.begin(), printing.end());
  const auto shared = connect_rows<O>();
  table.insert(table.end(), shared.begin(), shared.end());
  return table;
}

constexpr V kSources = "-m, -f, -s, -l, -n, --json-lines";

Verdict check_lines(const PubOptions& options) {
  if (options.repeat > 1 && options.reads_lines()) {
    return wrong(options.source() == Source::lines ? "--repeat does not go with -l"
                                                   : "--repeat does not go with --json-lines");
  }
  if (options.topic_separator && options.source() != Source::lines) {
    return wrong("--topic-separator goes with -l");
  }
  if (options.topic_separator && !options.topic.empty()) {
    return wrong("-t and --topic-separator exclude each other: the lines name their topics");
  }
  if (options.skips_bad_lines && !options.do_lines_name_topics()) {
    return wrong("--keep-going goes with --json-lines or --topic-separator");
  }
  if (options.pace && options.source() != Source::json_lines) {
    return wrong("--pace goes with --json-lines");
  }
  return {};
}

Verdict check_request(const PubOptions& options) {
  if (options.is_request && options.reads_lines()) {
    return wrong("--request publishes one message: use -m, -f, -s or -n");
  }
  if (options.is_request && options.repeat > 1) {
    return wrong("--repeat does not go with --request");
  }
  if (options.is_request && !options.response_topic &&
      options.connection.version != wire::Version::v5) {
    return wrong("--request needs -e with MQTT 3, which cannot tell where answers are to go");
  }
  if (options.is_request) return {};
  for (const auto& [is_given, name] :
       {std::pair(options.response_topic.has_value(), "-e"),
        {options.shows_latency, "--latency"},
        {options.format.has_value(), "-F"},
        {options.is_verbose, "-v"},
        {options.count.has_value(), "-C"},
        {options.timeout.has_value(), "-W"},
        {options.ends_with_nul, "-0"},
        {!options.has_newline, "-N"},
        {options.json != JsonStyle::compact, "--pretty"},
        {options.colour != Colour::automatic, "--color"},
        {!options.shows_retained, "-R"},
        {options.is_retain_kept, "--retain-as-published"},
        {options.retain_handling.has_value(), "--retain-handling"}}) {
    if (is_given) return wrong(fmt::format("{} goes with --request", name));
  }
  return {};
}

Verdict check_source(const PubOptions& options) {
  if (options.sources.empty()) {
    return wrong(fmt::format("no message given; use one of {}", kSources));
  }
  if (options.sources.size() > 1) {
    return wrong(
        fmt::format("only one kind of message can be sent at once; use one of {}", kSources));
  }
  return {};
}

Verdict check(const PubOptions& options) {
  if (options.topic.empty() && !options.topic_separator &&
      std::ranges::count(options.sources, Source::json_lines) == 0) {
    return wrong("no topic given; say where to publish with -t TOPIC");
  }
  for (const auto part : {check_source, check_lines, check_request}) {
    if (const Verdict verdict = part(options); !verdict) return verdict;
  }
  return check(options.connection);
}

/// A request is one of MQTT 5, and its properties may say where the answers go.
void complete_request(PubOptions& options) {
  if (!options.is_request) return;
  if (!options.connection.version) options.connection.version = wire::Version::v5;
  const auto topic =
      options.connection.properties.publish.view().text(wire::PropertyId::response_topic);
  if (topic && !options.response_topic) options.response_topic = *topic;
}

}  // namespace

std::span<const OptionRow<PubOptions>> pub_table() {
  static const std::vector<OptionRow<O>> table = make_table();
  return table;
}

client::Settings settings_of(const PubOptions& options, std::uint64_t pid, Prng& prng) {
  constexpr std::uint32_t kResumable = 3600;  // seconds
  const ConnectOptions& connection = options.connection;
  client::Settings settings = settings_of(connection, pid, prng);
  const bool is_qos_open = options.source() == Source::json_lines && !connection.is_qos_given;
  const bool has_qos2 = connection.qos == wire::QoS::exactly_once || is_qos_open;
  if (!has_qos2 || connection.is_session_kept || connection.session_expiry_interval) {
    return settings;
  }
  if (settings.version == wire::Version::v5) {
    settings.properties.add(wire::PropertyId::session_expiry_interval, kResumable);
    if (!settings.goodbye.view().number(wire::PropertyId::session_expiry_interval)) {
      settings.goodbye.add(wire::PropertyId::session_expiry_interval, std::uint32_t{0});
    }
    return settings;
  }
  settings.clean_start = false;
  settings.clearing = client::Clearing::after;
  if (settings.client_id.empty()) {
    settings.client_id = random_client_id(prng);
  } else if (connection.client_id) {
    settings.clearing = client::Clearing::before_and_after;
  }
  return settings;
}

std::string pub_help() {
  return help_text(kUsage, names_of(pub_table()));
}

std::expected<PubOptions, Error> parse_pub(std::span<char* const> arguments,
                                           std::span<const std::string> files) {
  auto options = apply_with_file(pub_table(), PubOptions{}, arguments, files);
  if (options) wipe_secrets(names_of(pub_table()), arguments);
  if (!options || options->connection.wants_help || options->connection.wants_version) {
    return options;
  }
  complete(options->connection);
  complete_request(*options);
  for (const Verdict& verdict : {check(*options), complete(static_cast<PrintOptions&>(*options))}) {
    if (!verdict) return std::unexpected(Error{verdict.error()});
  }
  return options;
}

}  // namespace mq::cli

#include "cli/sub_options.hpp"

#include "cli/command_line.hpp"
#include "cli/connect_rows.hpp"
#include "cli/help.hpp"
#include "cli/number.hpp"
#include "cli/url.hpp"

namespace mq::cli {

namespace {

/// A subscriber that wants fewer messages than this says so, and is not sent more.
constexpr std::uint64_t kUsualReceiveMaximum = 20;

constexpr std::string_view kUsage =
    "mqsub prints the messages that an MQTT server has for it.\n"
    "\n"
    "  mqsub -t TOPIC [-t TOPIC ...] [-h HOST] [-v] [-q QOS] [-c -i ID] [options]\n"
    "\n"
    "TOPIC may have wildcards: + stands for one level, # at the end for all below.\n"
    "\n";

using O = SubOptions;
using V = std::string_view;

std::vector<OptionRow<O>> make_table() {
  std::vector<OptionRow<O>> table = {
      {{"topic", 't', "TOPIC", "", "subscribe to this; may be given several times"},
       [](O& o, V value) -> Verdict {
         o.filters.emplace_back(value);
         return check_filter(value);
       }},
      {{"url", 'L', "URL", "",
        "server, user and topic in one: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC"},
       [](O& o, V value) -> Verdict {
         const auto url = parse_url(value);
         if (!url) return std::unexpected(url.error());
         apply_url(*url, o.connection);
         o.filters.push_back(url->topic);
         return check_filter(url->topic);
       }},
      {{"verbose", 'v', "", "", "print the topic before each message"},
       [](O& o, V) -> Verdict {
         o.is_verbose = true;
         return {};
       }},
      {{"format", 'F', "FORMAT", "",
        "print messages so: %t is the topic, %p the payload, %j JSON, ..."},
       [](O& o, V value) -> Verdict {
         o.format = value;
         return {};
       }},
      {{"pretty", 0, "", "", "with -F %j or %J: JSON over several lines"},
       [](O& o, V) -> Verdict {
         o.json = JsonStyle::pretty;
         return {};
       }},
      {{"count", 'C', "COUNT", "", "end after so many messages"},
       [](O& o, V value) -> Verdict {
         o.count = parse_number<std::uint64_t>(value, 1, UINT64_MAX);
         if (!o.count) return wrong("must be a number from 1");
         return {};
       }},
      {{"timeout", 'W', "SECONDS", "", "end after so long, with exit code 27"},
       [](O& o, V value) -> Verdict {
         const auto timeout = parse_seconds(value);
         if (!timeout || *timeout == Millis(0)) return wrong("must be a number of seconds above 0");
         o.timeout = *timeout;
         return {};
       }},
      {{"no-newline", 'N', "", "", "print no newline after each message"},
       [](O& o, V) -> Verdict {
         o.has_newline = false;
         return {};
       }},
      {{"no-retained", 'R', "", "", "do not print messages that were retained"},
       [](O& o, V) -> Verdict {
         o.shows_retained = false;
         return {};
       }},
      {{"filter-out", 'T', "TOPIC", "", "do not print messages of these topics"},
       [](O& o, V value) -> Verdict {
         o.filters_out.emplace_back(value);
         return check_filter(value);
       }},
      {{"unsubscribe", 'U', "TOPIC", "", "end a subscription that the session has"},
       [](O& o, V value) -> Verdict {
         o.unsubscriptions.emplace_back(value);
         return check_filter(value);
       }},
      {{"exit-after-subscribe", 'E', "", "", "end as soon as the server has answered -t and -U"},
       [](O& o, V) -> Verdict {
         o.ends_after_subscribing = true;
         return {};
       }},
  };
  auto shared = connect_rows<O>();
  table.insert(table.end(), shared.begin(), shared.end());
  return table;
}

}  // namespace

std::span<const OptionRow<SubOptions>> sub_table() {
  static const std::vector<OptionRow<O>> table = make_table();
  return table;
}

std::string sub_help() {
  return help_text(kUsage, names_of(sub_table()));
}

std::expected<SubOptions, Error> parse_sub(std::span<char* const> arguments) {
  auto options = apply(sub_table(), SubOptions{}, arguments);
  if (options) {
    for (const auto* secret : {"pw", "psk", "proxy", "url"})
      wipe(names_of(sub_table()), secret, arguments);
  }
  if (!options || options->connection.wants_help || options->connection.wants_version) {
    return options;
  }
  complete(options->connection);
  if (options->filters.empty() && options->unsubscriptions.empty()) {
    return std::unexpected(Error{"no topic given; say what to subscribe to with -t TOPIC"});
  }
  if (const Verdict verdict = check(options->connection); !verdict) {
    return std::unexpected(Error{verdict.error()});
  }
  if (options->format) {
    auto pieces = parse_format(*options->format);
    if (!pieces) return std::unexpected(pieces.error());
    options->pieces = *std::move(pieces);
  }
  return options;
}

client::Settings settings_of(const SubOptions& options, std::uint64_t pid, Prng& prng) {
  client::Settings settings = settings_of(options.connection, pid, prng);
  const std::uint64_t count = options.count.value_or(kUsualReceiveMaximum);
  if (settings.version == wire::Version::v5 && count < kUsualReceiveMaximum) {
    settings.properties.add(wire::PropertyId::receive_maximum, static_cast<std::uint32_t>(count));
  }
  return settings;
}

MessageFormat format_of(const SubOptions& options, Medium medium) {
  return {.pieces = options.pieces,
          .has_topic = options.is_verbose,
          .end = options.has_newline ? "\n" : "",
          .json = options.json,
          .medium = medium};
}

}  // namespace mq::cli

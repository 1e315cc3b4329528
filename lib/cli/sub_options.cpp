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

Verdict set_share(O& options, V value) {
  const auto percent = parse_number<double>(value, 0.1, 100.0);
  if (!percent) return wrong("must be a percentage from 0.1 to 100");
  options.millionths = static_cast<std::uint32_t>(*percent * (kAllMessages / 100.0));
  return {};
}

/// Rules that involve several options of mqsub's own.
Verdict check_output(const O& options) {
  if (!options.shows_live && !options.shows_retained) {
    return wrong("-R and --retained-only exclude each other: nothing would be printed");
  }
  if (options.shows_rate && options.is_watching) {
    return wrong("--message-rate and -w exclude each other");
  }
  return {};
}

std::vector<OptionRow<O>> make_table() {
  std::vector<OptionRow<O>> table = {
      {{"topic", 't', "TOPIC", "", "subscribe to this; may be given several times"},
       [](O& o, V value) -> Verdict {
         o.filters.emplace_back(value);
         return check_filter(value);
       }},
      {{"url", 'L', "URL", "",
        "server, user and topic in one: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC", Values::one,
        Secrecy::secret},
       [](O& o, V value) -> Verdict {
         const auto url = parse_url(value);
         if (!url) return std::unexpected(url.error());
         apply_url(*url, o.connection);
         o.filters.push_back(url->topic);
         return check_filter(url->topic);
       }},
      {{"watch", 'w', "", "", "show the latest message of each topic on a line of the screen"},
       set_switch<O, &O::is_watching>},
      {{"message-rate", 0, "", "", "print how many messages come each second, not what they are"},
       set_switch<O, &O::shows_rate>},
      {{"random-filter", 0, "PERCENT", "100", "print only so many of the messages, at random"},
       [](O& o, V value) { return set_share(o, value); }},
      {{"retained-only", 0, "", "", "print retained messages only, and end when all have come"},
       set_switch<O, &O::shows_live, false>},
      {{"remove-retained", 0, "", "", "remove the retained messages that come from the server"},
       set_switch<O, &O::removes_retained>},
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
       set_switch<O, &O::ends_after_subscribing>},
  };
  const auto printing = print_rows<O>("always");
  table.insert(table.begin() + 2, printing.begin(), printing.end());
  const auto shared = connect_rows<O>();
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

std::expected<SubOptions, Error> parse_sub(std::span<char* const> arguments,
                                           std::span<const std::string> files) {
  auto options = apply_with_file(sub_table(), SubOptions{}, arguments, files);
  if (options) wipe_secrets(names_of(sub_table()), arguments);
  if (!options || options->connection.wants_help || options->connection.wants_version) {
    return options;
  }
  complete(options->connection);
  if (options->filters.empty() && options->unsubscriptions.empty()) {
    return std::unexpected(Error{"no topic given; say what to subscribe to with -t TOPIC"});
  }
  for (const Verdict& verdict :
       {check(options->connection), check_output(*options), complete(*options)}) {
    if (!verdict) return std::unexpected(Error{verdict.error()});
  }
  return options;
}

client::Settings settings_of(const SubOptions& options, std::uint64_t pid, Prng& prng) {
  client::Settings settings = settings_of(options.connection, pid, prng);
  const std::uint64_t count = options.count.value_or(kUsualReceiveMaximum);
  const bool is_said =
      settings.properties.view().number(wire::PropertyId::receive_maximum).has_value();
  if (settings.version == wire::Version::v5 && count < kUsualReceiveMaximum && !is_said) {
    settings.properties.add(wire::PropertyId::receive_maximum, static_cast<std::uint32_t>(count));
  }
  return settings;
}

MessageFormat format_of(const SubOptions& options, Medium medium) {
  MessageFormat format = format_of(static_cast<const PrintOptions&>(options), medium);
  if (!options.is_watching) return format;
  format.medium = Medium::terminal;
  if (!options.ends_with_nul) format.end = "";
  return format;
}

}  // namespace mq::cli

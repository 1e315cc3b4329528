#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "cli/formatter.hpp"
#include "cli/option.hpp"

namespace mq::cli {

enum class Colour : std::uint8_t { automatic, always, never };

/// Which messages are to come, how they are printed, and when it is enough.
struct PrintOptions {
  bool is_verbose = false;
  bool has_newline = true;
  bool ends_with_nul = false;
  std::optional<std::string> format;  ///< as it was typed
  OutputFormat pieces;                ///< the same, read
  JsonStyle json = JsonStyle::compact;
  Colour colour = Colour::automatic;
  std::optional<std::uint64_t> count;
  std::optional<Millis> timeout;
  bool shows_retained = true;
  bool is_retain_kept = false;                          ///< the flag comes as it was published
  std::optional<wire::RetainHandling> retain_handling;  ///< none: as is usual for the program
};

Verdict set_colour(PrintOptions& options, std::string_view value);
Verdict set_count(PrintOptions& options, std::string_view value);
Verdict set_timeout(PrintOptions& options, std::string_view value);
Verdict set_retain_handling(PrintOptions& options, std::string_view value);

/// Reads the format, and checks rules that involve several options.
///
/// Fails  words that may be of several lines, where a format is not one
Verdict complete(PrintOptions& options);

/// NO_COLOR, as the environment has it; nullptr when it has none.
void respect_no_color(PrintOptions& options, const char* value);

/// How to print on standard output that is such a medium.
MessageFormat format_of(const PrintOptions& options, Medium medium);

/// A row that is a switch. `Member` is of Options or of what it is made of.
template <class Options, auto Member, bool Value = true>
Verdict set_switch(Options& options, std::string_view) {
  options.*Member = Value;
  return {};
}

/// The rows of whoever prints messages. `Options` is a PrintOptions.
///
/// retain_handling  that is usual
template <class Options>
std::vector<OptionRow<Options>> print_rows(std::string_view retain_handling) {
  using O = Options;
  using P = PrintOptions;
  using V = std::string_view;
  return {
      {{"verbose", 'v', "", "", "print the topic before each message"},
       set_switch<O, &P::is_verbose>},
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
       [](O& o, V value) { return set_count(o, value); }},
      {{"timeout", 'W', "SECONDS", "", "end after so long, with exit code 27"},
       [](O& o, V value) { return set_timeout(o, value); }},
      {{"no-newline", 'N', "", "", "print no newline after each message"},
       set_switch<O, &P::has_newline, false>},
      {{"print0", '0', "", "", "end each message with a NUL instead of a newline"},
       set_switch<O, &P::ends_with_nul>},
      {{"color", 0, "WHEN", "auto", "colour topics: auto, always or never; auto is on a terminal"},
       [](O& o, V value) { return set_colour(o, value); }},
      {{"no-retained", 'R', "", "", "do not print messages that were retained"},
       set_switch<O, &P::shows_retained, false>},
      {{"retain-as-published", 0, "", "", "MQTT 5: leave the retain flag as the publisher set it"},
       set_switch<O, &P::is_retain_kept>},
      {{"retain-handling", 0, "WHEN", retain_handling,
        "MQTT 5: when to send retained messages: always, never or new, to new subscriptions"},
       [](O& o, V value) { return set_retain_handling(o, value); }},
  };
}

}  // namespace mq::cli

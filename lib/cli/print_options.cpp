#include "cli/print_options.hpp"

#include <utility>

#include "cli/connect_options.hpp"
#include "cli/number.hpp"

namespace mq::cli {

Verdict set_colour(PrintOptions& options, std::string_view value) {
  if (value != "auto" && value != "always" && value != "never") {
    return wrong("must be auto, always or never");
  }
  options.colour = value == "auto"     ? Colour::automatic
                   : value == "always" ? Colour::always
                                       : Colour::never;
  return {};
}

Verdict set_count(PrintOptions& options, std::string_view value) {
  options.count = parse_number<std::uint64_t>(value, 1, UINT64_MAX);
  if (!options.count) return wrong("must be a number from 1");
  return {};
}

Verdict set_timeout(PrintOptions& options, std::string_view value) {
  const auto timeout = parse_seconds(value);
  if (!timeout || *timeout == Millis(0)) return wrong("must be a number of seconds above 0");
  options.timeout = *timeout;
  return {};
}

Verdict set_retain_handling(PrintOptions& options, std::string_view value) {
  using wire::RetainHandling;
  if (value != "always" && value != "new" && value != "never") {
    return wrong("must be always, new or never");
  }
  options.retain_handling = value == "always" ? RetainHandling::send
                            : value == "new"  ? RetainHandling::send_if_new
                                              : RetainHandling::do_not_send;
  return {};
}

Verdict complete(PrintOptions& options) {
  if (options.ends_with_nul && !options.has_newline) return wrong("-N and -0 exclude each other");
  if (!options.format) return {};
  auto pieces = parse_format(*options.format);
  if (!pieces) return std::unexpected(pieces.error().message);
  options.pieces = *std::move(pieces);
  return {};
}

void respect_no_color(PrintOptions& options, const char* value) {
  if (options.colour != Colour::automatic || value == nullptr || *value == '\0') return;
  options.colour = Colour::never;
}

MessageFormat format_of(const PrintOptions& options, Medium medium) {
  constexpr std::string_view kNul("\0", 1);
  return {.pieces = options.pieces,
          .has_topic = options.is_verbose,
          .end = options.ends_with_nul ? kNul
                 : options.has_newline ? "\n"
                                       : "",
          .json = options.json,
          .medium = medium,
          .is_coloured = options.colour == Colour::always ||
                         (options.colour == Colour::automatic && medium == Medium::terminal)};
}

}  // namespace mq::cli

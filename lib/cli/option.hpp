#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace mq::cli {

/// What an option says about the value that it was given; on failure what is wrong with it, to be
/// read behind the option: "must be 0, 1 or 2".
using Verdict = std::expected<void, std::string>;

inline Verdict wrong(std::string_view words) {
  return std::unexpected(std::string(words));
}

/// How many arguments stand behind an option that takes a value.
enum class Values : std::uint8_t {
  one,
  number_or_none,  ///< none: the default value
  property,        ///< COMMAND NAME VALUE; four where NAME is user-property. Joined by kJoint
};
inline constexpr char kJoint = '\0';  ///< no argument has it

/// Whether there may be a password in the value, which then no message and no `ps` shows.
enum class Secrecy : bool { open, secret };

/// What parsing, help, man page and completions know of an option.
struct OptionName {
  std::string_view name;                ///< long, without dashes
  char letter = 0;                      ///< short, or 0
  std::string_view argument = {};       ///< "HOST"; empty for a flag
  std::string_view default_value = {};  ///< as help shows it
  std::string_view help = {};
  Values values = Values::one;
  Secrecy secrecy = Secrecy::open;
};

/// A row of a program's table of options.
template <class Options>
struct OptionRow {
  OptionName name;
  Verdict (*effect)(Options&, std::string_view value);
};

}  // namespace mq::cli

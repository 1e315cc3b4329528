#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace mq::cli {

/// What a piece of a format is, besides the codes of `%`.
inline constexpr char kLiteral = 0;        ///< `text`, as it stands
inline constexpr char kTime = '@';         ///< `text` is for strftime
inline constexpr char kNanoseconds = 'N';  ///< of the current second, nine digits

/// A piece of what -F says.
struct FormatPiece {
  char code = kLiteral;
  bool is_left = false;
  bool is_zero_padded = false;
  std::size_t width = 0;  ///< at least; of a payload also at most
  std::optional<std::size_t>
      precision;         ///< text: at most so many characters; hex: a group's digits
  char separator = ' ';  ///< of groups of hex digits
  std::string text = {};
};

using OutputFormat = std::vector<FormatPiece>;

/// Reads the format of -F:
/// `%[-][0][width][.precision][separator]CODE`, `@CODE` of strftime, `\n` and the like.
///
/// Fails  three lines: what is wrong, the format with a caret under it, and what is allowed there
std::expected<OutputFormat, Error> parse_format(std::string_view format);

}  // namespace mq::cli

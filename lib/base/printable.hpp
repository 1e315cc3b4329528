#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mq {

/// Somebody else's text as one line for a person: control characters, and bytes that are not
/// UTF-8, become \xNN, so that it can neither speak to the terminal nor end the line.
///
/// max  bytes of `text` to show; what is longer is cut, and ends in "..."
std::string printable(std::string_view text, std::size_t max = 256);

/// Likewise in quotes, with a backslash before " and \ of the text: what follows the closing quote
/// cannot be the text's own.
std::string quoted(std::string_view text, std::size_t max = 256);

}  // namespace mq

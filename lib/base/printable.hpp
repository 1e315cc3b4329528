#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mq {

/// A character of a text.
struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;  ///< in bytes; 0: this is not UTF-8
};

/// The first one of a text that is not empty.
Character first_character(std::string_view text);

/// Whether a character moves the cursor, ends the line or turns the direction of writing.
bool is_control(std::uint32_t code);

/// Appends bytes as \xNN.
void append_hex_escapes(std::string_view bytes, std::string& out);

/// Somebody else's text as one line for a person: control characters, and bytes that are not
/// UTF-8, become \xNN, so that it can neither speak to the terminal nor end the line.
///
/// max  bytes of `text` to show; what is longer is cut, and ends in "..."
std::string printable(std::string_view text, std::size_t max = 256);

/// Likewise in quotes, with a backslash before " and \ of the text: what follows the closing quote
/// cannot be the text's own.
std::string quoted(std::string_view text, std::size_t max = 256);

/// Somebody else's name in a sentence: printable() where that is one word of ASCII without
/// quotation marks, otherwise quoted(). So it cannot go on with the sentence, or end it.
std::string as_word(std::string_view text, std::size_t max = 256);

}  // namespace mq

#include "cli/escape.hpp"

#include "wire/utf8.hpp"

namespace mq::cli {

namespace {

/// How many bytes a character takes that begins with `first`.
std::size_t length_of(Byte first) {
  if (first < 0x80) return 1;
  if (first < 0xE0) return 2;
  return first < 0xF0 ? 3 : 4;
}

bool is_control(std::string_view character, Newlines newlines) {
  const auto first = static_cast<Byte>(character[0]);
  if (first == '\n') return newlines == Newlines::escaped;
  if (character.size() == 1) return (first < 0x20 && first != '\t') || first == 0x7F;
  return first == 0xC2 && static_cast<Byte>(character[1]) < 0xA0;  // U+0080 to U+009F
}

void append_hex(std::string_view bytes, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char byte : bytes) {
    out += "\\x";
    out += kDigits[static_cast<Byte>(byte) >> 4U];
    out += kDigits[static_cast<Byte>(byte) & 0x0FU];
  }
}

}  // namespace

void escape(std::string_view text, Newlines newlines, std::string& out) {
  while (!text.empty()) {
    std::string_view character = text.substr(0, length_of(static_cast<Byte>(text[0])));
    if (!wire::is_utf8(bytes_of(character))) {
      character = text.substr(0, 1);
      append_hex(character, out);
    } else if (is_control(character, newlines)) {
      append_hex(character, out);
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
}

}  // namespace mq::cli

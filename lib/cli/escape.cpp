#include "cli/escape.hpp"

#include "base/printable.hpp"

namespace mq::cli {

void escape(std::string_view text, Newlines newlines, std::string& out) {
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.size == 0 ? 1 : character.size);
    const bool is_kept = bytes == "\t" || (bytes == "\n" && newlines == Newlines::kept) ||
                         (character.size != 0 && !is_control(character.code));
    if (is_kept) {
      out += bytes;
    } else {
      append_hex_escapes(bytes, out);
    }
    text.remove_prefix(bytes.size());
  }
}

}  // namespace mq::cli

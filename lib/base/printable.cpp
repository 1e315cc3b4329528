#include "base/printable.hpp"

#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"

namespace mq {

Character first_character(std::string_view text) {
  const auto lead = static_cast<Byte>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead < 0xC0   ? 0
                           : lead < 0xE0 ? 2
                           : lead < 0xF0 ? 3
                           : lead < 0xF8 ? 4
                                         : 0;
  if (size == 0 || text.size() < size) return {};
  std::uint32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<Byte>(text[i]);
    if ((byte & 0xC0U) != 0x80) return {};
    code = (code << 6U) | (byte & 0x3FU);
  }
  constexpr std::uint32_t kLowest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLowest[size] || code > 0x10FFFF || is_surrogate) return {};
  return {code, size};
}

bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || code == 0x200E ||
         code == 0x200F || (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void append_hex_escapes(std::string_view bytes, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<Byte>(c);
    out += "\\x";
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
}

namespace {

/// Appends what of the text there is room for, a backslash before those that are marked. Returns
/// whether that is all.
bool append_shown(std::string& out, std::string_view text, std::size_t max,
                  std::string_view marked) {
  for (std::size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at));
    const std::size_t size = character.size == 0 ? 1 : character.size;
    if (at + size > max) return false;
    const std::string_view bytes = text.substr(at, size);
    if (character.size == 0 || is_control(character.code)) {
      append_hex_escapes(bytes, out);
    } else {
      if (marked.contains(bytes[0])) out += '\\';
      out += bytes;
    }
    at += size;
  }
  return true;
}

/// Not beyond ASCII, where many a letter looks like a blank.
bool is_word(std::string_view shown) {
  return !shown.empty() &&
         std::ranges::all_of(shown, [](char c) { return c > ' ' && c < 0x7F && c != '"'; });
}

}  // namespace

std::string printable(std::string_view text, std::size_t max) {
  std::string out;
  return append_shown(out, text, max, {}) ? out : out + "...";
}

std::string quoted(std::string_view text, std::size_t max) {
  std::string out = "\"";
  const bool is_all = append_shown(out, text, max, "\"\\");
  return out + (is_all ? "\"" : "\"...");
}

std::string as_word(std::string_view text, std::size_t max) {
  std::string shown = printable(text, max);
  return is_word(shown) ? shown : quoted(text, max);
}

}  // namespace mq

#include "wire/utf8.hpp"

#include <cstring>

// Most strings are ASCII, so eight bytes at a time are asked one question of all of them: is a
// byte 0, or above 0x7F, or (for topics) a wildcard? Subtracting 1 from every byte carries into
// the top bit of a byte that was 0. As long as no byte has its top bit set and none is 0, no borrow
// crosses from one byte to the next, so a result without top bits is exact. '+' and '#' differ in
// one bit only (0x08), so one comparison finds both.
//
// The last word of a string overlaps the one before it; strings of four to seven bytes are looked
// at as two overlapping halves.

namespace mq::wire {

namespace {

using Word = std::uint64_t;

constexpr Word every(Byte byte) {
  return Word{0x0101010101010101} * byte;
}

constexpr Word kTops = every(0x80);

Word load8(const Byte* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

Word load4(const Byte* from) {
  std::uint32_t half;
  std::memcpy(&half, from, sizeof half);
  return half;
}

Word non_text(Word word) {
  return ((word - every(1)) | word) & kTops;
}

Word non_topic(Word word) {
  const Word wildcards = (word | every(0x08)) ^ every('+');
  return ((word - every(1)) | word | (wildcards - every(1))) & kTops;
}

bool is_continuation(Byte byte) {
  return (byte & 0xC0U) == 0x80;
}

/// The length of the character of several bytes at the front of `text`; 0 when it is ill-formed.
std::size_t long_character(ByteView text) {
  const Byte lead = text[0];
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < size || !is_continuation(text[1])) return 0;
  if (size >= 3 && !is_continuation(text[2])) return 0;
  if (size == 4 && !is_continuation(text[3])) return 0;
  const Byte second = text[1];
  if (lead == 0xE0 && second < 0xA0) return 0;  // overlong
  if (lead == 0xED && second > 0x9F) return 0;  // surrogates
  if (lead == 0xF0 && second < 0x90) return 0;  // overlong
  if (lead == 0xF4 && second > 0x8F) return 0;  // above U+10FFFF
  return size;
}

/// lowest  the lowest code point that is allowed, 0 or 1
bool is_well_formed(ByteView text, Byte lowest) {
  while (!text.empty()) {
    if (text.size() >= 8 && non_text(load8(text.data())) == 0) {
      text = text.subspan(8);
    } else if (text[0] < 0x80) {
      if (text[0] < lowest) return false;
      text = text.subspan(1);
    } else {
      const std::size_t size = long_character(text);
      if (size == 0) return false;
      text = text.subspan(size);
    }
  }
  return true;
}

}  // namespace

bool is_utf8_string(ByteView text) {
  return is_well_formed(text, 1);
}

bool is_utf8(ByteView text) {
  return is_well_formed(text, 0);
}

bool is_plain_topic(ByteView text) {
  const Byte* at = text.data();
  const Byte* end = at + text.size();
  if (text.size() >= 8) {
    for (; end - at > 8; at += 8) {
      if (non_topic(load8(at)) != 0) return false;
    }
    return non_topic(load8(end - 8)) == 0;
  }
  if (text.size() >= 4) return non_topic(load4(at) | load4(end - 4) << 32U) == 0;
  for (; at != end; ++at) {
    if (*at == 0 || *at > 0x7F || *at == '+' || *at == '#') return false;
  }
  return true;
}

}  // namespace mq::wire

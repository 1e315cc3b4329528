#include "wire/utf8.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace mq::wire {

namespace {

/// A code point in as many bytes as asked for, whether or not that is allowed.
std::string spelled(std::uint32_t code_point, unsigned size) {
  if (size == 1) return std::string(1, static_cast<char>(code_point));
  std::string text;
  for (unsigned i = 0; i + 1 < size; ++i) {
    text.insert(text.begin(), static_cast<char>(0x80U | (code_point & 0x3FU)));
    code_point >>= 6U;
  }
  const unsigned marker = 0xFFU << (8U - size) & 0xFFU;
  text.insert(text.begin(), static_cast<char>(marker | code_point));
  return text;
}

unsigned shortest(std::uint32_t code_point) {
  return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
}

bool is_string(const std::string& text) {
  return is_utf8_string(bytes_of(text));
}

}  // namespace

TEST_CASE("every code point but U+0000 and the surrogates may stand in a string") {
  unsigned wrong = 0;
  for (std::uint32_t code_point = 1; code_point <= 0x10FFFF; ++code_point) {
    const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (is_string(spelled(code_point, shortest(code_point))) == is_surrogate) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("a character in more bytes than it needs is ill-formed") {
  unsigned taken = 0;
  for (std::uint32_t code_point = 0; code_point <= 0xFFFF; ++code_point) {
    for (unsigned size = shortest(code_point) + 1; size <= 4; ++size) {
      if (is_utf8(bytes_of(spelled(code_point, size)))) ++taken;
    }
  }
  CHECK(taken == 0);
}

TEST_CASE("nothing above U+10FFFF is a character") {
  CHECK(is_string(spelled(0x10FFFF, 4)));
  for (const std::uint32_t code_point : {0x110000U, 0x13FFFFU, 0x140000U, 0x1FFFFFU}) {
    CHECK_FALSE(is_string(spelled(code_point, 4)));
  }
}

TEST_CASE("a character cut short is ill-formed at every length and place") {
  for (const std::uint32_t code_point : {0xE9U, 0x20ACU, 0x1F3B2U}) {
    const std::string whole = spelled(code_point, shortest(code_point));
    for (std::size_t before = 0; before < 17; ++before) {
      const std::string start(before, 'a');
      CHECK(is_string(start + whole));
      for (std::size_t size = 1; size < whole.size(); ++size) {
        CHECK_FALSE(is_string(start + whole.substr(0, size)));
        CHECK_FALSE(is_string(start + whole.substr(0, size) + "aaaaaaaa"));
        CHECK_FALSE(is_string(start + whole.substr(size)));
      }
    }
  }
}

TEST_CASE("U+0000 may not stand in a string, but in a payload that is text") {
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      CHECK(is_string(text));
      text[at] = '\0';
      CHECK_FALSE(is_string(text));
      CHECK(is_utf8(bytes_of(text)));
    }
  }
  CHECK(is_string(""));
  CHECK(is_utf8({}));
}

TEST_CASE("U+FEFF is a character like any other") {
  CHECK(is_string("\xEF\xBB\xBF"));
  CHECK(is_string("a\xEF\xBB\xBF"));
}

TEST_CASE("a plain topic is one without U+0000, wildcards and bytes beyond ASCII") {
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(byte);
        const bool is_plain = byte > 0 && byte < 128 && byte != '+' && byte != '#';
        REQUIRE(is_plain_topic(bytes_of(text)) == is_plain);
      }
    }
  }
  CHECK(is_plain_topic({}));
}

}  // namespace mq::wire

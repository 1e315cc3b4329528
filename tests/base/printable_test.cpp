#include "base/printable.hpp"

#include <doctest/doctest.h>

using mq::as_word;
using mq::printable;
using mq::quoted;

TEST_CASE("text for people stays as it is, in every script") {
  CHECK(printable("james bond 007 \\o/") == "james bond 007 \\o/");
  CHECK(printable("naïve 日本語 🦟") == "naïve 日本語 🦟");
}

TEST_CASE(
    "control characters become \\xNN, so a name can neither end the line nor steer a terminal") {
  CHECK(printable("a\nb") == "a\\x0ab");
  CHECK(printable("\x1b[2J") == "\\x1b[2J");
  CHECK(printable("\x7f") == "\\x7f");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("the controls of Unicode are controls, too") {
  CHECK(printable("\u009b2J") == "\\xc2\\x9b2J");
  CHECK(printable("\u061c") == "\\xd8\\x9c");
  CHECK(printable("\u2028") == "\\xe2\\x80\\xa8");
  CHECK(printable("\u202e") == "\\xe2\\x80\\xae");
  CHECK(printable("\u2066") == "\\xe2\\x81\\xa6");
  CHECK(printable("\u00a0") == "\u00a0");
}

TEST_CASE("bytes that are not UTF-8 become \\xNN") {
  CHECK(printable("\xff\xfe") == "\\xff\\xfe");
  CHECK(printable("\xc3") == "\\xc3");
  CHECK(printable("\xe0\x80\x9b") == "\\xe0\\x80\\x9b");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

TEST_CASE("long text is cut between characters") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abcdef...");
  CHECK(printable("ab\u00e9", 3) == "ab...");
}

TEST_CASE("quoted text cannot end its quotes") {
  CHECK(quoted("a/b") == R"("a/b")");
  CHECK(quoted("a\"b\\\n") == R"("a\"b\\\x0a")");
  CHECK(quoted("abc", 2) == R"("ab"...)");
}

TEST_CASE("a name that is one word of ASCII stays as it is, any other is quoted") {
  CHECK(as_word("o'neill:(~!)\\\n") == "o'neill:(~!)\\\\x0a");
  CHECK(as_word("日本語") == "\"日本語\"");
  CHECK(as_word("james bond") == R"("james bond")");
  CHECK(as_word("james\"") == R"("james\"")");
  CHECK(as_word("") == R"("")");
  CHECK(as_word("abc d", 3) == "abc...");
  CHECK(as_word("a bcd", 3) == R"("a b"...)");
  for (const char* blank : {"\u00a0", "\u115f", "\u1680", "\u2003", "\u202f", "\u205f", "\u2800",
                            "\u3000", "\u3164", "\ufeff", "\uffa0"}) {
    CHECK(as_word(blank) == std::string("\"") + blank + "\"");
  }
}

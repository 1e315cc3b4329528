#include "support/notation.hpp"

#include <cstddef>

#include "base/check.hpp"

namespace mq::support {

namespace {

using Bytes = std::vector<Byte>;

Bytes with_variable_length(ByteView content) {
  Bytes all;
  std::size_t length = content.size();
  for (; length > 127; length /= 128) all.push_back(static_cast<Byte>(length % 128 + 128));
  all.push_back(static_cast<Byte>(length));
  all.insert(all.end(), content.begin(), content.end());
  return all;
}

class Parser {
 public:
  explicit Parser(std::string_view notation) : rest_(notation) {}

  /// Everything up to `closing`, or to the end of the notation when that is 0.
  Bytes parse(char closing) {
    Bytes all;
    for (char next = take(); next != closing; next = take()) {
      if (next == ' ') continue;
      const Bytes one = item(next);
      for (std::size_t times = repetitions(); times > 0; --times) {
        all.insert(all.end(), one.begin(), one.end());
      }
    }
    return all;
  }

 private:
  char take() {
    if (rest_.empty()) return 0;
    const char next = rest_.front();
    rest_.remove_prefix(1);
    return next;
  }

  Bytes item(char first) {
    if (first == '\'') return quoted();
    if (first == '{') return parse('}');
    if (first == '(') return with_two_byte_length(parse(')'));
    if (first == '[') return with_variable_length(parse(']'));
    const unsigned upper = digit(first);
    return {static_cast<Byte>(upper << 4U | digit(take()))};
  }

  Bytes quoted() {
    Bytes text;
    for (char next = take(); next != '\''; next = take()) {
      MQ_CHECK(next != 0);
      text.push_back(static_cast<Byte>(next));
    }
    return text;
  }

  std::size_t repetitions() {
    if (!rest_.starts_with('*')) return 1;
    rest_.remove_prefix(1);
    std::size_t count = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      count = count * 10 + static_cast<std::size_t>(take() - '0');
    }
    return count;
  }

  static unsigned digit(char character) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::size_t value = kDigits.find(character);
    MQ_CHECK(value != std::string_view::npos);
    return static_cast<unsigned>(value);
  }

  static Bytes with_two_byte_length(const Bytes& content) {
    Bytes all = {static_cast<Byte>(content.size() >> 8U), static_cast<Byte>(content.size())};
    all.insert(all.end(), content.begin(), content.end());
    return all;
  }

  std::string_view rest_;
};

}  // namespace

Bytes bytes(std::string_view notation) {
  return Parser(notation).parse(0);
}

Bytes framed(Byte first, ByteView body) {
  Bytes frame = with_variable_length(body);
  frame.insert(frame.begin(), first);
  return frame;
}

}  // namespace mq::support

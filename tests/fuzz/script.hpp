#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace mq::fuzz {

/// Reads the fuzzer's input as a script: numbers, choices and pieces of bytes. At the end of the
/// input there are zeros.
class Script {
 public:
  explicit Script(ByteView input) : rest_(input) {}

  bool is_over() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  bool flag() { return (byte() & 1U) != 0; }
  unsigned below(unsigned bound) { return byte() % bound; }
  std::uint16_t two_bytes() { return static_cast<std::uint16_t>(byte() << 8U | byte()); }
  ByteView bytes() {
    const auto size = std::min<std::size_t>(byte(), rest_.size());
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  template <class T, std::size_t N>
  T one_of(const T (&choices)[N]) {
    return choices[below(N)];
  }

 private:
  ByteView rest_;
};

}  // namespace mq::fuzz

#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace mq {

using Byte = std::uint8_t;
/// Bytes that somebody else owns.
using ByteView = std::span<const Byte>;

inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const Byte*>(text.data()), text.size()};
}

inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Copies `bytes` to where there is room for them. Returns the end of the copy.
inline Byte* copy_bytes(ByteView bytes, Byte* to) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace mq

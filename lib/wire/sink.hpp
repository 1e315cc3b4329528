#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/bytes.hpp"
#include "base/check.hpp"

/// What encode() writes to. A sink takes single bytes and runs of bytes; the rest is made of these.
/// A packet is written twice by the same code: to a sink that counts, for the length fields in
/// front, and to one that stores.
namespace mq::wire {

inline constexpr std::size_t kMaximumBodySize = 268'435'455;  ///< §1.5.5: what four bytes can say

class CountingSink {
 public:
  void byte(Byte) { ++size_; }
  void bytes(ByteView value) { size_ += value.size(); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

class MemorySink {
 public:
  explicit MemorySink(Byte* out) : out_(out) {}
  void byte(Byte value) { *out_++ = value; }
  void bytes(ByteView value) {
    if (value.empty()) return;
    std::memcpy(out_, value.data(), value.size());
    out_ += value.size();
  }
  Byte* end() const { return out_; }

 private:
  Byte* out_;
};

template <class Sink>
void put_two_bytes(Sink& sink, std::uint16_t value) {
  sink.byte(static_cast<Byte>(value >> 8U));
  sink.byte(static_cast<Byte>(value));
}

/// A value above kMaximumBodySize takes more bytes than a packet may have there.
template <class Sink>
void put_varint(Sink& sink, std::size_t value) {
  for (; value > 0x7F; value >>= 7U) sink.byte(static_cast<Byte>(value | 0x80U));  // [MQTT-1.5.5-1]
  sink.byte(static_cast<Byte>(value));
}

/// A string or binary data with its length in front.
template <class Sink>
void put_binary(Sink& sink, ByteView value) {
  MQ_CHECK(value.size() <= std::numeric_limits<std::uint16_t>::max());
  put_two_bytes(sink, static_cast<std::uint16_t>(value.size()));
  sink.bytes(value);
}

}  // namespace mq::wire

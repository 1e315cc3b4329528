#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/faults.hpp"
#include "wire/version.hpp"

namespace mq::wire {

/// What is wrong with a string, nullptr when nothing is: it must be UTF-8 without U+0000.
const Fault* text_fault(ByteView text);
/// The same for a topic name, which must have no wildcards.
const Fault* topic_fault(ByteView name);

/// Reads the fields of a packet one after the other. It keeps its first fault and answers zero or
/// nothing from then on, so whoever reads asks about faults once, at the end.
class Reader {
 public:
  explicit Reader(ByteView bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  /// Reads a fixed header: the first byte, and a length that must be that of what follows. 5.0
  /// alone demands that the length takes as few bytes as it can.
  Byte fixed_header(Version version) {
    const Byte first = byte();
    const std::uint32_t length = varint(version == Version::v5 ? Padding::no : Padding::yes);
    if (length != left()) fail(fault::kWrongLength);
    return first;
  }

  Byte byte() {
    const ByteView one = take(1);
    return one.empty() ? Byte{0} : one[0];
  }

  std::uint16_t two_bytes() {
    const ByteView two = take(2);
    return two.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(two[0] << 8U | two[1]);
  }

  std::uint32_t four_bytes() {
    const std::uint32_t upper = two_bytes();
    return upper << 16U | two_bytes();
  }

  enum class Padding : std::uint8_t { no, yes };
  /// A variable byte integer (MQTT 5.0 §1.5.5).
  std::uint32_t varint(Padding padding = Padding::no) {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      const Byte next = byte();
      value |= (next & 0x7FU) << shift;
      if (next < 0x80) {
        if (next == 0 && shift > 0 && padding == Padding::no) fail(fault::kPaddedInteger);
        return failed() ? 0 : value;
      }
    }
    fail(fault::kLongInteger);
    return 0;
  }

  ByteView take(std::size_t size) {
    if (left() < size) {
      fail(fault::kTruncated);
      return {};
    }
    at_ += size;
    return {at_ - size, size};
  }

  /// Everything that is left.
  ByteView rest() { return take(left()); }

  ByteView binary() { return take(two_bytes()); }

  /// A string, checked to be UTF-8 without U+0000.
  std::string_view text() {
    const ByteView bytes = binary();
    return passes(text_fault(bytes)) ? text_of(bytes) : std::string_view();
  }

  /// A string that is a topic name: text without wildcards; may be empty.
  std::string_view topic() {
    const ByteView bytes = binary();
    return passes(topic_fault(bytes)) ? text_of(bytes) : std::string_view();
  }

  std::uint16_t packet_id() {
    const std::uint16_t id = two_bytes();
    if (id == 0) fail(fault::kPacketIdZero);  // [MQTT-2.2.1-3]
    return id;
  }

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool at_end() const { return at_ == end_; }

  /// fault  must outlive the reader: one of the constants of faults.hpp
  void fail(const Fault& fault) {
    if (fault_ == nullptr) fault_ = &fault;
    at_ = end_;
  }
  void fail_unless(bool holds, const Fault& fault) {
    if (!holds) fail(fault);
  }
  /// Fails with `fault` unless it is nullptr.
  bool passes(const Fault* fault) {
    if (fault != nullptr) fail(*fault);
    return fault == nullptr;
  }
  bool failed() const { return fault_ != nullptr; }
  /// Only when it failed.
  const Fault& fault() const { return *fault_; }

 private:
  const Byte* at_;
  const Byte* end_;
  const Fault* fault_ = nullptr;
};

}  // namespace mq::wire

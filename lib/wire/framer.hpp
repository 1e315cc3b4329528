#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <utility>

#include "base/block.hpp"
#include "base/bytes.hpp"
#include "wire/fault.hpp"

namespace mq::wire {

inline constexpr std::size_t kMaximumPacketSize = 268'435'460;  ///< header included (§2.1.4)

/// The length of the frame that `bytes` starts with, its fixed header included.
///
/// Returns  nothing while the length field is incomplete
/// Fails    a length field of more than four bytes; a frame longer than `maximum_size`
/// Spec     MQTT 5.0 §1.5.5, §2.1.4 [MQTT-1.5.5-1]
std::expected<std::optional<std::size_t>, Fault> frame_length(ByteView bytes,
                                                              std::size_t maximum_size);

/// Cuts a stream of bytes into frames: the fixed header to the last byte of one packet.
/// Whole frames are yielded in place; only the start of an unfinished one is kept, and a Framer
/// between two frames owns no memory.
///
///     framer.feed(bytes);
///     while (auto frame = framer.next(maximum_size)) { … **frame … }
///
/// A frame longer than what is there is gathered in one block, into which the driver can read the
/// rest directly: see tail(). The block grows with what has come, so that nobody has much memory
/// set aside by saying that much will come.
class Framer {
 public:
  Framer() = default;
  Framer(const Framer&) = delete;
  Framer& operator=(const Framer&) = delete;
  Framer(Framer&&) = default;
  Framer& operator=(Framer&&) = default;
  ~Framer() = default;

  /// Hands over what was read. `bytes` must stay where they are until next() has said nothing.
  void feed(ByteView bytes);

  /// The next whole frame; nothing when what is left is unfinished and was put aside. A frame is
  /// valid until the next call of feed() or next() — in place, as long as the fed bytes are.
  ///
  /// maximum_size  frames above it fail before memory is set aside for them
  /// Fails         see frame_length(); the stream is of no use after that
  std::expected<std::optional<ByteView>, Fault> next(std::size_t maximum_size) {
    const bool is_fresh = !block_ && filled_ == 0;
    if (is_fresh && input_.empty()) return std::nullopt;
    if (is_fresh && input_.size() >= 2 && input_[1] < 0x80 &&
        input_[1] + 2U <= std::min(maximum_size, input_.size())) [[likely]] {
      const ByteView frame = input_.first(input_[1] + 2U);  // most are as short as that
      input_ = input_.subspan(frame.size());
      return frame;
    }
    return next_long(maximum_size);
  }

  /// What was fed and is not cut yet. The framer forgets it.
  ByteView take_rest() { return std::exchange(input_, {}); }

  /// The block that holds the frame that next() returned last, when it was gathered; else nothing.
  BlockRef block() const { return state() == State::yielded ? block_ : BlockRef(); }

  /// Where the rest of a long unfinished frame goes: read into its front, then call
  /// tail_filled(n) instead of feed(). Empty when there is no such frame, or when so little of it
  /// is missing, or set aside, that a read of its own would cost more than the copy.
  std::span<Byte> tail();
  void tail_filled(std::size_t size);

  /// The memory that is set aside for a frame, in bytes.
  std::size_t reserved() const { return block_ ? block_->size() : 0; }

  /// Whether a frame has begun and is not whole.
  bool is_mid_frame() const { return filled_ > 0; }

 private:
  enum class State : std::uint8_t { between, in_header, gathering, yielded };
  State state() const {
    if (!block_) return filled_ == 0 ? State::between : State::in_header;
    return filled_ == 0 ? State::yielded : State::gathering;
  }
  std::expected<std::optional<ByteView>, Fault> next_long(std::size_t maximum_size);
  std::expected<std::optional<ByteView>, Fault> gather(std::size_t maximum_size);
  std::optional<ByteView> fill();
  /// Sets memory aside for the start of a frame of that length, of which so much more has come.
  void start_block(std::size_t length, ByteView start, std::size_t coming);
  void grow(std::size_t coming);
  /// Of the frame that is being gathered.
  std::size_t length() const;

  ByteView input_;
  BlockRef block_;                ///< the frame being gathered, or yielded last
  std::uint32_t filled_ = 0;      ///< bytes in block_, or in header_ while there is no block
  std::array<Byte, 4> header_{};  ///< the start of a frame whose length is not known yet
};

}  // namespace mq::wire

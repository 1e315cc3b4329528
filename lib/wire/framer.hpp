#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <span>

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
///     while (auto frame = framer.next()) { … **frame … }
///
/// A frame longer than what is there is gathered in one block of its final size, into which the
/// driver can read the rest directly: see tail().
class Framer {
 public:
  /// Hands over what was read. `bytes` must stay where they are until next() has said nothing.
  void feed(ByteView bytes);

  /// The next whole frame; nothing when what is left is unfinished and was put aside. A frame is
  /// valid until the next call of feed() or next() — in place, as long as the fed bytes are.
  ///
  /// maximum_size  frames above it fail before memory is set aside for them
  /// Fails         see frame_length(); the stream is of no use after that
  std::expected<std::optional<ByteView>, Fault> next(std::size_t maximum_size);

  /// The block that holds the frame that next() returned last, when it was gathered; else nothing.
  BlockRef block() const { return finished_; }

  /// Where the rest of a long unfinished frame goes: read into its front, then call
  /// tail_filled(n) instead of feed(). Empty when there is no such frame.
  std::span<Byte> tail();
  void tail_filled(std::size_t size);

  /// Whether a frame has begun and is not whole.
  bool is_mid_frame() const { return partial_ != nullptr; }

 private:
  struct Partial;
  struct Free {
    void operator()(Partial* partial) const;
  };

  ByteView input_;
  std::unique_ptr<Partial, Free> partial_;
  BlockRef finished_;
};

}  // namespace mq::wire

#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "wire/fault.hpp"

namespace mq::wire {

/// What there is of a frame: all of it, or its first bytes, which have at least its fixed header.
struct FrameStart {
  ByteView bytes;
  std::size_t length = 0;  ///< of the whole frame, its fixed header included
};

inline constexpr std::size_t kMostSkimmed = 1024;

/// Cuts a stream of bytes into frames, as a Framer does, for somebody who wants to know what passes
/// and not what is in it: of a frame that comes in pieces no more than its first kMostSkimmed bytes
/// are kept. Between two frames it owns no memory.
class Skimmer {
 public:
  /// Hands over what passes. `bytes` must stay where they are until next() has said nothing.
  void feed(ByteView bytes);

  /// The next frame whose last byte has come; nothing when what is left is unfinished. It is valid
  /// until the next call of feed() or next().
  ///
  /// Fails  see frame_length(); the stream is of no use after that
  std::expected<std::optional<FrameStart>, Fault> next(std::size_t maximum_size);

 private:
  /// So many bytes of the input belong to the frame that has begun.
  void skim(std::size_t size);

  ByteView input_;
  std::vector<Byte> start_;  ///< of the frame that has begun, or that was yielded last
  std::size_t come_ = 0;     ///< of it; 0: none has begun
};

}  // namespace mq::wire

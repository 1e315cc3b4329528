#pragma once

#include <uv.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/bytes.hpp"

namespace mq::net {

/// The first pieces of a send queue, as one write takes them. What no piece
/// needs is not set: zeros for all would cost more than a small packet.
struct Buffers {
  static constexpr std::size_t kMost = 1024;

  std::array<uv_buf_t, kMost> pieces;
  unsigned count = 0;
  std::size_t size = 0;  ///< bytes in all

  /// queue  has for_first(count, use), which calls use(ByteView) for so many pieces at most
  template <class Queue>
  explicit Buffers(const Queue& queue) {
    queue.for_first(kMost, [this](ByteView piece) {
      auto* data = const_cast<char*>(reinterpret_cast<const char*>(piece.data()));
      pieces[count++] = uv_buf_init(data, static_cast<unsigned>(piece.size()));
      size += piece.size();
    });
  }

  /// Keeps so many bytes of them at most.
  void cut(std::size_t most) {
    if (size <= most) return;
    size = 0;
    for (count = 0; size < most; ++count) {
      uv_buf_t& piece = pieces[count];
      piece.len = std::min<std::size_t>(piece.len, most - size);
      size += piece.len;
    }
  }
};

}  // namespace mq::net

#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/block.hpp"
#include "base/bytes.hpp"
#include "base/ring.hpp"

namespace mq::client {

/// Bytes on their way to the transport: small packets copied one behind the other, large ones held
/// by reference. What gather() shows stays where it is until sent() or clear().
class SendQueue {
 public:
  /// Adds `size` bytes for the caller to fill at once.
  Byte* append(std::size_t size);
  /// Adds a part of a block without copying it.
  void append(BlockRef block, ByteView part);

  /// Calls use(ByteView) for the first pieces, `count` of them at most.
  template <class F>
  void for_first(std::size_t count, F use) const {
    count = std::min(count, pieces_.size());
    for (std::size_t i = 0; i < count; ++i) use(ByteView{pieces_[i].begin, pieces_[i].size});
  }
  /// Shows as many pieces from the front as fit. Returns how many those are.
  std::size_t gather(std::span<ByteView> pieces) const {
    std::size_t count = 0;
    for_first(pieces.size(), [&](ByteView piece) { pieces[count++] = piece; });
    return count;
  }
  /// The transport has taken so much from the front.
  void sent(std::size_t size);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();

 private:
  struct Piece {
    BlockRef block;
    const Byte* begin;
    std::size_t size;
  };

  Ring<Piece> pieces_;
  BlockRef tail_;  ///< the block that is being filled
  std::size_t tail_used_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mq::client

#include "broker/send_queue.hpp"

#include <algorithm>
#include <bit>

// Small frames for many connections are written one after the other in the turn's memory. So that
// those of one connection lie together and leave as one piece, a connection sets a stretch aside
// at its first frame of a turn, and twice as much whenever that is used up.

namespace mq::broker {
namespace {

constexpr std::size_t kPieceSize = 256U << 10U;
constexpr std::size_t kPiecesKept = 8;
constexpr std::size_t kFirstStretch = 128;
constexpr std::size_t kLongestStretch = 16U << 10U;
/// What is longer is shared with others to whom the same is owed.
constexpr std::size_t kShortPiece = 512;
constexpr std::size_t kLargestBlock = 16U << 10U;  // of short ones

/// Where one queue has copied short pieces, and may copy more.
class OwnBlock {
 public:
  OwnBlock() = default;
  /// end  of what is in use
  OwnBlock(BlockRef block, const Byte* end)
      : block_(std::move(block)), used_(static_cast<std::size_t>(end - block_->bytes())) {}

  const BlockRef& block() const { return block_; }
  /// Copies them to where there is room: behind the others, or else in a larger block.
  const Byte* put(ByteView bytes) {
    const std::size_t size = block_ ? block_->size() : 0;
    if (size - used_ < bytes.size()) {
      block_ = BlockRef::allocate(std::max(bytes.size(), std::min(2 * size, kLargestBlock)));
      used_ = 0;
    }
    Byte* copy = block_->bytes() + used_;
    std::ranges::copy(bytes, copy);
    used_ += bytes.size();
    return copy;
  }

 private:
  BlockRef block_;
  std::size_t used_ = 0;
};

}  // namespace

void TurnMemory::find_room(std::size_t size) {
  while (next_ < pieces_.size() && pieces_[next_].size < size) ++next_;
  if (next_ == pieces_.size()) {
    const auto length = std::max(size, kPieceSize);
    pieces_.push_back({std::make_unique_for_overwrite<Byte[]>(length), length});
  }
  const Piece& piece = pieces_[next_++];
  room_ = {piece.bytes.get(), piece.size};
}

void TurnMemory::reset() {
  if (pieces_.size() > kPiecesKept) pieces_.resize(kPiecesKept);
  std::erase_if(pieces_, [](const Piece& piece) { return piece.size > kPieceSize; });
  next_ = 0;
  room_ = {};
}

void SendQueue::append_piece(ByteView bytes) {
  pieces_.push_back({bytes.data(), static_cast<std::uint32_t>(bytes.size()), false, {}});
  ++borrowed_;
}

void SendQueue::append(ByteView bytes, const BlockRef& owner) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  pieces_.push_back({bytes.data(), static_cast<std::uint32_t>(bytes.size()), false, owner});
  if (borrowed_ > 0) ++borrowed_;
}

void SendQueue::set_aside(std::size_t size, TurnMemory& memory) {
  const auto stretch = std::clamp(bytes_, kFirstStretch, kLongestStretch);
  const auto room = memory.take(std::max(size, stretch));
  room_ = room.data();
  room_size_ = room.size();
}

void SendQueue::sent(std::size_t size) {
  bytes_ -= size;
  if (kept_.bytes() > 0) kept_.take_out(size);
  while (size > 0) {
    Piece& first = pieces_.front();
    if (size < first.size) {
      first.data += size;
      first.size -= static_cast<std::uint32_t>(size);
      return;
    }
    size -= first.size;
    pieces_.pop_front();
    borrowed_ = std::min(borrowed_, pieces_.size());
  }
  if (pieces_.empty()) pieces_.clear();
}

BlockRef Leftovers::copy_of(ByteView bytes) {
  BlockRef& copy = copies_[{bytes.data() + bytes.size(), std::bit_width(bytes.size())}];
  if (!copy || copy->size() < bytes.size()) {
    copy = BlockRef::allocate(bytes.size());
    std::ranges::copy(bytes, copy->bytes());
  }
  return copy;
}

void SendQueue::keep_borrowed(Leftovers& leftovers) {
  std::size_t kept = pieces_.size() - std::exchange(borrowed_, 0);
  const std::size_t end = pieces_.size();
  OwnBlock own;
  if (kept > 0 && pieces_[kept - 1].is_own) {
    const Piece& last = pieces_[kept - 1];
    own = OwnBlock(last.owner, last.data + last.size);
  }
  for (std::size_t i = kept; i < end; ++i) {
    Piece piece = std::move(pieces_[i]);
    const ByteView bytes(piece.data, piece.size);
    if (!piece.owner && piece.size >= kShortPiece) {
      piece.owner = leftovers.copy_of(bytes);
      piece.data = piece.owner->bytes() + piece.owner->size() - piece.size;
    } else if (!piece.owner) {
      piece = {own.put(bytes), piece.size, true, own.block()};
      if (kept > 0 && pieces_[kept - 1].data + pieces_[kept - 1].size == piece.data) {
        pieces_[kept - 1].size += piece.size;
        continue;
      }
    }
    pieces_[kept++] = std::move(piece);
  }
  while (pieces_.size() > kept) pieces_.pop_back();
}

}  // namespace mq::broker

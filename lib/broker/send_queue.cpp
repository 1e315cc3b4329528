#include "broker/send_queue.hpp"

#include <algorithm>

// Small frames for many connections are written one after the other in the turn's memory. So that
// those of one connection lie together and leave as one piece, a connection sets a stretch aside
// at its first frame of a turn, and twice as much whenever that is used up.

namespace mq::broker {
namespace {

constexpr std::size_t kPieceSize = 256U << 10U;
constexpr std::size_t kPiecesKept = 8;
constexpr std::size_t kFirstStretch = 128;
constexpr std::size_t kLongestStretch = 16U << 10U;

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
  pieces_.push_back({bytes.data(), bytes.size(), {}});
  ++borrowed_;
}

void SendQueue::append(ByteView bytes, const BlockRef& owner) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  pieces_.push_back({bytes.data(), bytes.size(), owner});
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
  while (size > 0) {
    Piece& first = pieces_.front();
    if (size < first.size) {
      first.data += size;
      first.size -= size;
      return;
    }
    size -= first.size;
    pieces_.pop_front();
    borrowed_ = std::min(borrowed_, pieces_.size());
  }
  if (pieces_.empty()) pieces_.clear();
}

void SendQueue::keep() {
  room_ = nullptr;
  room_size_ = 0;
  if (borrowed_ == 0) return;
  const std::size_t first = pieces_.size() - borrowed_;
  std::size_t size = 0;
  for (std::size_t i = first; i < pieces_.size(); ++i) {
    if (!pieces_[i].owner) size += pieces_[i].size;
  }
  const BlockRef block = BlockRef::allocate(size);
  Byte* out = block->bytes();
  for (std::size_t i = first; i < pieces_.size(); ++i) {
    Piece& piece = pieces_[i];
    if (piece.owner) continue;
    Byte* end = std::copy_n(piece.data, piece.size, out);
    piece.data = out;
    piece.owner = block;
    out = end;
  }
  borrowed_ = 0;
}

}  // namespace mq::broker

#include "client/send_queue.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace mq::client {

namespace {

constexpr std::size_t kBlockSize = 64U << 10U;

}  // namespace

Byte* SendQueue::append(std::size_t size) {
  if (!tail_ || tail_->size() - tail_used_ < size) {
    tail_ = BlockRef::allocate(std::max(kBlockSize, size));
    tail_used_ = 0;
  }
  Byte* start = tail_->bytes() + tail_used_;
  tail_used_ += size;
  size_ += size;
  if (!pieces_.empty() && pieces_.back().begin + pieces_.back().size == start) {
    pieces_.back().size += size;
  } else {
    pieces_.push_back({tail_, start, size});
  }
  return start;
}

void SendQueue::append(BlockRef block, ByteView part) {
  size_ += part.size();
  pieces_.push_back({std::move(block), part.data(), part.size()});
}

void SendQueue::sent(std::size_t size) {
  MQ_CHECK(size <= size_);
  size_ -= size;
  while (size > 0) {
    Piece& piece = pieces_.front();
    const std::size_t part = std::min(size, piece.size);
    piece.begin += part;
    piece.size -= part;
    size -= part;
    if (piece.size == 0) pieces_.pop_front();
  }
  if (size_ == 0) tail_used_ = 0;
}

void SendQueue::clear() {
  pieces_.clear();
  tail_ = BlockRef();
  tail_used_ = size_ = 0;
}

}  // namespace mq::client

#pragma once

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/block.hpp"
#include "base/bytes.hpp"
#include "base/ring.hpp"

namespace mq::broker {

/// A connection that has this much to send gets more of its session's queue when that is gone.
inline constexpr std::size_t kEnoughToSend = 256U << 10U;

/// Memory for what is written anew in one turn of the loop, for all connections together.
class TurnMemory {
 public:
  /// `size` bytes that stay until reset().
  std::span<Byte> take(std::size_t size) {
    if (room_.size() < size) find_room(size);
    const auto taken = room_.first(size);
    room_ = room_.subspan(size);
    return taken;
  }
  /// The turn is over: nobody refers to this memory any more.
  void reset();

 private:
  struct Piece {
    std::unique_ptr<Byte[]> bytes;
    std::size_t size;
  };

  void find_room(std::size_t size);

  std::vector<Piece> pieces_;
  std::size_t next_ = 0;    ///< the first piece of which nothing is taken
  std::span<Byte> room_{};  ///< what is left of the piece before it
};

/// What somebody has put in a sum of bytes; it is taken out again at its end.
class Counted {
 public:
  Counted() = default;
  Counted(Counted&& other) noexcept
      : sum_(std::exchange(other.sum_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Counted& operator=(Counted&& other) noexcept {
    std::swap(sum_, other.sum_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Counted() { take_out(bytes_); }

  std::size_t bytes() const { return bytes_; }
  void put(std::size_t bytes, std::size_t& sum) {
    take_out(bytes_);
    sum_ = &sum;
    bytes_ = bytes;
    sum += bytes;
  }
  /// So many of them at most.
  void take_out(std::size_t bytes) {
    bytes = std::min(bytes, bytes_);
    if (bytes == 0) return;
    *sum_ -= bytes;
    bytes_ -= bytes;
  }

 private:
  std::size_t* sum_ = nullptr;
  std::size_t bytes_ = 0;
};

/// What outlives a turn of the memory that is the turn's. Many who could not take the same bytes
/// share one copy. Outlives the queues that it is for.
class Leftovers {
 public:
  Leftovers() = default;
  Leftovers(const Leftovers&) = delete;
  Leftovers& operator=(const Leftovers&) = delete;

  /// How much is counted now: what queues have kept, and not sent since, and what others had.
  std::size_t bytes() const { return bytes_; }
  void count(Counted& one, std::size_t bytes) { one.put(bytes, bytes_); }
  /// A copy that ends as `bytes` do. It may begin before them, as others have taken less, but is
  /// less than twice as long: nobody is to keep alive much that he does not need.
  BlockRef copy_of(ByteView bytes);
  /// The turn is over: its memory will hold something else.
  void reset() {
    if (!copies_.empty()) copies_.clear();
  }

 private:
  using Key = std::pair<const Byte*, int>;  ///< the end, and how many bits the length has

  absl::flat_hash_map<Key, BlockRef> copies_;
  std::size_t bytes_ = 0;
};

/// What one connection has yet to send: references to memory, in order.
///
/// Within a turn the memory may be the read buffer or the turn's own; keep() copies what the
/// socket has not taken before that memory is used again. An empty queue owns nothing.
class SendQueue {
 public:
  /// Appends bytes that stay where they are until the end of the turn.
  void append(ByteView bytes) {
    if (bytes.empty()) return;
    bytes_ += bytes.size();
    if (borrowed_ > 0) {
      Piece& last = pieces_.back();
      if (!last.owner && last.data + last.size == bytes.data()) {
        last.size += static_cast<std::uint32_t>(bytes.size());
        return;
      }
    }
    append_piece(bytes);
  }
  /// Appends bytes of a block that the queue keeps alive.
  void append(ByteView bytes, const BlockRef& owner);
  /// Room for at most `size` bytes to be written at once; append_written() says how many it was.
  Byte* reserve(std::size_t size, TurnMemory& memory) {
    if (room_size_ < size) set_aside(size, memory);
    return room_;
  }
  void append_written(std::size_t size) {
    append({room_, size});
    room_ += size;
    room_size_ -= size;
  }

  bool empty() const { return bytes_ == 0; }
  /// Bytes not sent yet.
  std::size_t size() const { return bytes_; }
  /// Those among them that a turn has ended with.
  std::size_t kept() const { return kept_.bytes(); }

  /// Calls use(ByteView) for the first pieces, `count` of them at most.
  template <class F>
  void for_first(std::size_t count, F use) const {
    count = std::min(count, pieces_.size());
    for (std::size_t i = 0; i < count; ++i) use(ByteView{pieces_[i].data, pieces_[i].size});
  }
  /// Fills `out` with the first pieces. Returns how many.
  std::size_t gather(std::span<ByteView> out) const {
    std::size_t count = 0;
    for_first(out.size(), [&](ByteView piece) { out[count++] = piece; });
    return count;
  }
  /// The first `size` bytes are sent.
  void sent(std::size_t size);
  /// The turn ends: what is left is moved to memory that stays.
  void keep(Leftovers& leftovers) {
    room_ = nullptr;
    room_size_ = 0;
    if (borrowed_ > 0) keep_borrowed(leftovers);
    if (bytes_ != kept_.bytes()) leftovers.count(kept_, bytes_);
  }

 private:
  struct Piece {
    const Byte* data;
    std::uint32_t size;
    bool is_own;     ///< in a block of this queue alone, which may write behind its last piece
    BlockRef owner;  ///< none: memory of the turn
  };

  void append_piece(ByteView bytes);
  void keep_borrowed(Leftovers& leftovers);
  void set_aside(std::size_t size, TurnMemory& memory);

  Ring<Piece> pieces_;
  std::size_t bytes_ = 0;
  std::size_t borrowed_ = 0;  ///< how many pieces at the back may be the turn's
  Counted kept_;
  Byte* room_ = nullptr;  ///< turn memory set aside for this connection
  std::size_t room_size_ = 0;
};

}  // namespace mq::broker

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.hpp"

namespace mq::net {

/// The memory that a turn of the loop reads into. What was read stays until reset().
class ReadPool {
 public:
  /// Room for the next read: what is left of the current piece, or another piece.
  std::span<Byte> room() {
    if (pieces_.empty() || kPieceSize - used_ < kSmallestRead) {
      if (!pieces_.empty()) ++current_;
      used_ = 0;
    }
    if (current_ == pieces_.size()) {
      pieces_.push_back(std::make_unique_for_overwrite<Byte[]>(kPieceSize));
    }
    return {pieces_[current_].get() + used_, kPieceSize - used_};
  }
  /// The first `size` bytes of room() hold something now.
  void use(std::size_t size) { used_ += size; }

  /// So much is in use that the turn should end before more is read.
  bool is_full() const { return current_ + 1 >= kPieces && kPieceSize - used_ < kSmallestRead; }

  void reset() { current_ = used_ = 0; }

 private:
  static constexpr std::size_t kPieceSize = 256U << 10U;
  static constexpr std::size_t kSmallestRead = 64U << 10U;
  static constexpr std::size_t kPieces = 8;

  std::vector<std::unique_ptr<Byte[]>> pieces_;
  std::size_t current_ = 0;
  std::size_t used_ = 0;
};

}  // namespace mq::net

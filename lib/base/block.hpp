#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.hpp"

namespace mq {

/// Memory that several owners of one thread share: one allocation, a plain (not atomic) count.
/// What is in use of it stays as it is once a second owner exists.
class Block {
 public:
  Byte* bytes() { return reinterpret_cast<Byte*>(this + 1); }
  const Byte* bytes() const { return reinterpret_cast<const Byte*>(this + 1); }
  std::size_t size() const { return size_; }

 private:
  friend class BlockRef;
  explicit Block(std::uint32_t size) : size_(size) {}

  std::uint32_t size_;
  std::uint32_t owners_ = 1;
};

/// An owner of a Block; the last one frees it.
class BlockRef {
 public:
  BlockRef() = default;
  BlockRef(const BlockRef& other) : block_(other.block_) {
    if (block_ != nullptr) ++block_->owners_;
  }
  BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockRef() {
    if (block_ != nullptr && --block_->owners_ == 0) destroy(block_);
  }

  /// A block of `size` bytes, less than 4 GiB, whose content is not set yet.
  [[nodiscard]] static BlockRef allocate(std::size_t size);

  explicit operator bool() const { return block_ != nullptr; }
  Block* operator->() const { return block_; }
  Block& operator*() const { return *block_; }

 private:
  explicit BlockRef(Block* block) : block_(block) {}
  static void destroy(Block* block);

  Block* block_ = nullptr;
};

}  // namespace mq

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "base/check.hpp"

namespace mq {

/// A queue in one piece of memory, addressed by position. Grows by doubling; an empty one that has
/// been released, or never used, owns nothing. There are many: it counts in 32 bits.
template <class T>
class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  Ring(Ring&& other) noexcept
      : slots_(std::exchange(other.slots_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)),
        head_(std::exchange(other.head_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  Ring& operator=(Ring&& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(capacity_, other.capacity_);
    std::swap(head_, other.head_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Ring() { clear(); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// position  0 is the front
  T& operator[](std::size_t position) { return slots_[index(position)]; }
  const T& operator[](std::size_t position) const { return slots_[index(position)]; }
  T& front() { return slots_[head_]; }
  const T& front() const { return slots_[head_]; }
  T& back() { return (*this)[size_ - 1U]; }

  T& push_back(T value) {
    if (size_ == capacity_) grow();
    T* slot = ::new (static_cast<void*>(slots_ + index(size_))) T(std::move(value));
    ++size_;
    return *slot;
  }

  void pop_front() {
    MQ_CHECK(size_ > 0);
    std::destroy_at(slots_ + head_);
    head_ = (head_ + 1U) & (capacity_ - 1U);
    --size_;
  }

  void pop_back() {
    MQ_CHECK(size_ > 0);
    std::destroy_at(&back());
    --size_;
  }

  /// Empties it and gives its memory back.
  void clear() {
    while (!empty()) pop_front();
    if (slots_ != nullptr) Allocator().deallocate(slots_, capacity_);
    slots_ = nullptr;
    capacity_ = head_ = 0;
  }

 private:
  using Allocator = std::allocator<T>;

  std::size_t index(std::size_t position) const { return (head_ + position) & (capacity_ - 1U); }

  [[gnu::noinline]] void grow() {
    MQ_CHECK(capacity_ <= UINT32_MAX / 2);
    const std::uint32_t wider = capacity_ == 0 ? 4U : capacity_ * 2;
    T* slots = Allocator().allocate(wider);
    for (std::size_t i = 0; i < size_; ++i) {
      ::new (static_cast<void*>(slots + i)) T(std::move((*this)[i]));
      std::destroy_at(slots_ + index(i));
    }
    if (slots_ != nullptr) Allocator().deallocate(slots_, capacity_);
    slots_ = slots;
    capacity_ = wider;
    head_ = 0;
  }

  T* slots_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace mq

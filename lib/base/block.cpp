#include "base/block.hpp"

#include <sanitizer/asan_interface.h>

#include <array>
#include <new>
#include <utility>

#include "base/check.hpp"

// A broker makes a block for a message and drops it some microseconds later, again and again; with
// malloc alone that is a sixth of all the work there is for the message. So small blocks that were
// dropped are kept, as far as there is room for them, and used again.

namespace mq {
namespace {

// As glibc's malloc rounds up, so that it takes no more memory.
constexpr std::size_t kStep = 16;
constexpr std::size_t kOverhead = 8;

constexpr std::size_t kClasses = 40;
constexpr std::size_t kRoom = 256U << 10U;

constexpr std::size_t class_of(std::size_t size) {
  return (size + kOverhead + kStep - 1) / kStep;
}
constexpr std::size_t size_of_class(std::size_t number) {
  return number * kStep - kOverhead;
}

/// The memory of blocks that were dropped, by class.
class Shelf {
 public:
  Shelf() = default;
  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;
  ~Shelf() {
    for (Item*& first : first_) {
      while (first != nullptr) ::operator delete(std::exchange(first, first->next));
    }
  }

  void* take(std::size_t size) {
    const std::size_t number = class_of(size);
    if (number >= kClasses) return ::operator new(size);
    if (first_[number] == nullptr) return ::operator new(size_of_class(number));
    room_ += size_of_class(number);
    Item*& first = first_[number];
    void* memory = std::exchange(first, first->next);
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    return memory;
  }
  void put(void* memory, std::size_t size) {
    const std::size_t number = class_of(size);
    if (number >= kClasses || room_ < size_of_class(number)) return ::operator delete(memory);
    room_ -= size_of_class(number);
    Item*& first = first_[number];
    first = new (memory) Item{first};
    ASAN_POISON_MEMORY_REGION(first + 1, size_of_class(number) - sizeof(Item));
  }

 private:
  struct Item {
    Item* next;
  };

  std::array<Item*, kClasses> first_{};
  std::size_t room_ = kRoom;
};

thread_local Shelf shelf;

}  // namespace

BlockRef BlockRef::allocate(std::size_t size) {
  MQ_CHECK(size <= UINT32_MAX);
  void* memory = shelf.take(sizeof(Block) + size);
  return BlockRef(new (memory) Block(static_cast<std::uint32_t>(size)));
}

void BlockRef::destroy(Block* block) {
  shelf.put(block, sizeof(Block) + block->size());
}

}  // namespace mq

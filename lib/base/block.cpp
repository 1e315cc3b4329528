#include "base/block.hpp"

#include <new>

#include "base/check.hpp"

namespace mq {

BlockRef BlockRef::allocate(std::size_t size) {
  MQ_CHECK(size <= UINT32_MAX);
  return BlockRef(new (::operator new(sizeof(Block) + size))
                      Block(static_cast<std::uint32_t>(size)));
}

void BlockRef::destroy(Block* block) {
  ::operator delete(block);
}

}  // namespace mq

#include "base/block.hpp"

#include <new>

namespace mq {

BlockRef BlockRef::allocate(std::size_t size) {
  return BlockRef(new (::operator new(sizeof(Block) + size)) Block(size));
}

void BlockRef::destroy(Block* block) {
  ::operator delete(block);
}

}  // namespace mq

#include "base/block.hpp"

#include <doctest/doctest.h>

#include <cstring>

namespace mq {

TEST_CASE("a block has the size that was asked for, all of it to be written") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}}) {
    const BlockRef block = BlockRef::allocate(size);
    REQUIRE(block);
    CHECK(block->size() == size);
    std::memset(block->bytes(), 0xAB, size);
    if (size > 0) CHECK(block->bytes()[size - 1] == 0xAB);
  }
}

TEST_CASE("owners share one block, which stays while one of them is left") {
  BlockRef last;
  {
    const BlockRef first = BlockRef::allocate(8);
    first->bytes()[0] = 42;
    BlockRef second = first;
    CHECK(second->bytes() == first->bytes());
    last = second;
    second = BlockRef();
    CHECK_FALSE(second);
  }
  CHECK(last->bytes()[0] == 42);
}

TEST_CASE("moving an owner leaves none behind") {
  BlockRef from = BlockRef::allocate(8);
  const Byte* bytes = from->bytes();
  BlockRef to = std::move(from);
  CHECK_FALSE(from);
  CHECK(to->bytes() == bytes);
  from = std::move(to);
  CHECK_FALSE(to);
  CHECK(from->bytes() == bytes);
}

TEST_CASE("an owner can be given to itself") {
  BlockRef block = BlockRef::allocate(8);
  block->bytes()[0] = 1;
  const BlockRef& same = block;
  block = same;
  REQUIRE(block);
  CHECK(block->bytes()[0] == 1);
}

TEST_CASE("no owner owns nothing, and copies of it neither") {
  const BlockRef none;
  CHECK_FALSE(none);
  const BlockRef copy = none;
  CHECK_FALSE(copy);
}

}  // namespace mq

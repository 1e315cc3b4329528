#include "base/block.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

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

TEST_CASE("Blocks that live at once share no memory, however many were dropped before") {
  const auto filled = [](std::size_t count) {
    std::vector<BlockRef> blocks;
    for (std::size_t i = 0; i < count; ++i) {
      blocks.push_back(BlockRef::allocate(i % 700));
      std::memset(blocks.back()->bytes(), static_cast<int>(i % 251), i % 700);
    }
    return blocks;
  };
  for (const std::size_t count : {10, 3000, 500}) {
    const auto blocks = filled(count);
    for (std::size_t i = 0; i < count; ++i) {
      const ByteView bytes(blocks[i]->bytes(), blocks[i]->size());
      REQUIRE(bytes.size() == i % 700);
      CHECK(std::ranges::count(bytes, static_cast<Byte>(i % 251)) ==
            static_cast<std::ptrdiff_t>(i % 700));
    }
  }
}

}  // namespace mq

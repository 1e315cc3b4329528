#include <doctest/doctest.h>

#include <array>
#include <string>

#include "client/backoff.hpp"
#include "client/send_queue.hpp"

using namespace mq;
using namespace mq::client;

namespace {

void put(SendQueue& queue, std::string_view text) {
  std::copy(text.begin(), text.end(), queue.append(text.size()));
}

std::string shown(const SendQueue& queue) {
  std::array<ByteView, 8> pieces;
  std::string all;
  for (std::size_t i = 0; i < queue.gather(pieces); ++i) {
    all += (i == 0 ? "" : "|") + std::string(text_of(pieces[i]));
  }
  return all;
}

}  // namespace

TEST_CASE("a send queue joins what is copied and keeps large parts where they are") {
  SendQueue queue;
  put(queue, "one");
  put(queue, "two");
  BlockRef block = BlockRef::allocate(3);
  std::copy_n("BIG", 3, block->bytes());
  queue.append(block, {block->bytes(), 3});
  put(queue, "three");
  CHECK(shown(queue) == "onetwo|BIG|three");
  CHECK(queue.size() == 14);
  queue.sent(4);
  CHECK(shown(queue) == "wo|BIG|three");
  queue.sent(5);
  CHECK(shown(queue) == "three");
  queue.sent(5);
  CHECK(queue.empty());
  put(queue, "again");
  CHECK(shown(queue) == "again");
  queue.clear();
  CHECK(shown(queue).empty());
}

TEST_CASE("what a send queue shows stays where it is while more is added") {
  SendQueue queue;
  put(queue, "first");
  std::array<ByteView, 1> before;
  queue.gather(before);
  for (int i = 0; i < 100'000; ++i) put(queue, "more");
  CHECK(text_of(before[0]) == "first");
  std::array<ByteView, 1> after;
  queue.gather(after);
  CHECK(after[0].data() == before[0].data());
}

TEST_CASE("back-off doubles up to its maximum, with half of it left to chance") {
  Prng prng(7);
  Backoff backoff(Millis(100), Millis(1000));
  bool has_varied = false;
  for (const int whole : {100, 200, 400, 800, 1000, 1000}) {
    const Millis wait = backoff.next(prng);
    CHECK(wait >= Millis(whole / 2));
    CHECK(wait <= Millis(whole));
    if (wait != Millis(whole)) has_varied = true;
  }
  CHECK(has_varied);
  backoff.reset();
  CHECK(backoff.next(prng) <= Millis(100));
}

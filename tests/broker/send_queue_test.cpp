#include "broker/send_queue.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace mq;
using namespace mq::broker;

namespace {

/// All that is to be sent.
std::string content(const SendQueue& queue) {
  std::string text;
  queue.for_first(SIZE_MAX, [&](ByteView piece) { text += text_of(piece); });
  CHECK(text.size() == queue.size());
  return text;
}

std::size_t pieces(const SendQueue& queue) {
  std::size_t count = 0;
  queue.for_first(SIZE_MAX, [&](ByteView) { ++count; });
  return count;
}

const Byte* first_byte(const SendQueue& queue) {
  const Byte* first = nullptr;
  queue.for_first(1, [&](ByteView piece) { first = piece.data(); });
  return first;
}

/// A turn, at the end of which its memory is used for something else.
class Turn {
 public:
  Turn(Leftovers& leftovers, std::string_view text) : leftovers_(leftovers), memory_(text) {}
  ByteView bytes() const { return bytes_of(memory_); }
  template <class... Queues>
  void end(Queues&... queues) {
    (queues.keep(leftovers_), ...);
    leftovers_.reset();
    std::ranges::fill(memory_, '!');
  }

 private:
  Leftovers& leftovers_;
  std::string memory_;
};

std::string numbered(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i % 251);
  return text;
}

}  // namespace

TEST_CASE("many who could not take the same bytes share a copy") {
  const std::string text = numbered(5000);
  Leftovers leftovers;
  std::array<SendQueue, 3> queues;
  Turn turn(leftovers, text);
  for (auto& queue : queues) queue.append(turn.bytes());
  queues[1].sent(100);
  turn.end(queues[0], queues[1], queues[2]);
  CHECK(first_byte(queues[0]) == first_byte(queues[2]));
  CHECK(first_byte(queues[0]) + 100 == first_byte(queues[1]));
  CHECK(content(queues[0]) == text);
  CHECK(content(queues[1]) == text.substr(100));

  SUBCASE("until the last of them has had it") {
    queues[0].sent(5000);
    queues[1].sent(4900);
    CHECK(content(queues[2]) == text);
  }
  SUBCASE("but not beyond the turn, when its memory holds something else") {
    SendQueue another;
    another.append(turn.bytes());
    turn.end(another);
    CHECK(content(another) == std::string(5000, '!'));
    CHECK(content(queues[0]) == text);
  }
}

TEST_CASE("who has taken less first has his share, too") {
  const std::string text = numbered(5000);
  Leftovers leftovers;
  SendQueue first;
  SendQueue second;
  Turn turn(leftovers, text);
  first.append(turn.bytes().subspan(100));
  second.append(turn.bytes());
  turn.end(first, second);
  CHECK(content(first) == text.substr(100));
  CHECK(content(second) == text);
}

TEST_CASE("nobody keeps much alive that he does not need") {
  const std::string text = numbered(100'000);
  Leftovers leftovers;
  SendQueue all;
  SendQueue end;
  Turn turn(leftovers, text);
  all.append(turn.bytes());
  end.append(turn.bytes().last(1000));
  turn.end(all, end);
  const Byte* begin = first_byte(all);
  CHECK((first_byte(end) < begin || first_byte(end) >= begin + 100'000));
  CHECK(content(end) == text.substr(99'000));
  CHECK(content(all) == text);
}

TEST_CASE("what is not taken little by little lies in few pieces, one behind the other") {
  Leftovers leftovers;
  SendQueue queue;
  std::string text;
  for (int i = 0; i < 10'000; ++i) {
    const std::string word = "m" + std::to_string(i);
    Turn turn(leftovers, word);
    queue.append(turn.bytes());
    turn.end(queue);
    text += word;
  }
  CHECK(content(queue) == text);
  CHECK(pieces(queue) < 20);

  SUBCASE("also while it leaves") {
    for (int i = 0; i < 1000; ++i) {
      queue.sent(7);
      text.erase(0, 7);
      Turn turn(leftovers, "and");
      queue.append(turn.bytes());
      turn.end(queue);
      text += "and";
    }
    CHECK(content(queue) == text);
    CHECK(pieces(queue) < 20);
  }
}

TEST_CASE("short and long pieces, borrowed and owned ones keep their order") {
  Leftovers leftovers;
  SendQueue queue;
  std::string text;
  for (int i = 0; i < 100; ++i) {
    const std::string word = std::to_string(i);
    const std::string middle = numbered(600);
    const auto block = BlockRef::allocate(word.size());
    std::ranges::copy(bytes_of(word), block->bytes());
    Turn head(leftovers, word);
    Turn body(leftovers, middle);
    Turn tail(leftovers, word);
    queue.append(head.bytes());
    queue.append({block->bytes(), block->size()}, block);
    queue.append(body.bytes());
    if (i % 3 == 0) queue.append({block->bytes(), block->size()}, block);
    queue.append(tail.bytes());
    head.end(queue);
    body.end();
    tail.end();
    text += word + word + middle + (i % 3 == 0 ? word : "") + word;
    const auto size = static_cast<std::size_t>(i);
    queue.sent(size);
    text.erase(0, size);
    REQUIRE(content(queue) == text);
  }
}

TEST_CASE("what is left of a turn is counted until it is sent, or nobody waits for it") {
  Leftovers leftovers;
  SendQueue first;
  Turn turn(leftovers, numbered(1000));
  first.append(turn.bytes());
  CHECK(first.kept() == 0);
  first.sent(100);
  turn.end(first);
  CHECK(first.kept() == 900);
  {
    SendQueue second;
    second.append(turn.bytes());
    turn.end(second);
    CHECK(leftovers.bytes() == 1900);
    first.append(turn.bytes());
    CHECK(first.kept() == 900);
    first.sent(300);
    CHECK(first.kept() == 600);
    CHECK(leftovers.bytes() == 1600);
    const SendQueue rest = std::move(second);
    CHECK(leftovers.bytes() == 1600);
  }
  CHECK(leftovers.bytes() == 600);
  first.sent(1600);
  CHECK(leftovers.bytes() == 0);
  turn.end(first);
  CHECK(first.kept() == 0);
}

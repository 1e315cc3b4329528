#include "net/stacked.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "net/socks5.hpp"

using namespace mq;
using namespace mq::net;
using State = Filter::State;

namespace {

using namespace std::literals;

std::string output_of(Filter& filter) {
  std::vector<Byte> out;
  filter.take_output(out);
  return std::string(text_of(out));
}

std::string heard(Filter& filter) {
  std::array<Byte, 100> room;
  return std::string(text_of(std::span(room).first(filter.read(room))));
}

void say(Filter& filter, std::string_view bytes) {
  for (const char& byte : bytes) filter.on_received(bytes_of({&byte, 1}));
}

/// Puts its name before what is written and says goodbye with it; a dot ends what it reads.
class Named final : public Filter {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}

  void on_received(ByteView bytes) override { in_ += text_of(bytes); }
  std::size_t read(std::span<Byte> room) override {
    if (in_.starts_with('.')) state_ = State::closed;
    const std::size_t size = std::min(in_.find('.'), std::min(in_.size(), room.size()));
    std::copy_n(in_.begin(), size, room.begin());
    in_.erase(0, size);
    return size;
  }
  void write(ByteView bytes) override {
    if (!bytes.empty()) out_ += name_ + std::string(text_of(bytes));
  }
  void close() override { out_ += name_ + "bye"; }
  void take_output(std::vector<Byte>& out) override {
    out.insert(out.end(), out_.begin(), out_.end());
    out_.clear();
  }
  bool has_output() const override { return !out_.empty(); }
  State state() const override { return state_; }
  const std::string& trouble() const override { return name_; }
  std::optional<std::string> user_name() const override {
    return name_.empty() ? std::nullopt : std::optional(name_);
  }

 private:
  std::string name_, in_, out_;
  State state_ = State::open;
};

MakeFilter named(std::string name) {
  return [name] { return std::make_unique<Named>(name); };
}

}  // namespace

TEST_CASE("a filter behind another speaks when that one is open") {
  const client::Endpoint first{.host = "one", .port = 1, .unix_path = {}};
  const client::Endpoint second{.host = "two", .port = 2, .unix_path = {}};
  const auto through = [](const client::Endpoint& to) {
    return [to] { return std::make_unique<Socks5>(client::Proxy{.host = "p"}, to); };
  };
  const auto stack = stacked(through(first), through(second))();
  CHECK(output_of(*stack) == "\x05\x01\x00"sv);
  say(*stack, "\x05\x00"sv);
  CHECK(output_of(*stack).contains("one"));
  say(*stack, "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"sv);
  CHECK(stack->state() == State::opening);
  CHECK(output_of(*stack) == "\x05\x01\x00"sv);
  say(*stack, "\x05\x00"sv);
  CHECK(output_of(*stack).contains("two"));
  say(*stack,
      "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
      "hello"sv);
  CHECK(stack->state() == State::open);
  CHECK(heard(*stack) == "hello");
}

TEST_CASE("what came before the goodbye of the outer filter is read first") {
  const auto stack = stacked(named("o"), named("i"))();
  stack->on_received(bytes_of("last words."));
  CHECK(stack->state() == State::open);
  CHECK(heard(*stack) == "last words");
  CHECK(heard(*stack).empty());
  CHECK(stack->state() == State::closed);
}

TEST_CASE("the inner filter says goodbye before the outer one") {
  const auto stack = stacked(named("o"), named("i"))();
  CHECK_FALSE(stack->has_output());
  stack->write(bytes_of("x"));
  stack->close();
  CHECK(stack->has_output());
  CHECK(output_of(*stack) == "oixibyeobye");
  CHECK_FALSE(stack->has_output());
}

TEST_CASE("either filter of two may know who the peer is") {
  CHECK(stacked(named("o"), named("i"))()->user_name() == "o");
  CHECK(stacked(named(""), named("i"))()->user_name() == "i");
}

TEST_CASE("a filter alone is not stacked") {
  CHECK(stacked(named("o"), {})()->trouble() == "o");
  CHECK(stacked({}, named("i"))()->trouble() == "i");
  CHECK_FALSE(stacked({}, {}));
}

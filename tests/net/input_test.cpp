#include "net/input.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <utility>

#include "loopback.hpp"
#include "net/signals.hpp"

using namespace mq;
using namespace mq::net;

namespace {

/// Wants so many bytes, then nothing more.
class Sink final : public client::InputSink {
 public:
  explicit Sink(std::size_t wanted) : wanted_(wanted) {}
  bool wants_input() const override { return text.size() < wanted_ && !is_ended; }
  void on_input(ByteView bytes, Now) override { text += text_of(bytes); }
  void on_input_end(Now) override { is_ended = true; }
  void on_input_failed(std::string_view what, Now) override { words = what; }

  std::string text;
  std::string words;  ///< why it could not be read
  bool is_ended = false;

 private:
  std::size_t wanted_;
};

struct Pipe {
  Pipe() { REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0); }
  ~Pipe() {
    close(ends[0]);
    close_input();
  }
  void put(std::string_view text) const {
    REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void close_input() {
    if (ends[1] >= 0) close(std::exchange(ends[1], -1));
  }
  std::array<int, 2> ends{};
};

}  // namespace

TEST_CASE("a pipe is read to its end, and given back in the mode that it had") {
  Pipe pipe;
  pipe.put("hello");
  pipe.close_input();
  const int mode = fcntl(pipe.ends[0], F_GETFL);
  Sink sink(1000);
  {
    Loop loop;
    const Input input(loop, pipe.ends[0], sink);
    loop.run();
  }
  CHECK(sink.text == "hello");
  CHECK(sink.is_ended);
  CHECK(fcntl(pipe.ends[0], F_GETFL) == mode);
}

TEST_CASE("what cannot be read is not taken for the end") {
  const int directory = open("/", O_RDONLY | O_CLOEXEC);
  REQUIRE(directory >= 0);
  Sink sink(1000);
  {
    Loop loop;
    const Input input(loop, directory, sink);
    loop.run();
  }
  CHECK(sink.words == "Is a directory");
  CHECK_FALSE(sink.is_ended);
  close(directory);
}

TEST_CASE("what the sink does not want stays in the pipe") {
  Pipe pipe;
  pipe.put("hello");
  Sink sink(0);
  {
    Loop loop;
    const Input input(loop, pipe.ends[0], sink);
    loop.run();
  }
  CHECK(sink.text.empty());
  std::array<char, 10> rest{};
  CHECK(read(pipe.ends[0], rest.data(), rest.size()) == 5);
}

TEST_CASE("a file is read to its end, a piece a turn") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "file";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(file >= 0);
  const std::string content(1'000'000, 'x');
  REQUIRE(write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  lseek(file, 0, SEEK_SET);
  Sink sink(300'000);
  {
    Loop loop;
    const Input input(loop, file, sink);
    loop.run();
  }
  CHECK(sink.text.size() >= 300'000);
  CHECK(sink.text.size() < content.size());
  CHECK_FALSE(sink.is_ended);
  Sink rest(10'000'000);
  {
    Loop loop;
    const Input input(loop, file, rest);
    loop.run();
  }
  CHECK(sink.text + rest.text == content);
  CHECK(rest.is_ended);
  close(file);
}

TEST_CASE("a signal is a call from the loop") {
  Pipe pipe;
  Sink sink(1);
  Loop loop;
  int seen = 0;
  const Input keeps_the_loop_alive(loop, pipe.ends[0], sink);
  const Signals signals(loop, {SIGUSR1, SIGUSR2}, [&](int signal) {
    seen = signal;
    pipe.put("x");
  });
  raise(SIGUSR2);
  loop.run();
  CHECK(seen == SIGUSR2);
}

TEST_CASE("a signal ends the wait for a reader that takes nothing, and is left for the loop") {
  Pipe pipe;
  fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK);
  Pipe input;
  Sink sink(1);
  Loop loop;
  const Input keeps_the_loop_alive(loop, input.ends[0], sink);
  int seen = 0;
  Signals signals(loop, {SIGUSR1}, [&](int signal) { seen = signal; });
  CHECK(signals.await_writable(pipe.ends[1], kNever));
  while (write(pipe.ends[1], "x", 1) == 1) continue;
  raise(SIGUSR1);
  CHECK_FALSE(signals.await_writable(pipe.ends[1], kNever));
  CHECK(seen == 0);
  loop.run_until([&] { return seen == SIGUSR1; });
}

TEST_CASE("a time limit ends it, too") {
  Pipe pipe;
  fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK);
  while (write(pipe.ends[1], "x", 1) == 1) continue;
  Loop loop;
  Signals signals(loop, {SIGUSR1}, [](int) {});
  CHECK_FALSE(signals.await_writable(pipe.ends[1], loop.now().steady + Millis(10)));
}

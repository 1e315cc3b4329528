#include "cli/progress.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <utility>

using namespace mq;
using namespace mq::cli;

namespace {

struct Terminal {
  explicit Terminal(Medium medium = Medium::terminal,
                    Notices::Loudness loudness = Notices::Loudness::normal)
      : notices(
            "mq",
            [this](std::string_view text) {
              said += text;
              return true;
            },
            medium, loudness) {}
  std::string take() { return std::exchange(said, {}); }

  std::string said;
  Notices notices;
};

constexpr Instant kStart{Seconds(10)};

}  // namespace

TEST_CASE("progress is shown after a second, then four times a second, on one line") {
  Terminal terminal;
  Progress progress(terminal.notices, Progress::Unit::lines, 2'000'000);
  CHECK(progress.next_deadline() == kNever);
  progress.start(kStart);
  CHECK(progress.next_deadline() == kStart + Seconds(1));
  progress.show({.messages = 5000, .bytes = 1'000'000, .in_flight = 7}, kStart + Seconds(1));
  CHECK(terminal.take() ==
        "\r\x1b[Kmq: 5000 lines, 1.0 MB of 2.0 MB, 50 %, 5000 lines/s, 7 in flight");
  CHECK(progress.next_deadline() == kStart + Millis(1250));
  progress.show({.messages = 6000, .bytes = 1'200'000, .in_flight = 0}, kStart + Millis(1250));
  CHECK(terminal.take() ==
        "\r\x1b[Kmq: 6000 lines, 1.2 MB of 2.0 MB, 60 %, 4800 lines/s, 0 in flight");
  terminal.notices.error("oops");
  CHECK(terminal.take() == "\r\x1b[Kmq: oops\n");
  progress.clear();
  CHECK(terminal.take().empty());
}

TEST_CASE("the rate is that of the last five seconds, so that a slow input does not make it jump") {
  Terminal terminal;
  Progress progress(terminal.notices, Progress::Unit::lines, std::nullopt);
  progress.start(kStart);
  const auto rate_after = [&](int quarters, std::uint64_t lines) {
    progress.show({.messages = lines}, kStart + quarters * Millis(250));
    const std::string words = terminal.take();
    const std::size_t end = words.find(" lines/s");
    const std::size_t start = words.rfind(' ', end - 1) + 1;
    return words.substr(start, end - start);
  };
  for (int quarters = 4; quarters <= 120; ++quarters) {  // a line each second
    const double rate = std::stod(rate_after(quarters, static_cast<std::uint64_t>(quarters) / 4));
    CHECK(rate >= 0.5);
    CHECK(rate <= 1.0);
  }
  for (int quarters = 121; quarters <= 140; ++quarters) rate_after(quarters, 30);
  CHECK(rate_after(141, 30) == "0.0");
}

TEST_CASE("of a file its bytes are told, and what is over leaves the line clear") {
  Terminal terminal;
  Progress progress(terminal.notices, Progress::Unit::bytes, 900);
  progress.start(kStart);
  progress.show({.bytes = 300}, kStart + Seconds(1));
  CHECK(terminal.take() == "\r\x1b[Kmq: 300 B of 900 B, 33 %, 300 B/s");
  progress.clear();
  CHECK(terminal.take() == "\r\x1b[K");
  CHECK(progress.next_deadline() == kNever);
}

TEST_CASE("where the whole is not known no share is told") {
  Terminal terminal;
  Progress progress(terminal.notices, Progress::Unit::lines, std::nullopt);
  progress.start(kStart);
  progress.show({.messages = 2, .bytes = 8}, kStart + Seconds(2));
  CHECK(terminal.take() == "\r\x1b[Kmq: 2 lines, 8 B, 1.0 lines/s, 0 in flight");
}

TEST_CASE("scripts and --quiet are told nothing") {
  for (auto* terminal :
       {new Terminal(Medium::file), new Terminal(Medium::terminal, Notices::Loudness::quiet)}) {
    const std::unique_ptr<Terminal> owner(terminal);
    Progress progress(terminal->notices, Progress::Unit::lines, 10);
    progress.start(kStart);
    CHECK(progress.next_deadline() == kNever);
    progress.clear();
    CHECK(terminal->said.empty());
  }
}

TEST_CASE("sizes are told in the unit that leaves few digits") {
  CHECK(words_of_bytes(0) == "0 B");
  CHECK(words_of_bytes(999) == "999 B");
  CHECK(words_of_bytes(12'345) == "12.3 kB");
  CHECK(words_of_bytes(5e12) == "5.0 TB");
  CHECK(words_of_bytes(5e15) == "5000.0 TB");
}

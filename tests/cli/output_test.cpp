#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include "cli/console.hpp"
#include "cli/line_cutter.hpp"
#include "cli/packet_trace.hpp"
#include "wire/encode.hpp"

using namespace mq;
using namespace mq::cli;

namespace {

/// Both ends of a pipe or a connection.
struct Ends {
  static Ends of_pipe() {
    std::array<int, 2> both{};
    REQUIRE(pipe(both.data()) == 0);
    return {.in = both[1], .out = both[0]};
  }
  static Ends of_socket() {
    std::array<int, 2> both{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, both.data()) == 0);
    return {.in = both[1], .out = both[0]};
  }
  std::string read() const {
    std::string bytes(65'536, '\0');
    const ssize_t size = ::read(out, bytes.data(), bytes.size());
    REQUIRE(size > 0);
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  }

  int in;
  int out;
};

}  // namespace

TEST_CASE("lines of any length come out of pieces, NULs included, the last without newline") {
  LineCutter lines;
  CHECK(lines.next() == std::nullopt);
  lines.feed(std::string_view("one\n\nt\0o", 8));
  CHECK(lines.may_have_line());
  CHECK(lines.next() == "one");
  CHECK(lines.next() == "");
  CHECK(lines.next() == std::nullopt);
  CHECK_FALSE(lines.may_have_line());
  lines.feed("!\nlast");
  CHECK(lines.next() == std::string_view("t\0o!", 4));
  CHECK(lines.next() == std::nullopt);
  CHECK_FALSE(lines.is_at_end());
  lines.end();
  CHECK(lines.may_have_line());
  CHECK(lines.next() == "last");
  CHECK(lines.is_at_end());
  CHECK(lines.next() == std::nullopt);
}

TEST_CASE("an input that ends with a newline has no empty line behind it") {
  LineCutter lines;
  lines.feed("one\n");
  lines.end();
  CHECK(lines.next() == "one");
  CHECK(lines.next() == std::nullopt);
  CHECK(lines.is_at_end());
}

TEST_CASE("a line that comes byte by byte is one line") {
  LineCutter lines;
  for (int i = 0; i < 100'000; ++i) {
    lines.feed("x");
    REQUIRE(lines.next() == std::nullopt);
  }
  lines.feed("\n");
  CHECK(lines.next()->size() == 100'000);
}

TEST_CASE("what a pipe or a socket does not take at once is waited for") {
  for (const Ends& ends : {Ends::of_pipe(), Ends::of_socket()}) {
    std::string all;
    std::string text;
    while (text.size() < 3'000'000) text += std::to_string(text.size());
    const Await read_some = [&](int descriptor) {
      CHECK(descriptor == ends.in);
      all += ends.read();
      return true;
    };
    CHECK(write_to(ends.in, read_some)(text));
    while (all.size() < text.size()) all += ends.read();
    CHECK((all == text));
  }
}

TEST_CASE("a reader may be given up, and others who write there do not notice") {
  for (const Ends& ends : {Ends::of_pipe(), Ends::of_socket()}) {
    const Await never = [](int) { return false; };
    errno = 0;
    CHECK_FALSE(write_to(ends.in, never)(std::string(3'000'000, 'x')));
    CHECK(errno == ECANCELED);
    CHECK((fcntl(ends.in, F_GETFL) & O_NONBLOCK) == 0);
  }
}

TEST_CASE("what nobody reads is not written any more") {
  int writes = 0;
  Output output(
      [&](std::string_view) {
        ++writes;
        return false;
      },
      Medium::file);
  output.buffer() = "one";
  CHECK_FALSE(output.flush());
  output.buffer() = "two";
  CHECK(output.flush());
  CHECK(writes == 1);
  CHECK(output.buffer().empty());
}

TEST_CASE("output is gathered until it is flushed, or large") {
  std::string written;
  int writes = 0;
  Output output(
      [&](std::string_view text) {
        written += text;
        ++writes;
        return true;
      },
      Medium::file);
  output.buffer() += "one";
  CHECK(output.flush_when_large());
  CHECK(writes == 0);
  CHECK(output.flush());
  CHECK(output.flush());
  CHECK(writes == 1);
  CHECK(written == "one");
  output.buffer().append(2'000'000, 'x');
  CHECK(output.flush_when_large());
  CHECK(writes == 2);
}

TEST_CASE("notices: errors and notes unless quiet, hints on a terminal, traces always") {
  using Loudness = Notices::Loudness;
  const auto said = [](Medium medium, Loudness loudness) {
    std::string all;
    Notices notices(
        "mqsub",
        [&](std::string_view text) {
          all += text;
          return true;
        },
        medium, loudness);
    notices.error("error");
    notices.note("note");
    notices.hint("hint");
    notices.errors("two\nlines");
    notices.trace("trace");
    return all;
  };
  CHECK(said(Medium::terminal, Loudness::normal) ==
        "mqsub: error\nmqsub: note\nmqsub: hint\nmqsub: two\nlines\nmqsub: trace\n");
  CHECK(said(Medium::file, Loudness::normal) ==
        "mqsub: error\nmqsub: note\nmqsub: two\nlines\nmqsub: trace\n");
  CHECK(said(Medium::terminal, Loudness::quiet) == "mqsub: trace\n");
}

TEST_CASE("a notice is one line, whatever a server's words have in them") {
  std::string all;
  Notices notices(
      "mqsub",
      [&](std::string_view text) {
        all += text;
        return true;
      },
      Medium::file, Notices::Loudness::normal);
  notices.error("refused (no\nway \x1b[2J)");
  CHECK(all == "mqsub: refused (no\\x0away \\x1b[2J)\n");
}

TEST_CASE("an error of several lines has the program's name in front of the first") {
  std::string all;
  Notices notices(
      "mqsub",
      [&](std::string_view text) {
        all += text;
        return true;
      },
      Medium::file, Notices::Loudness::normal);
  notices.errors("one\n  two\n  th\x1bree");
  CHECK(all == "mqsub: one\n  two\n  th\\x1bree\n");
}

TEST_CASE("--debug shows each packet once, also in pieces") {
  std::string all;
  Notices notices(
      "mqsub",
      [&](std::string_view text) {
        all += text;
        return true;
      },
      Medium::file, Notices::Loudness::normal);
  PacketTrace trace(wire::Version::v311, notices);
  std::vector<Byte> bytes;
  wire::encode(wire::Connect{.client_id = "me",
                             .will = std::nullopt,
                             .user_name = std::nullopt,
                             .password = std::nullopt,
                             .properties = {}},
               wire::Version::v311, bytes);
  wire::encode(wire::Publish{.qos = wire::QoS::at_least_once,
                             .retain = true,
                             .topic = "a/b",
                             .packet_id = 7,
                             .properties = {},
                             .payload = bytes_of("hello")},
               wire::Version::v311, bytes);
  for (const Byte& byte : bytes) trace.on_sent({&byte, 1});
  bytes.clear();
  wire::encode(wire::Puback{.packet_id = 7, .properties = {}}, wire::Version::v311, bytes);
  trace.on_received(bytes);
  CHECK(all ==
        "mqsub: sending CONNECT (id \"me\", version 4, keep alive 0, clean start)\n"
        "mqsub: sending PUBLISH \"a/b\" (5 bytes, QoS 1, id 7, retain)\n"
        "mqsub: received PUBACK (id 7)\n");
}

TEST_CASE("--debug outlives bytes that are no packet, and a connection that breaks in one") {
  std::string all;
  Notices notices(
      "mqsub",
      [&](std::string_view text) {
        all += text;
        return true;
      },
      Medium::file, Notices::Loudness::normal);
  PacketTrace trace(wire::Version::v311, notices);
  constexpr std::array<Byte, 6> kEndless{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01};
  trace.on_received(kEndless);
  trace.on_received(kEndless);
  constexpr std::array<Byte, 2> kReserved{0x00, 0x00};
  trace.on_received(kReserved);
  CHECK(all == "mqsub: received 2 bytes that are no packet: reserved packet type\n");
  constexpr std::array<Byte, 3> kHalf{0x30, 0x05, 0x00};
  trace.on_received(kHalf);
  trace.restart();
  constexpr std::array<Byte, 2> kPong{0xD0, 0x00};
  trace.on_received(kPong);
  CHECK(all.ends_with("mqsub: received PINGRESP\n"));
}

#include "net/socks5.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

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

Socks5 talk(std::string user = {}) {
  return {{.host = "p", .user_name = std::move(user), .password = "secret"},
          {.host = "broker", .port = 0x1234, .unix_path = {}}};
}

}  // namespace

TEST_CASE("a proxy is asked for the server by name, and then bytes pass, one at a time or not") {
  auto socks = talk();
  CHECK(output_of(socks) == "\x05\x01\x00"sv);
  say(socks, "\x05\x00"sv);
  CHECK(output_of(socks) ==
        "\x05\x01\x00\x03\x06"
        "broker\x12\x34"sv);
  say(socks, "\x05\x00\x00\x01\x7f\x00\x00\x01\x00"sv);
  CHECK(socks.state() == State::opening);
  socks.on_received(bytes_of("\x07hello"sv));
  CHECK(socks.state() == State::open);
  CHECK(heard(socks) == "hello");
  CHECK(heard(socks).empty());
  socks.write(bytes_of("hi"));
  CHECK(output_of(socks) == "hi");
}

TEST_CASE("an address is given as one") {
  Socks5 v4({.host = "p"}, {.host = "1.2.3.4", .port = 1, .unix_path = {}});
  output_of(v4);
  say(v4, "\x05\x00"sv);
  CHECK(output_of(v4) == "\x05\x01\x00\x01\x01\x02\x03\x04\x00\x01"sv);
  Socks5 v6({.host = "p"}, {.host = "::1", .port = 1, .unix_path = {}});
  output_of(v6);
  say(v6, "\x05\x00"sv);
  CHECK(output_of(v6) == "\x05\x01\x00\x04"s + std::string(15, 0) + "\x01\x00\x01"s);
}

TEST_CASE("a user name and a password are given to a proxy that wants them") {
  auto socks = talk("me");
  CHECK(output_of(socks) == "\x05\x02\x00\x02"sv);
  say(socks, "\x05\x02"sv);
  CHECK(output_of(socks) == "\x01\x02me\x06secret"sv);
  say(socks, "\x01\x00"sv);
  CHECK(output_of(socks).starts_with("\x05\x01"));
  for (const auto reply : {"\x05\x00\x00\x03\x03"
                           "abc\x00\x00"sv})
    say(socks, reply);
  CHECK(socks.state() == State::open);
}

TEST_CASE("what a proxy objects to is told") {
  const auto trouble = [](std::string user, std::string_view bytes) {
    auto socks = talk(std::move(user));
    say(socks, bytes);
    CHECK(socks.state() == State::failed);
    return socks.trouble();
  };
  CHECK(trouble("", "HTTP/1.1") == "the proxy does not speak SOCKS5");
  CHECK(trouble("", "\x05\xff") == "the proxy wants a user name and a password");
  CHECK(trouble("me", "\x05\xff").contains("another kind of authentication"));
  CHECK(trouble("me", "\x05\x02\x01\x01").contains("does not take the user name"));
  CHECK(trouble("", "\x05\x00\x05\x05"sv) ==
        "the proxy cannot connect: connection to the server refused");
  CHECK(trouble("", "\x05\x00\x05\x63"sv) == "the proxy cannot connect: error 99");
}

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "net/proxy_filter.hpp"
#include "net/proxy_header.hpp"

using namespace mq;
using namespace mq::net;
using State = Filter::State;

namespace {

using namespace std::literals;

ParsedProxyHeader v1(std::string_view text) {
  return parse_proxy_v1(bytes_of(text));
}
ParsedProxyHeader v2(std::string_view text) {
  return parse_proxy_v2(bytes_of(text));
}

constexpr auto kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr auto kPlaces4 = "\1\2\3\4\x7f\0\0\1\x12\x34\x07\x5b"sv;

std::string sized(std::string_view content) {
  return std::string{static_cast<char>(content.size() >> 8U), static_cast<char>(content.size())} +
         std::string(content);
}
/// A header of version 2.
std::string header(std::string_view command_and_family, std::string_view rest) {
  return std::string(kSignature) + std::string(command_and_family) + sized(rest);
}
/// What a proxy says about TLS.
std::string tls_field(char client, char verdict, std::string_view common_name) {
  std::string value = client + "\0\0\0"s + verdict + "\x21"s + sized("TLSv1.3");
  if (!common_name.empty()) value += "\x22"s + sized(common_name);
  return "\x20" + sized(value);
}

std::string heard(Filter& filter) {
  std::array<Byte, 3> room;
  std::string all;
  while (const std::size_t size = filter.read(room)) all += text_of(std::span(room).first(size));
  return all;
}

}  // namespace

TEST_CASE("a header of version 1 is a line that says where the client is") {
  const std::string line = "PROXY TCP4 1.2.3.4 127.0.0.1 4660 1883\r\n";
  const auto parsed = v1(line + "\x10\x0c");
  REQUIRE(parsed.has_value());
  REQUIRE(parsed->has_value());
  CHECK((*parsed)->size == line.size());
  CHECK((*parsed)->place == Place{"1.2.3.4", 4660});
  CHECK(v1("PROXY TCP6 2001:DB8:0::1 ::1 1 2\r\n").value()->place == Place{"2001:db8::1", 1});
  for (const auto* unknown : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN a b c d\r\n"}) {
    CHECK_FALSE(v1(unknown).value()->place.has_value());
  }
  for (std::size_t size = 0; size < line.size(); ++size) {
    CHECK_FALSE(v1(line.substr(0, size)).value().has_value());
  }
}

TEST_CASE("a line that is no such header is told apart") {
  for (const auto* line : {"PROXY\r\n", "\x10\x0c", "GET / HTTP/1.1\r\n", "proxy TCP4"}) {
    CAPTURE(line);
    CHECK(v1(line).error() == "it does not begin with the PROXY header that is wanted");
  }
  for (const auto* line :
       {"PROXY \r\n", "PROXY TCP4 1.2.3.4 127.0.0.1 4660\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 127.0.0.1 1 2\r\n", "PROXY TCP5 1.2.3.4 127.0.0.1 1 2\r\n",
        "PROXY TCP4 1.2.3.4 127.0.0.1 65536 2\r\n", "PROXY TCP4 1.2.3.4 127.0.0.1 1 x\r\n",
        "PROXY TCP4  1.2.3.4 127.0.0.1 1 2\r\n", "PROXY TCP4 1.2.3 127.0.0.1 1 2\r\n",
        "PROXY TCP4 1.2.3.4 127.0.0.1 1 2 3\r\n"}) {
    CAPTURE(line);
    CHECK(v1(line).error() == "its PROXY header is wrong");
  }
  CHECK(v1("PROXY " + std::string(101, 'x')).error() == "its PROXY header is wrong");
}

TEST_CASE("a header of version 2 says where the client is") {
  const std::string bytes = header("\x21\x11", kPlaces4);
  const auto parsed = v2(bytes + "\x10");
  CHECK(parsed.value()->size == bytes.size());
  CHECK(parsed.value()->place == Place{"1.2.3.4", 0x1234});
  CHECK_FALSE(parsed.value()->is_tls);
  const std::string address6 = "\x20\x01\x0d\xb8" + std::string(11, '\0') + "\1";
  CHECK(v2(header("\x21\x21", address6 + address6 + "\0\1\0\2"s)).value()->place ==
        Place{"2001:db8::1", 1});
  CHECK_FALSE(v2(header("\x20\x00"sv, "")).value()->place.has_value());
  CHECK_FALSE(v2(header("\x20\x11", kPlaces4)).value()->place.has_value());
  CHECK_FALSE(v2(header("\x21\x31", std::string(216, 'p'))).value()->place.has_value());
  CHECK_FALSE(v2(header("\x21\x00"sv, "")).value()->place.has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(v2(bytes.substr(0, size)).value().has_value());
  }
}

TEST_CASE("what is no header of version 2 is told apart") {
  CHECK(v2("PROXY TCP4").error() == "it does not begin with the PROXY header that is wanted");
  CHECK(v2("\r\n\r\n\0\r\nQUIX"sv).error().starts_with("it does not begin"));
  for (const auto& bytes :
       {header("\x11\x11", kPlaces4), header("\x22\x11", kPlaces4), header("\x21\x41", kPlaces4),
        header("\x21\x11", kPlaces4.substr(1)), header("\x21\x21", kPlaces4),
        header("\x21\x31", kPlaces4), header("\x21\x11", std::string(kPlaces4) + "\x04"),
        header("\x21\x11", std::string(kPlaces4) + "\x04\0\2x"s),
        header("\x21\x11", std::string(5000, 'x'))}) {
    CHECK(v2(bytes).error() == "its PROXY header is wrong");
  }
}

TEST_CASE("version 2 tells what the proxy knows of TLS") {
  const auto with = [](std::string_view fields) {
    return *v2(header("\x21\x11", std::string(kPlaces4) + std::string(fields))).value();
  };
  const auto verified = with("\x04" + sized("noise") + tls_field('\x03', 0, "alice"));
  CHECK(verified.is_tls);
  CHECK(verified.is_verified);
  CHECK(verified.common_name == "alice");
  CHECK(with(tls_field('\x05', 0, "alice")).common_name == "alice");
  CHECK(with(tls_field('\x01', 0, "")).is_tls);
  CHECK_FALSE(with(tls_field('\x01', 0, "")).is_verified);
  for (const auto& field : {tls_field('\x03', 1, "eve"), tls_field('\x01', 0, "eve"),
                            tls_field('\x02', 0, "eve"), "\x20" + sized("\x03")}) {
    CHECK_FALSE(with(field).is_verified);
    CHECK(with(field).common_name.empty());
  }
  CHECK(with(tls_field('\x03', 0, "alice") + tls_field('\x03', 1, "")).common_name.empty());
  CHECK(with(tls_field('\x03', 0, {"eve\0alice", 9})).common_name.empty());
}

TEST_CASE("behind the header bytes pass as they are, however they are cut") {
  for (const std::size_t step : {1U, 5U, 1000U}) {
    const auto filter = proxy_header({.version = 1})();
    const std::string bytes = "PROXY TCP4 1.2.3.4 127.0.0.1 1 2\r\nhello again";
    std::string all;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      filter->on_received(bytes_of(std::string_view(bytes).substr(at, step)));
      all += heard(*filter);
    }
    CHECK(filter->state() == State::open);
    CHECK(all == "hello again");
    CHECK(filter->place() == Place{"1.2.3.4", 1});
    CHECK_FALSE(filter->user_name().has_value());
    filter->write(bytes_of("hi"));
    CHECK(filter->has_output());
    std::vector<Byte> out;
    filter->take_output(out);
    CHECK(text_of(out) == "hi");
    CHECK_FALSE(filter->has_output());
  }
}

TEST_CASE("a connection whose header is not good enough is refused with a reason") {
  const auto trouble = [](ProxyOptions options, std::string_view fields) {
    const auto filter = proxy_header(options)();
    filter->on_received(
        bytes_of(header("\x21\x11", std::string(kPlaces4) + std::string(fields)) + "x"));
    if (filter->state() == State::open) return "welcome " + filter->user_name().value_or("-");
    CHECK(heard(*filter).empty());
    return filter->trouble();
  };
  const auto plain = ""s;
  const auto tls = tls_field('\x01', 0, "");
  const auto alice = tls_field('\x03', 0, "alice");
  CHECK(trouble({.version = 1}, plain).starts_with("it does not begin"));
  CHECK(trouble({.version = 2}, plain) == "welcome -");
  CHECK(trouble({.version = 2, .requires_tls = true}, plain).contains("without TLS"));
  CHECK(trouble({.version = 2, .requires_tls = true}, tls) == "welcome -");
  CHECK(trouble({.version = 2, .requires_certificate = true}, tls).contains("no certificate"));
  CHECK(trouble({.version = 2, .requires_certificate = true}, alice) == "welcome -");
  CHECK(trouble({.version = 2, .names_user = true}, tls).contains("no common name"));
  CHECK(trouble({.version = 2, .names_user = true}, alice) == "welcome alice");
}

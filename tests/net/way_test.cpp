#include "net/way.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace mq;
using namespace mq::net;

namespace {

std::string first_words(const Way& way) {
  const auto make = filter_for(way, 1);
  REQUIRE(make.has_value());
  std::vector<Byte> out;
  (*make)()->take_output(out);
  return std::string(text_of(out));
}

client::Endpoint place(std::string host, std::uint16_t port, std::string unix_path = {}) {
  return {.host = std::move(host), .port = port, .unix_path = std::move(unix_path)};
}

}  // namespace

TEST_CASE("a way without anything on it needs no filter") {
  const auto make = filter_for({.endpoint = place("h", 1)}, 1);
  REQUIRE(make.has_value());
  CHECK_FALSE(*make);
  CHECK(first_stop({.endpoint = place("h", 1)}).host == "h");
}

TEST_CASE(
    "the request for a WebSocket names the host, and the port where it is not the usual one") {
  const web::ClientOptions options{.path = "/p"};
  const auto host_line = [&options](client::Endpoint endpoint) {
    const std::string words = first_words({.endpoint = std::move(endpoint), .websocket = options});
    CHECK(words.starts_with("GET /p HTTP/1.1\r\n"));
    const auto at = words.find("Host: ") + 6;
    return words.substr(at, words.find('\r', at) - at);
  };
  CHECK(host_line(place("h", 80)) == "h");
  CHECK(host_line(place("h", 443)) == "h:443");
  CHECK(host_line(place("::1", 8080)) == "[::1]:8080");
  CHECK(host_line(place("h", 1883, "/socket")) == "localhost");
}

TEST_CASE("to the proxy, too, the way is from the address that was asked for") {
  Way way{.endpoint = place("h", 1), .proxy = client::Proxy{.host = "p"}};
  way.endpoint.bind_address = "127.0.0.2";
  CHECK(first_stop(way).bind_address == "127.0.0.2");
}

TEST_CASE("the proxy comes first, then TLS, and the WebSocket only inside of it") {
  const Way way{.endpoint = place("h", 443),
                .proxy = client::Proxy{.host = "p", .port = 9},
                .tls = crypto::TlsClientOptions{},
                .websocket = web::ClientOptions{}};
  CHECK(first_stop(way).host == "p");
  CHECK(first_stop(way).port == 9);
  CHECK(first_words(way)[0] == '\x05');
  Way direct = way;
  direct.proxy.reset();
  CHECK(first_words(direct)[0] == '\x16');
}

TEST_CASE("a file that TLS needs and that is not there is an error") {
  const Way way{.endpoint = place("h", 1), .tls = crypto::TlsClientOptions{.ca_file = "/none"}};
  CHECK(filter_for(way, 1).error().message.contains("/none"));
}

#include "cli/url.hpp"

#include <doctest/doctest.h>

using namespace mq;
using namespace mq::cli;

namespace {

std::string error_of(std::string_view text) {
  const auto url = parse_url(text);
  return url ? std::string() : url.error();
}

}  // namespace

TEST_CASE("a URL has a host and a topic, and may have all the rest") {
  const auto url = parse_url("mqtt://broker.example/a/b").value();
  CHECK(url.host == "broker.example");
  CHECK(url.topic == "a/b");
  CHECK_FALSE(url.parts.is_tls);
  CHECK_FALSE(url.port.has_value());
  CHECK_FALSE(url.parts.user_name.has_value());

  const auto all = parse_url("mqtts://me:pa:ss@[::1]:8884//t?x#y").value();
  CHECK(all.parts.is_tls);
  CHECK(all.parts.user_name == "me");
  CHECK(all.parts.password == "pa:ss");
  CHECK(all.host == "::1");
  CHECK(all.port == 8884);
  CHECK(all.topic == "/t?x#y");
}

TEST_CASE("a scheme is the same in large letters and small ones") {
  CHECK(parse_url("MQTT://h/A").value().topic == "A");
  CHECK(parse_url("Mqtts://h/a").value().parts.is_tls);
  CHECK(parse_url("WSS://h/a").value().parts.is_websocket);
  CHECK(parse_proxy("SOCKS5H://h").value().host == "h");
}

TEST_CASE("what is written with percent signs is decoded, in every part") {
  const auto url = parse_url("mqtt://%6de%40home:p%2fw@%6cocalhost:1/%23%25").value();
  CHECK(url.parts.user_name == "me@home");
  CHECK(url.parts.password == "p/w");
  CHECK(url.host == "localhost");
  CHECK(url.topic == "#%");
}

TEST_CASE("what is wrong with a URL is said with a way out") {
  CHECK(error_of("localhost/a").starts_with("must be mqtt://"));
  CHECK(error_of("http://localhost/a").starts_with("must be mqtt://"));
  CHECK(error_of("wsss://localhost/a").starts_with("must be mqtt://"));
  CHECK(error_of("mqtt://localhost").starts_with("has no topic"));
  CHECK(error_of("mqtt://localhost/").starts_with("has no topic"));
  CHECK(error_of("mqtt:///a").starts_with("has no host"));
  CHECK(error_of("mqtt://[::1/a").starts_with("has no host"));
  CHECK(error_of("mqtt://h:x/a").starts_with("its port must be a number"));
  CHECK(error_of("mqtt://h:65536/a").starts_with("its port must be a number"));
  for (const auto* text : {"mqtt://h/%", "mqtt://h/%4", "mqtt://h/%4g", "mqtt://%zz@h/a"}) {
    CHECK(error_of(text).starts_with("has a % without two digits"));
  }
}

TEST_CASE("a URL says where to connect and as whom") {
  ConnectOptions options;
  apply_url(parse_url("mqtts://me@h:1/a").value(), options);
  complete(options);
  CHECK(options.tls.has_value());
  CHECK(options.endpoint.host == "h");
  CHECK(options.endpoint.port == 1);
  CHECK(options.user_name == "me");
  ConnectOptions plain;
  apply_url(parse_url("mqtts://h/a").value(), plain);
  complete(plain);
  CHECK(plain.endpoint.port == 8883);
}

TEST_CASE("a URL of a WebSocket has the ports of HTTP, and its path is the topic") {
  const auto options_for = [](std::string_view text, std::optional<std::uint16_t> port = {}) {
    ConnectOptions options;
    apply_url(parse_url(text).value(), options);
    if (port) options.port = port;
    complete(options);
    return options;
  };
  const auto plain = options_for("ws://h/a/b");
  REQUIRE(plain.websocket.has_value());
  CHECK(plain.websocket->path == "/mqtt");
  CHECK_FALSE(plain.tls.has_value());
  CHECK(plain.endpoint.port == 80);
  CHECK(parse_url("ws://h/a/b").value().topic == "a/b");
  const auto tls = options_for("wss://h/a");
  CHECK(tls.websocket.has_value());
  CHECK(tls.tls.has_value());
  CHECK(tls.endpoint.port == 443);
  CHECK(options_for("ws://h:8080/a").endpoint.port == 8080);
  CHECK(options_for("wss://h/a", 8081).endpoint.port == 8081);
  CHECK_FALSE(options_for("mqtt://h/a").websocket.has_value());
}

TEST_CASE("a proxy is a URL, too") {
  const auto proxy = parse_proxy("socks5h://a%40b:c%3ad@[::1]:9/").value();
  CHECK(proxy.host == "::1");
  CHECK(proxy.port == 9);
  CHECK(proxy.user_name == "a@b");
  CHECK(proxy.password == "c:d");
  CHECK(parse_proxy("socks5h://proxy").value().port == 1080);
  CHECK(parse_proxy("socks5h://").error() == "has no host");
  CHECK(parse_proxy("http://proxy").error().starts_with("must be socks5h://"));
  CHECK(parse_proxy("socks5h://" + std::string(256, 'u') + "@h").error().contains("255 bytes"));
}

#include "web/handshake.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace mq;
using namespace mq::web;

namespace {

/// The example of RFC 6455 §1.2.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

std::string replaced(std::string text, std::string_view old, std::string_view by) {
  const auto at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), by);
}

std::string good_request() {
  return "GET /any/path?x=1 HTTP/1.1\r\nHost: broker\r\nUpgrade: websocket\r\n"
         "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: " +
         std::string(kKey) +
         "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, mqtt\r\n"
         "Origin: https://Good.example\r\n\r\n";
}

std::string good_response() {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         std::string(kAccept) + "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
}

std::string status_of(const Answer& answer) {
  const auto line = answer.bytes.substr(0, answer.bytes.find("\r\n"));
  return line.substr(line.find(' ') + 1, 3);
}

}  // namespace

TEST_CASE("the proof that a key was read is the one of the standard's example [RFC 6455 1.2]") {
  CHECK(accept_of(kKey) == kAccept);
  Prng prng(1);
  const auto key = make_key(prng);
  CHECK(key.size() == 24);
  CHECK(key.ends_with("=="));
  CHECK(key != make_key(prng));
}

TEST_CASE("a header ends with its empty line") {
  CHECK(header_size("GET / HTTP/1.1\r\n\r") == 0);
  CHECK(header_size("A\r\n\r\nB") == 5);
}

TEST_CASE("a good request is welcome, on any path") {
  const Answer answer = answer_to(good_request(), {});
  CHECK(answer.objection.empty());
  CHECK(answer.bytes ==
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        "Sec-WebSocket-Protocol: mqtt\r\n\r\n");
}

TEST_CASE("the subprotocol is the one that both know, mqtt rather than mqttv3.1 [MQTT-6.0.0-4]") {
  const auto protocol_for = [](std::string_view offer) {
    const auto answer = answer_to(replaced(good_request(), "chat, mqtt", offer), {});
    if (!answer.objection.empty()) return answer.objection;
    const auto at = answer.bytes.find("Protocol: ") + 10;
    return answer.bytes.substr(at, answer.bytes.find('\r', at) - at);
  };
  CHECK(protocol_for("mqttv3.1") == "mqttv3.1");
  CHECK(protocol_for("mqttv3.1, mqtt") == "mqtt");
  CHECK(protocol_for("mqttv3.1\r\nSec-WebSocket-Protocol: mqtt") == "mqtt");
  CHECK(protocol_for("MQTT").contains("subprotocol (Sec-WebSocket-Protocol) must be mqtt"));
}

TEST_CASE("a request that is wrong is refused with the status for it") {
  struct Row {
    std::string_view old, by, status, words;
  };
  const std::vector<Row> rows{
      {"GET /", "POST /", "405", "opened with GET"},
      {"HTTP/1.1", "HTTP/1.0", "400", "HTTP/1.1"},
      {"HTTP/1.1", "HTTP/2", "400", "no HTTP request"},
      {"GET ", "GET", "400", "no HTTP request"},
      {"Host: broker\r\n", "", "400", "one Host line"},
      {"Host: broker\r\n", "Host: a\r\nHost: b\r\n", "400", "one Host line"},
      {"Host: broker", "Host broker", "400", "no HTTP request"},
      {"Origin", "Origin: https://evil.example\r\nOrigin", "400", "one Origin line"},
      {"Upgrade: websocket\r\n", "", "426", "speaks WebSocket only"},
      {"Upgrade: websocket", "Upgrade: h2c", "426", "speaks WebSocket only"},
      {"keep-alive, Upgrade", "keep-alive", "426", "speaks WebSocket only"},
      {"Version: 13", "Version: 8", "426", "must be 13"},
      {"Sec-WebSocket-Version: 13\r\n", "", "426", "must be 13"},
      {kKey, "", "400", "16 bytes in base 64"},
      {kKey, "dGhlIHNhbXBsZSBub25jZQ", "400", "16 bytes in base 64"},
      {kKey, "dGhlIHNhbXBsZSBub25jZUFB", "400", "16 bytes in base 64"},
      {"Origin", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin", "400", "base 64"},
      {"Origin", "Content-Length: 5\r\nOrigin", "400", "nothing behind the header"},
      {"Origin", "Transfer-Encoding: chunked\r\nOrigin", "400", "nothing behind the header"},
      {"chat, mqtt", "chat", "400", "must be mqtt"},
      {"Sec-WebSocket-Protocol: chat, mqtt\r\n", "", "400", "must be mqtt"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.old);
    CAPTURE(row.by);
    const Answer answer = answer_to(replaced(good_request(), row.old, row.by), {});
    CHECK(status_of(answer) == row.status);
    CHECK(answer.objection.contains(row.words));
    CHECK(answer.bytes.contains(row.words));
    CHECK(answer.bytes.contains("close\r\n"));
  }
  const Answer upgrade = answer_to("GET / HTTP/1.1\r\nHost: a\r\n\r\n", {});
  CHECK(upgrade.bytes.contains("\r\nUpgrade: websocket\r\n"));
  CHECK(upgrade.bytes.contains("\r\nSec-WebSocket-Version: 13\r\n"));
  CHECK(answer_to(replaced(good_request(), "GET", "PUT"), {}).bytes.contains("Allow: GET\r\n"));
}

TEST_CASE("only pages of the named origins may connect, and what is no browser") {
  const ServerOptions options{.origins = {"https://good.example:443", "http://local:8080"}};
  const auto status_for = [&options](std::string_view origin) {
    return status_of(
        answer_to(replaced(good_request(), "Origin: https://Good.example\r\n", origin), options));
  };
  CHECK(status_for("Origin: https://good.example\r\n") == "101");
  CHECK(status_for("Origin: https://good.example:443\r\n") == "101");
  CHECK(status_for("Origin: http://local:8080\r\n") == "101");
  CHECK(status_for("") == "101");
  for (const auto* origin :
       {"http://good.example", "https://good.example.evil", "https://good.example:444",
        "https://evil/https://good.example", "null", "https://good.exampl", ""}) {
    CAPTURE(origin);
    CHECK(status_for("Origin: " + std::string(origin) + "\r\n") == "403");
  }
  const std::string lie = "http://a may connect. \"";
  CHECK(answer_to(replaced(good_request(), "https://Good.example", lie), options)
            .objection.ends_with(
                R"(pages of "http://a may connect. \"" may not connect (see websockets_origin))"));
}

TEST_CASE("a request says what was asked for [MQTT-6.0.0-3]") {
  const ClientOptions options{.path = "/ws", .headers = {{"X-Token", "1"}}};
  CHECK(request_of(options, "broker:8080", "KEY") ==
        "GET /ws HTTP/1.1\r\nHost: broker:8080\r\nX-Token: 1\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n"
        "Sec-WebSocket-Key: KEY\r\n\r\n");
  const ClientOptions other{.headers = {{"host", "virtual"}}};
  CHECK(
      request_of(other, "broker", "KEY").starts_with("GET /mqtt HTTP/1.1\r\nhost: virtual\r\nUp"));
  CHECK(answer_to(request_of(other, "broker", kKey), {}).objection.empty());
}

TEST_CASE("a client tells what it is that it has met") {
  struct Row {
    std::string_view old, by, words;
  };
  const std::vector<Row> rows{
      {"HTTP/1.1 101", "HTTP/1.1 404 Not Found", "no WebSocket at /mqtt (HTTP 404 Not Found"},
      {"101 Switching Protocols", "404", "no HTTP"},
      {"101 Switching Protocols", "403 Forbidden",
       "the server refuses the WebSocket at /mqtt: HTTP 403 Forbidden"},
      {"101 Switching Protocols\r\n", "301 Moved\r\nLocation: https://a/\x1b\r\n", "no HTTP"},
      {"101 Switching Protocols\r\n", "301 Moved\r\nLocation: https://a/\r\n",
       "HTTP 301 Moved, to be found at https://a/"},
      {"Upgrade: WebSocket\r\n", "", "is no WebSocket server"},
      {"Connection: upgrade\r\n", "", "is no WebSocket server"},
      {kAccept, kKey, "is no WebSocket server"},
      {"HTTP/1.1", "MQTT", "no HTTP"},
      {"Protocol: mqtt", "Protocol: chat", "does not take the WebSocket subprotocol mqtt"},
      {"Sec-WebSocket-Protocol: mqtt\r\n", "", "does not take the WebSocket subprotocol mqtt"},
  };
  CHECK(objection_to(good_response(), kKey, "/mqtt").empty());
  for (const Row& row : rows) {
    CAPTURE(row.old);
    CAPTURE(row.by);
    const auto words = objection_to(replaced(good_response(), row.old, row.by), kKey, "/mqtt");
    CAPTURE(words);
    CHECK(words.contains(row.words));
  }
}

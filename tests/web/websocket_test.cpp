#include "web/websocket.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace mq;
using namespace mq::web;
using State = Filter::State;
using namespace std::literals;

namespace {

std::string output_of(Filter& filter) {
  std::vector<Byte> out;
  filter.take_output(out);
  CHECK_FALSE(filter.has_output());
  return std::string(text_of(out));
}

std::string heard(Filter& filter) {
  std::string all;
  std::array<Byte, 7> room;
  while (const std::size_t size = filter.read(room)) all += text_of(std::span(room).first(size));
  return all;
}

/// A client and a server, and nothing between them.
struct Pair {
  explicit Pair(std::size_t step_size = 100'000) : step(step_size) { settle(); }

  void settle() {
    while (move(*client, *server, at_server) || move(*server, *client, at_client)) {
    }
  }
  bool move(Filter& from, Filter& to, std::string& heard_there) const {
    const std::string bytes = output_of(from);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      to.on_received(bytes_of(std::string_view(bytes).substr(at, step)));
      heard_there += heard(to);
    }
    return !bytes.empty();
  }

  std::size_t step;
  std::unique_ptr<Filter> client = websocket_client({}, "broker", Prng(1))();
  std::unique_ptr<Filter> server = websocket_server({})();
  std::string at_client;
  std::string at_server;
};

/// A frame as a client sends it, masked with zeros.
std::string frame(unsigned first, std::string_view content) {
  std::string bytes{static_cast<char>(first)};
  if (content.size() < 126) {
    bytes += static_cast<char>(0x80U | content.size());
  } else {
    bytes += '\xfe';
    bytes += static_cast<char>(content.size() >> 8U);
    bytes += static_cast<char>(content.size() & 0xFFU);
  }
  return bytes + "\0\0\0\0"s + std::string(content);
}

std::unique_ptr<Filter> open_server() {
  auto server = websocket_server({})();
  const auto client = websocket_client({}, "broker", Prng(1))();
  server->on_received(bytes_of(output_of(*client)));
  CHECK(output_of(*server).starts_with("HTTP/1.1 101"));
  REQUIRE(server->state() == State::open);
  return server;
}

std::unique_ptr<Filter> open_client() {
  auto client = websocket_client({}, "broker", Prng(1))();
  const auto server = websocket_server({})();
  server->on_received(bytes_of(output_of(*client)));
  client->on_received(bytes_of(output_of(*server)));
  REQUIRE(client->state() == State::open);
  return client;
}

}  // namespace

TEST_CASE("bytes come out as they went in, in both directions, however the network cuts them") {
  for (const std::size_t step : {1U, 2U, 3U, 1000U, 100'000U}) {
    CAPTURE(step);
    Pair pair(step);
    REQUIRE(pair.client->state() == State::open);
    REQUIRE(pair.server->state() == State::open);
    std::string wanted;
    for (const std::size_t size : {1U, 125U, 126U, 127U, 65'535U, 65'536U}) {
      const std::string text(size, static_cast<char>('a' + size % 26));
      wanted += text;
      pair.client->write(bytes_of(text));
      pair.server->write(bytes_of(text));
      pair.settle();
    }
    CHECK(pair.at_server == wanted);
    CHECK(pair.at_client == wanted);
  }
}

TEST_CASE("what is written before bytes are taken leaves as one frame") {
  const auto server = open_server();
  server->write(bytes_of("a"));
  server->write(bytes_of("b"));
  CHECK(output_of(*server) ==
        "\x82\x02"
        "ab");
}

TEST_CASE("a client masks what it says, with another mask for every frame") {
  const auto client = open_client();
  const std::string text(100, 'x');
  client->write(bytes_of(text));
  const std::string first = output_of(*client);
  client->write(bytes_of(text));
  const std::string second = output_of(*client);
  CHECK(first.substr(0, 2) == "\x82\xe4");
  CHECK_FALSE(first.contains("xx"));
  CHECK(first != second);
}

TEST_CASE("one frame may hold several packets, or a part of one, or nothing [MQTT-6.0.0-2]") {
  const auto server = open_server();
  server->on_received(bytes_of(frame(0x82, "") + frame(0x82, "ab") + frame(0x82, "")));
  CHECK(heard(*server) == "ab");
  CHECK(server->state() == State::open);
  CHECK(output_of(*server).empty());
}

TEST_CASE("a message in fragments is one stream, with control frames between them") {
  for (const std::size_t step : {1U, 100U}) {
    const auto server = open_server();
    const std::string bytes = frame(0x02, "one ") + frame(0x89, "ping") + frame(0x00, "two ") +
                              frame(0x8a, "unasked") + frame(0x80, "three");
    std::string all;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      server->on_received(bytes_of(std::string_view(bytes).substr(at, step)));
      all += heard(*server);
    }
    CHECK(all == "one two three");
    CHECK(server->has_output());
    CHECK(output_of(*server) == "\x8a\x04ping");
    server->on_received(bytes_of(frame(0x82, "four")));
    CHECK(heard(*server) == "four");
  }
}

TEST_CASE("a goodbye is answered, and what came before it is read first") {
  Pair pair;
  pair.client->write(bytes_of("bye"));
  pair.client->close();
  pair.server->on_received(bytes_of(output_of(*pair.client)));
  CHECK(pair.server->state() == State::open);
  CHECK(heard(*pair.server) == "bye");
  CHECK(pair.server->state() == State::closed);
  CHECK(output_of(*pair.server) == "\x88\x02\x03\xe8");
}

TEST_CASE("a goodbye says why") {
  for (const auto& [code, words] :
       {std::pair{"\x03\xe9"sv, ""sv},
        {"\x03\xe8 so long"sv, ""sv},
        {""sv, ""sv},
        {"\x03\xea"sv, "it closes the WebSocket: 1002"sv},
        {"\x03\xf0no\x07"sv, "it closes the WebSocket: 1008 no\\x07"sv},
        {"\x03\xf0so \""sv, "it closes the WebSocket: 1008 \"so \\\"\""sv},
        {"\x0f\xa0"sv, "it closes the WebSocket: 4000"sv}}) {
    const auto server = open_server();
    server->on_received(bytes_of(frame(0x88, code)));
    CHECK(server->state() == (words.empty() ? State::closed : State::failed));
    CHECK(server->trouble() == words);
    CHECK(output_of(*server).starts_with("\x88"));
  }
}

TEST_CASE("a frame that must not be is told to the peer, and ends the connection [MQTT-6.0.0-1]") {
  struct Row {
    std::string bytes;
    std::string_view answer;  ///< the begin of it
    std::string_view words;
  };
  const auto unmasked = "\x82\x01x"s;
  const std::vector<Row> rows{
      {frame(0x81, "text"), "\x88\x1a\x03\xebtext", "text, and MQTT is binary"},
      {frame(0x01, "text"), "\x88\x1a\x03\xebtext", "text, and MQTT is binary"},
      {"\x82\xff\x00\x00\x00\x00\x10\x00\x00\x05\0\0\0\0x"s, "\x88\x1e\x03\xf1",
       "of more than 256"},
      {"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0x"s, "\x88\x1e\x03\xf1",
       "of more than 256"},
      {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"s, "\x88", "break the rules"},
      {unmasked, "\x88\x02\x03\xea", "break the rules"},
      {frame(0x83, "x"), "\x88\x02\x03\xea", "break the rules"},
      {frame(0x8b, "x"), "\x88\x02\x03\xea", "break the rules"},
      {frame(0xc2, "x"), "\x88\x02\x03\xea", "break the rules"},
      {frame(0x80, "x"), "\x88\x02\x03\xea", "break the rules"},
      {frame(0x02, "x") + frame(0x82, "x"), "\x88\x02\x03\xea", "break the rules"},
      {frame(0x09, "x"), "\x88", "break the rules"},
      {frame(0x89, std::string(126, 'x')), "\x88", "break the rules"},
      {frame(0x88, "\x03"), "\x88", "break the rules"},
      {frame(0x88, "\x03\xe7"), "\x88\x02\x03\xea", "break the rules"},
      {frame(0x88, "\x03\xe8\xff"), "\x88\x02\x03\xef", "break the rules"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    const auto server = open_server();
    server->on_received(bytes_of(row.bytes));
    heard(*server);
    CHECK(server->state() == State::failed);
    CHECK(server->trouble().starts_with("it sends through the WebSocket "));
    CHECK(server->trouble().contains(row.words));
    CHECK(output_of(*server).starts_with(row.answer));
    server->on_received(bytes_of(frame(0x82, "later")));
    CHECK(heard(*server).empty());
  }
}

TEST_CASE("a client that only pings gets no memory for it") {
  const auto server = open_server();
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += frame(0x89, "");
  server->on_received(bytes_of(pings));
  CHECK(server->state() == State::failed);
  CHECK(server->trouble() == "it sends through the WebSocket more pings than it takes answers");
  CHECK(output_of(*server).size() < 1000);
}

TEST_CASE("a server tells strangers apart at their first byte, and sends them nothing") {
  for (const auto& [bytes, words] : {std::pair{"\x10\x0c"sv, "it speaks MQTT without WebSocket"sv},
                                     {"\x16\x03\x01"sv, "it speaks TLS"sv},
                                     {"\xff"sv, "what it speaks is no HTTP"sv}}) {
    const auto server = websocket_server({})();
    server->on_received(bytes_of(bytes));
    CHECK(server->state() == State::failed);
    CHECK(server->trouble() == std::string(words) + ", and this listener is for WebSockets");
    CHECK(output_of(*server).empty());
  }
}

TEST_CASE("a request that is refused is answered, and so is one without an end") {
  const auto refusing = websocket_server({})();
  refusing->on_received(bytes_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK(refusing->state() == State::failed);
  CHECK(refusing->trouble().starts_with("WebSocket refused, HTTP 426 Upgrade Required: "));
  CHECK(output_of(*refusing).starts_with("HTTP/1.1 426 Upgrade Required\r\n"));

  const auto server = websocket_server({.header_size_max = 100})();
  server->on_received(bytes_of("GET / HTTP/1.1\r\nA: " + std::string(80, 'x')));
  CHECK(server->state() == State::opening);
  server->on_received(bytes_of("xx"));
  CHECK(server->state() == State::failed);
  CHECK(server->trouble() == "its HTTP request is longer than 100 bytes (see packet_buffer_size)");
  CHECK(output_of(*server).starts_with("HTTP/1.1 431 "));
}

TEST_CASE("a client tells what it is that it has met") {
  const auto trouble = [](std::string_view answer) {
    const auto client = websocket_client({}, "broker", Prng(1))();
    for (const char& byte : answer) client->on_received(bytes_of({&byte, 1}));
    CHECK(client->state() == State::failed);
    return client->trouble();
  };
  CHECK(trouble("\x20\x02").starts_with("the server is no WebSocket server"));
  CHECK(trouble("HTTP/1.1 404 Not Found\r\n\r\n").contains("no WebSocket at /mqtt (HTTP 404"));
  CHECK(trouble("HTTP/1.1 200 OK\r\n" + std::string(17'000, 'x')).contains("longer than 16 KiB"));
  const auto client = open_client();
  client->on_received(bytes_of("\x88\x06\x03\xf0nope"sv));
  CHECK(client->trouble() == "the server closes the WebSocket: 1008 nope");
  const auto other = open_client();
  other->on_received(bytes_of("\x81\x01x"sv));
  CHECK(other->trouble() == "the server sends through the WebSocket text, and MQTT is binary");
}

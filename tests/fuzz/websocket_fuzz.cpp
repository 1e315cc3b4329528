#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/prng.hpp"
#include "web/handshake.hpp"
#include "web/websocket.hpp"

// The first byte of the input says who hears the rest (a server or a client), where that begins (at
// the header, or behind one that was accepted) and how it is cut. However it is cut, the same
// content must be read, and not much more must be said than was told. Each piece lies in memory of
// its own.

namespace mq::web {

namespace {

using Bytes = std::vector<Byte>;

constexpr std::string_view kRequest =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: mqtt\r\n\r\n";
constexpr std::size_t kMostWords = 2000;

std::unique_ptr<Filter> make_filter(bool is_client) {
  const auto make = is_client ? websocket_client({}, "a", Prng(1))
                              : websocket_server({.origins = {"https://a:443"}});
  return make();
}

/// What the client accepts.
std::string answer() {
  constexpr std::string_view kKey = "Sec-WebSocket-Key: ";
  Bytes request;
  make_filter(true)->take_output(request);
  const auto said = text_of(request);
  const auto key = said.substr(said.find(kKey) + kKey.size());
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         accept_of(key.substr(0, key.find('\r'))) + "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
}

struct Outcome {
  Bytes content;
  Filter::State state = Filter::State::opening;
  std::string trouble;
};

Outcome run(bool is_client, ByteView input, std::size_t longest, Prng& prng) {
  const auto filter = make_filter(is_client);
  Outcome outcome;
  Bytes out;
  filter->take_output(out);
  const std::size_t told = input.size();
  while (!input.empty()) {
    const std::size_t size = std::min<std::size_t>(1 + prng.below(longest), input.size());
    const Bytes piece(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
    input = input.subspan(size);
    filter->on_received(piece);
    std::array<Byte, 100> room;
    while (const std::size_t read = filter->read(room)) {
      outcome.content.insert(outcome.content.end(), room.begin(),
                             room.begin() + static_cast<std::ptrdiff_t>(read));
    }
    filter->take_output(out);
    MQ_CHECK(!filter->has_output());
  }
  MQ_CHECK(outcome.content.size() <= told);
  MQ_CHECK(out.size() <= told + kMostWords);
  outcome.state = filter->state();
  outcome.trouble = filter->trouble();
  MQ_CHECK((outcome.state == Filter::State::failed) == !outcome.trouble.empty());
  return outcome;
}

}  // namespace

}  // namespace mq::web

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  if (size == 0) return 0;
  mq::Prng prng(data[0]);
  std::vector<mq::Byte> input(data + 1, data + size);
  const bool is_client = (data[0] & 128U) != 0;
  const bool is_open = (data[0] & 1U) != 0;
  if (is_open) {
    const std::string header = is_client ? mq::web::answer() : std::string(mq::web::kRequest);
    const auto bytes = mq::bytes_of(header);
    input.insert(input.begin(), bytes.begin(), bytes.end());
  }
  const auto in_bytes = mq::web::run(is_client, input, 1, prng);
  MQ_CHECK(!is_open || size > 1 || in_bytes.state == mq::Filter::State::open);
  const auto in_pieces = mq::web::run(is_client, input, 300, prng);
  // How many pings are too many depends on how often they are answered.
  if (in_pieces.trouble.contains("pings")) return 0;
  MQ_CHECK(in_bytes.content == in_pieces.content);
  // Later, wslay may judge the words of a goodbye by the first of several pieces.
  const auto opening = mq::Filter::State::opening;
  MQ_CHECK((in_bytes.state == opening) == (in_pieces.state == opening));
  return 0;
}

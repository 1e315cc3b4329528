#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/prng.hpp"
#include "web/websocket.hpp"

// The first byte of the input says where the rest begins (at the request, or behind one that was
// accepted) and how it is cut. However it is cut, the server must read the same content, and must
// not say much more than it was told. Each piece lies in memory of its own.

namespace mq::web {

namespace {

using Bytes = std::vector<Byte>;

constexpr std::string_view kRequest =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: mqtt\r\n\r\n";
constexpr std::size_t kMostWords = 2000;

struct Outcome {
  Bytes content;
  Filter::State state = Filter::State::opening;
  std::string trouble;
};

Outcome run(ByteView input, std::size_t longest, Prng& prng) {
  const auto server = websocket_server({.origins = {"https://a:443"}})();
  Outcome outcome;
  Bytes out;
  const std::size_t told = input.size();
  while (!input.empty()) {
    const std::size_t size = std::min<std::size_t>(1 + prng.below(longest), input.size());
    const Bytes piece(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
    input = input.subspan(size);
    server->on_received(piece);
    std::array<Byte, 100> room;
    while (const std::size_t read = server->read(room)) {
      outcome.content.insert(outcome.content.end(), room.begin(),
                             room.begin() + static_cast<std::ptrdiff_t>(read));
    }
    server->take_output(out);
    MQ_CHECK(!server->has_output());
  }
  MQ_CHECK(outcome.content.size() <= told);
  MQ_CHECK(out.size() <= told + kMostWords);
  outcome.state = server->state();
  outcome.trouble = server->trouble();
  MQ_CHECK((outcome.state == Filter::State::failed) == !outcome.trouble.empty());
  return outcome;
}

}  // namespace

}  // namespace mq::web

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  if (size == 0) return 0;
  mq::Prng prng(data[0]);
  std::vector<mq::Byte> input(data + 1, data + size);
  if ((data[0] & 1U) != 0) {
    const auto request = mq::bytes_of(mq::web::kRequest);
    input.insert(input.begin(), request.begin(), request.end());
  }
  const auto in_bytes = mq::web::run(input, 1, prng);
  const auto in_pieces = mq::web::run(input, 300, prng);
  // How many pings are too many depends on how often they are answered.
  if (in_pieces.trouble.contains("pings")) return 0;
  MQ_CHECK(in_bytes.content == in_pieces.content);
  // Later, wslay may judge the words of a goodbye by the first of several pieces.
  const auto opening = mq::Filter::State::opening;
  MQ_CHECK((in_bytes.state == opening) == (in_pieces.state == opening));
  return 0;
}

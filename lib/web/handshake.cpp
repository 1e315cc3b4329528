#include "web/handshake.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/core/detail/base64.hpp>
#include <boost/beast/core/detail/sha1.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <cstring>

#include "base/bytes.hpp"
#include "base/printable.hpp"
#include "web/origin.hpp"

// Boost.Beast reads the HTTP. What is written is a few lines, and written by hand. Everything that
// needs Boost is here, because it compiles slowly.

namespace mq::web {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using http::field;

/// Names of the subprotocol, the better one first.
constexpr std::array<std::string_view, 2> kProtocols{"mqtt", "mqttv3.1"};
constexpr std::size_t kKeySize = 16;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

std::string base64(ByteView bytes) {
  std::string text(beast::detail::base64::encoded_size(bytes.size()), '\0');
  text.resize(beast::detail::base64::encode(text.data(), bytes.data(), bytes.size()));
  return text;
}

bool is_key(std::string_view text) {
  if (text.size() != beast::detail::base64::encoded_size(kKeySize)) return false;
  std::array<char, 32> key{};
  return beast::detail::base64::decode(key.data(), text.data(), text.size()).first == kKeySize;
}

/// Reads a header that is whole. Returns false when it is none.
template <class Parser>
bool read(Parser& parser, std::string_view header) {
  beast::error_code code;
  parser.header_limit(static_cast<std::uint32_t>(header.size()) + 1);
  parser.put(boost::asio::const_buffer(header.data(), header.size()), code);
  return !code && parser.is_header_done();
}

bool has_token(const http::fields& fields, field name, std::string_view token) {
  const auto [begin, end] = fields.equal_range(name);
  return std::any_of(begin, end, [token](const auto& one) {
    return http::token_list(one.value()).exists({token.data(), token.size()});
  });
}

/// The subprotocol that both sides know; empty: none.
std::string_view protocol_in(const http::fields& fields) {
  const auto [begin, end] = fields.equal_range(field::sec_websocket_protocol);
  for (const std::string_view known : kProtocols) {
    for (auto line = begin; line != end; ++line) {
      for (const auto& name : http::token_list(line->value())) {
        if (view(name) == known) return known;  // [MQTT-6.0.0-4]
      }
    }
  }
  return {};
}

/// A refusal, and what a person who looks at it with a browser reads.
Answer refusal(std::string_view status, std::string words, std::string_view fields = {}) {
  const bool is_upgrade = fields.starts_with("Upgrade");
  Answer answer;
  answer.bytes = "HTTP/1.1 " + std::string(status) +
                 "\r\nConnection: " + (is_upgrade ? "Upgrade, close" : "close") +
                 "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
                 std::to_string(words.size() + 1) + "\r\n" + std::string(fields) + "\r\n" + words +
                 "\n";
  answer.objection = "WebSocket refused, HTTP " + std::string(status) + ": " + std::move(words);
  return answer;
}

Answer bad_request(std::string words) {
  return refusal("400 Bad Request", std::move(words));
}

bool is_welcome(const http::fields& request, const ServerOptions& options) {
  const auto origin = request.find(field::origin);
  // Only browsers have an origin, and only they have to be kept from what other pages want.
  if (options.origins.empty() || origin == request.end()) return true;
  const auto asked = origin_of(view(origin->value()));
  return asked && std::ranges::find(options.origins, *asked) != options.origins.end();
}

Answer welcome(const http::fields& request, std::string_view protocol) {
  return {
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade"
      "\r\nSec-WebSocket-Accept: " +
          accept_of(view(request[field::sec_websocket_key])) +
          "\r\nSec-WebSocket-Protocol: " + std::string(protocol) + "\r\n\r\n",
      {}};
}

std::string status_words(const http::response_parser<http::empty_body>& parser) {
  const auto& response = parser.get();
  std::string words = "HTTP " + std::to_string(response.result_int());
  if (!response.reason().empty()) words += " " + printable(view(response.reason()), 60);
  if (const auto place = response.find(field::location); place != response.end()) {
    words += ", to be found at " + printable(view(place->value()), 200);
  }
  return words;
}

}  // namespace

std::size_t header_size(std::string_view text) {
  constexpr std::string_view kEmptyLine = "\r\n\r\n";
  const auto end = text.find(kEmptyLine);
  return end == std::string_view::npos ? 0 : end + kEmptyLine.size();
}

std::string make_key(Prng& prng) {
  std::array<Byte, kKeySize> key{};
  for (Byte& byte : key) byte = static_cast<Byte>(prng.next());
  return base64(key);
}

std::string accept_of(std::string_view key) {
  constexpr std::string_view kMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<Byte, beast::detail::sha1_context::digest_size> digest{};
  beast::detail::sha1_context context;
  beast::detail::init(context);
  beast::detail::update(context, key.data(), key.size());
  beast::detail::update(context, kMagic.data(), kMagic.size());
  beast::detail::finish(context, digest.data());
  return base64(digest);
}

std::string request_of(const ClientOptions& options, std::string_view host, std::string_view key) {
  std::string lines;
  bool has_host = false;
  for (const auto& [name, value] : options.headers) {
    lines += name + ": " + value + "\r\n";
    has_host = has_host || beast::iequals(name, "Host");
  }
  if (!has_host) lines = "Host: " + std::string(host) + "\r\n" + lines;
  return "GET " + options.path + " HTTP/1.1\r\n" + lines +
         "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
         "\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: " +  // [MQTT-6.0.0-3]
         std::string(key) +
         "\r\n\r\n";
}

Answer answer_to(std::string_view header, const ServerOptions& options) {
  constexpr std::string_view kUpgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  http::request_parser<http::empty_body> parser;
  if (!read(parser, header)) return bad_request("this is no HTTP request");
  const auto& request = parser.get();
  if (request.method() != http::verb::get) {
    return refusal("405 Method Not Allowed", "a WebSocket is opened with GET", "Allow: GET\r\n");
  }
  if (request.version() < 11) return bad_request("a WebSocket needs HTTP/1.1");
  if (request.count(field::host) != 1) return bad_request("there is to be one Host line");
  if (request.count(field::origin) > 1)
    return bad_request("there is to be one Origin line at most");
  if (!has_token(request, field::upgrade, "websocket") ||
      !has_token(request, field::connection, "upgrade")) {
    return refusal("426 Upgrade Required", "this is an MQTT broker: it speaks WebSocket only",
                   kUpgrade);
  }
  if (request[field::sec_websocket_version] != "13") {
    return refusal("426 Upgrade Required", "the WebSocket version must be 13", kUpgrade);
  }
  if (request.count(field::sec_websocket_key) != 1 ||
      !is_key(view(request[field::sec_websocket_key]))) {
    return bad_request("Sec-WebSocket-Key should be 16 bytes in base 64");
  }
  if (request.count(field::transfer_encoding) > 0 || parser.content_length().value_or(0) > 0) {
    return bad_request("there is to be nothing behind the header");
  }
  if (!is_welcome(request, options)) {
    return refusal("403 Forbidden", "pages of " + as_word(view(request[field::origin]), 100) +
                                        " may not connect (see websockets_origin)");
  }
  const std::string_view protocol = protocol_in(request);
  if (protocol.empty()) return bad_request("the subprotocol (Sec-WebSocket-Protocol) must be mqtt");
  return welcome(request, protocol);
}

std::string objection_to(std::string_view header, std::string_view key, const std::string& path) {
  http::response_parser<http::empty_body> parser;
  if (!read(parser, header)) return "the server is no WebSocket server: what it says is no HTTP";
  const auto& response = parser.get();
  if (response.result() == http::status::not_found) {
    return "the server has no WebSocket at " + printable(path) + " (" + status_words(parser) +
           "); another path is given with --ws-path";
  }
  if (response.result() != http::status::switching_protocols) {
    return "the server refuses the WebSocket at " + printable(path) + ": " + status_words(parser);
  }
  if (!has_token(response, field::upgrade, "websocket") ||
      !has_token(response, field::connection, "upgrade") ||
      view(response[field::sec_websocket_accept]) != accept_of(key)) {
    return "the server is no WebSocket server: its answer to the request for one is wrong";
  }
  if (response[field::sec_websocket_protocol] != "mqtt") {
    return "the server does not take the WebSocket subprotocol mqtt: is it an MQTT server?";
  }
  return {};
}

}  // namespace mq::web

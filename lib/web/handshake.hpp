#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/prng.hpp"
#include "web/options.hpp"

/// The opening of a WebSocket: one HTTP request, one answer.
///
/// Spec  RFC 6455 §4; MQTT 5.0 §6: the subprotocol is "mqtt"
namespace mq::web {

/// The size of the header that `text` begins with, its empty line included; 0 as long as there is
/// no such line.
std::size_t header_size(std::string_view text);

/// What the server has to prove that it has read: 16 bytes in base 64.
std::string make_key(Prng& prng);
/// ... and the proof.
std::string accept_of(std::string_view key);

/// host  the Host line: "example.org", "example.org:8080"
std::string request_of(const ClientOptions& options, std::string_view host, std::string_view key);

struct Answer {
  std::string bytes;
  std::string objection;  ///< why the answer is no; empty: the WebSocket is open
};
/// header  a request up to its empty line
Answer answer_to(std::string_view header, const ServerOptions& options);

/// Why the WebSocket is not open; empty when it is.
///
/// header  a response up to its empty line
std::string objection_to(std::string_view header, std::string_view key, const std::string& path);

}  // namespace mq::web

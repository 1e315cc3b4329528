#include "cli/ws_rows.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace mq::cli {

namespace {

bool is_visible(char letter) {
  return letter > ' ' && letter < 0x7F;
}

/// Spec  RFC 9110 §5.6.2
bool is_token(std::string_view text) {
  constexpr std::string_view kSeparators = "\"(),/:;<=>?@[\\]{}";
  return !text.empty() && std::ranges::all_of(text, [&](char letter) {
    return is_visible(letter) && !kSeparators.contains(letter);
  });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return out;
}

/// What the WebSocket itself depends on.
bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 4> kReserved{"upgrade", "connection", "content-length",
                                                      "transfer-encoding"};
  const std::string lowered = lower(name);
  return lowered.starts_with("sec-websocket-") ||
         std::ranges::find(kReserved, lowered) != kReserved.end();
}

web::ClientOptions& websocket_of(ConnectOptions& options) {
  if (!options.websocket) options.websocket.emplace();
  return *options.websocket;
}

}  // namespace

Verdict set_ws_path(ConnectOptions& options, std::string_view value) {
  if (!value.starts_with('/') || !std::ranges::all_of(value, is_visible)) {
    return wrong("must begin with / and have no spaces; write %20 for one");
  }
  websocket_of(options).path = value;
  return {};
}

Verdict add_ws_header(ConnectOptions& options, std::string_view value) {
  constexpr std::string_view kSpace = " \t";
  const auto colon = value.find(':');
  const std::string_view name = value.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name)) return wrong("must be 'NAME: VALUE'");
  if (is_reserved(name)) {
    return wrong(std::string(name) + " is a matter of the WebSocket: it cannot be given");
  }
  std::string_view rest = value.substr(colon + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpace), rest.size()));
  rest = rest.substr(0, rest.find_last_not_of(kSpace) + 1);
  const bool is_line = std::ranges::none_of(rest, [](char letter) {
    return (letter >= 0 && letter < ' ' && letter != '\t') || letter == 0x7F;
  });
  if (!is_line) return wrong("its value must be one line, without control characters");
  websocket_of(options).headers.emplace_back(name, rest);
  return {};
}

}  // namespace mq::cli

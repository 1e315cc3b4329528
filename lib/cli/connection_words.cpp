#include "cli/connection_words.hpp"

#include <fmt/format.h>

#include "cli/exit_code.hpp"
#include "wire/reason_code.hpp"

namespace mq::cli {

using client::Cause;
using wire::PacketType;
using wire::ReasonCode;

namespace {

/// The way out, where there is an obvious one.
std::string_view remedy(std::string_view words) {
  if (words.contains("refused")) {
    return ". Is a broker running there? Choose another place with -h and -p";
  }
  if (words.contains("unknown node")) return ". Is the name given with -h spelled right?";
  if (words.contains("address not available")) {
    return ". The address given with -A must be one of this machine";
  }
  if (words.contains("no such file")) return ". Is a broker listening on that path?";
  if (words.contains("does not speak TLS")) return ". Is the port right? TLS is mostly on 8883";
  if (words.contains(", not for ")) {
    return ". Use a name that it is for with -h, or --insecure to connect all the same";
  }
  if (words.contains("expired") || words.contains("not yet valid")) {
    return ". Is the clock right, here and there?";
  }
  if (words.contains("is not trusted")) return ". Name the CA that issued it with --cafile";
  if (words.contains("unknown PSK identity") || words.contains("decrypt error")) {
    return ". Does the server have the same --psk-identity and --psk?";
  }
  if (words.contains("wants a client certificate")) return ". Show one with --cert and --key";
  if (words.contains("the peer refuses it")) {
    return ". Does the server want a certificate (--cert, --key), or another version or cipher?";
  }
  return "";
}

/// The same where the proxy itself could not be connected to.
std::string_view remedy_for_proxy(std::string_view words) {
  if (words.contains("unknown node")) return ". That is the proxy: is its name spelled right?";
  return ". That is the proxy, as --proxy names it: does it run there?";
}

/// Of a server that closes a plain connection at once, or talks of something else there.
std::string_view remedy_for_way(const client::Lost& lost, const ConnectOptions& options) {
  const bool is_chosen = options.tls || options.is_tls_refused || options.websocket;
  if (lost.was_connected || is_chosen) return "";
  return ". Does it want TLS (--cafile, --tls-use-os-certs) or a WebSocket (--ws)?";
}

std::string with_words(std::string text, std::string_view words) {
  if (!words.empty()) text += fmt::format(" ({})", words);
  return text;
}

}  // namespace

std::string place(const client::Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) return fmt::format("Unix socket {}", endpoint.unix_path);
  return fmt::format("{} port {}", endpoint.host, endpoint.port);
}

std::string words_of(const client::Lost& lost, const ConnectOptions& options) {
  const std::string where = place(options.endpoint);
  switch (lost.cause) {
    case Cause::unreachable:
      return lost.words +
             std::string(options.proxy ? remedy_for_proxy(lost.words) : remedy(lost.words));
    case Cause::timed_out:
      return fmt::format("cannot connect to {}: no answer in time", where);
    case Cause::disconnected:
      return with_words(fmt::format("disconnected by {}: {}", where,
                                    wire::name(lost.reason, PacketType::disconnect)),
                        lost.words);
    case Cause::violation:
      return fmt::format("{} broke the protocol: {}{}", where, lost.words,
                         remedy_for_way(lost, options));
    case Cause::closed:
    case Cause::keep_alive:
    case Cause::unanswered:
      break;
  }
  if (!lost.was_connected) {
    return fmt::format("cannot connect to {}: {}{}{}", where, lost.words, remedy(lost.words),
                       lost.cause == Cause::closed ? remedy_for_way(lost, options) : "");
  }
  return fmt::format("connection to {} lost: {}", where, lost.words);
}

std::string words_of(const client::Refused& refused, const client::Endpoint& endpoint) {
  const bool is_v5 = refused.version == wire::Version::v5;
  std::string_view why =
      is_v5 ? wire::name(static_cast<ReasonCode>(refused.code), PacketType::connack)
            : wire::connect_return_name(refused.code);
  constexpr std::string_view kSaidAlready = "Connection Refused: ";
  if (why.starts_with(kSaidAlready)) why.remove_prefix(kSaidAlready.size());
  return with_words(fmt::format("{} refused the connection: {}", place(endpoint), why),
                    refused.reason);
}

int exit_code_of(const client::Lost& lost) {
  switch (lost.cause) {
    case Cause::unreachable:
    case Cause::timed_out:
      return exit_code::kFailure;
    case Cause::disconnected:
      return is_failure(lost.reason) ? static_cast<int>(lost.reason) : exit_code::kConnectionLost;
    case Cause::violation:
      return exit_code::kProtocol;
    case Cause::keep_alive:
      return exit_code::kKeepAlive;
    case Cause::unanswered:
      return exit_code::kTimedOut;
    case Cause::closed:
      break;
  }
  return lost.was_connected ? exit_code::kConnectionLost : exit_code::kFailure;
}

std::string_view words_of_subscription_code(Byte code) {
  return wire::name(static_cast<ReasonCode>(code), PacketType::suback);
}

}  // namespace mq::cli

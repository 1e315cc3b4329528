#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "wire/packet.hpp"
#include "wire/reason_code.hpp"

/// What a client core has to say. Views in an event are valid until the next one is taken.
namespace mq::client {

/// Names a publish, subscribe or unsubscribe; comes back with its outcome.
using Ticket = std::uint64_t;

/// The server has accepted the connection. When `session_present` is false, what was subscribed to
/// before is forgotten there.
struct Connected {
  bool session_present = false;
  bool is_first = true;  ///< since this core began
  std::string_view client_id = {};
  wire::Properties properties = {};
};

/// The server has answered CONNECT with a no.
struct Refused {
  wire::Version version{};
  std::uint8_t code = 0;    ///< v5: a ReasonCode; v3: a return code
  std::string reason = {};  ///< the server's own words, mostly none
  Instant retry_at = kNever;
};

/// A message; its topic is set even where the packet had only an alias.
struct Arrived {
  wire::Publish message;
};

enum class Outcome : std::uint8_t {
  acknowledged,  ///< QoS 1 and 2: the server has it
  sent,          ///< QoS 0: handed to the transport
  refused,       ///< by the server, or for it: see `reason`
  dropped,       ///< QoS 0: the connection went away first
};

/// What became of published messages: of one, or of `count` with consecutive tickets (QoS 0).
struct Settled {
  Ticket ticket = 0;
  std::uint64_t count = 1;
  Outcome outcome = Outcome::acknowledged;
  wire::ReasonCode reason = wire::ReasonCode::success;
  std::string_view reason_string = {};
};

struct Subscribed {
  Ticket ticket = 0;
  ByteView codes = {};  ///< one per filter: v5 a ReasonCode, v3 the granted QoS or 0x80
  wire::Properties properties = {};
};

struct Unsubscribed {
  Ticket ticket = 0;
  ByteView codes = {};  ///< none in v3
  wire::Properties properties = {};
};

enum class Cause : std::uint8_t {
  unreachable,   ///< no transport to the server
  timed_out,     ///< no CONNACK in time
  closed,        ///< the transport ended
  disconnected,  ///< the server sent DISCONNECT
  violation,     ///< the server broke the protocol
  keep_alive,    ///< the server answers no PINGREQ
  unanswered,    ///< no acknowledgement in time
};

/// The connection is gone, or never came about.
struct Lost {
  Cause cause = Cause::closed;
  wire::ReasonCode reason = wire::ReasonCode::success;  ///< of disconnected and violation
  std::string words = {};
  bool was_connected = false;
  Instant retry_at = kNever;  ///< kNever: this was the end
};

/// disconnect() is done.
struct Ended {
  /// Empty when the server closed after the goodbye, or there was no connection; else how the
  /// transport broke: what was sent last may not have arrived.
  std::string words = {};
};

using Event =
    std::variant<Connected, Refused, Arrived, Settled, Subscribed, Unsubscribed, Lost, Ended>;

}  // namespace mq::client

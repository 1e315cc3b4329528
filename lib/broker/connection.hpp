#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ring.hpp"
#include "base/text_map.hpp"
#include "base/wheel.hpp"
#include "broker/send_queue.hpp"
#include "storage/change.hpp"
#include "wire/framer.hpp"

namespace mq::broker {

struct Session;

/// Names a connection between core and driver. Never used twice.
struct ConnectionId {
  std::uint32_t slot = UINT32_MAX;
  std::uint32_t generation = 0;
  bool operator==(const ConnectionId&) const = default;
};

/// Topic aliases of one connection (MQTT 5.0 §3.3.2.3.4). Made when the first one is used.
struct Aliases {
  std::vector<std::string> incoming;  ///< alias 1 is at 0; empty: not set
  TextMap<std::uint16_t> outgoing;
};

/// A packet that leaves when what it acknowledges is stored.
struct Held {
  storage::Ticket ticket = 0;
  std::vector<Byte> bytes;
};

/// A CONNECT whose user name and password are being verified, or that waits for what somebody else
/// with its client id has sent before; and what came behind it.
struct WaitingConnect {
  std::vector<Byte> frame;
  std::vector<Byte> behind;
};

/// What CONNACK promises. It holds as long as the connection does, whatever the limits are by then.
struct Promise {
  std::size_t max_packet_size = 0;
  std::uint16_t receive_maximum = 0;  ///< 0: any
  std::uint16_t max_topic_alias = 0;
  wire::QoS max_qos{};
  bool retain_available = false;
};

/// A SUBSCRIBE, and how far it has come.
struct Subscribing {
  std::uint16_t packet_id = 0;
  std::uint32_t identifier = 0;  ///< the subscription identifier, 0 for none
  ByteView rest;                 ///< the filters that are left, as they came
  std::vector<Byte> codes;       ///< one for each filter
  std::size_t done = 0;          ///< filters
  storage::Ticket ticket = 0;    ///< of what was written for them
  std::vector<Byte> bytes{};     ///< what `rest` refers to, once the turn is over
};

/// Keeps a client to the rates of its listener, and to its share of a turn.
struct Throttle {
  Instant filled_at{};                         ///< when the two below were right
  double messages = 0;                         ///< that may still be taken now
  double bytes = 0;                            ///< likewise; below 0: it is in debt
  Instant paused_until = kNever;               ///< not read before; kNever: it is read
  std::vector<Byte> behind{};                  ///< read already, and not handled before then
  std::unique_ptr<Subscribing> subscribing{};  ///< comes before it
  bool is_gone = false;      ///< the peer has closed: what was read is the last of it
  bool is_released = false;  ///< it is read since the heir came, or since it was held back
  bool is_silent = false;    ///< nothing has come since it was made true
  std::optional<ConnectionId> heir{};  ///< who gets the session when there is nothing left
  Instant heir_since{};
};

/// What lives as long as a socket. Its deadline: when CONNECT, or the next packet, is late.
struct Connection : WheelNode {
  ConnectionId id;
  std::uint16_t listener = 0;
  wire::Version version = wire::Version::v311;
  bool is_dirty = false;
  bool has_begun = false;                    ///< a first byte has come
  bool is_behind = false;                    ///< it is among those who go on in the next turn
  bool is_anonymous = true;                  ///< no password or certificate says who it is
  bool is_verified = false;                  ///< its password is right
  std::unique_ptr<const std::string> mount;  ///< what its topics begin with unseen; none: nothing
  std::unique_ptr<const std::string> proved_name;  ///< the user name; none: no transport proved it
  Session* session = nullptr;                      ///< none: CONNECT has not come
  wire::Framer framer;
  std::unique_ptr<WaitingConnect> waiting;  ///< until on_verified() or let_heirs_in()
  std::unique_ptr<Throttle> throttle;       ///< none: it may send as fast as it can
  Promise promise;
  SendQueue out;
  Instant last_received{};
  Instant held_since = kNever;            ///< see Core::hold_back(); kNever: it is read
  Instant frame_begun = kNever;           ///< when the frame began that is not whole yet
  std::uint16_t keep_alive = 0;           ///< seconds; 0: none
  std::uint16_t receive_maximum = 0;      ///< how many QoS 1 and 2 messages it may have under way
  std::uint16_t topic_alias_maximum = 0;  ///< how many aliases it accepts
  std::uint32_t maximum_packet_size = wire::kMaximumPacketSize;  ///< that it accepts
  std::uint32_t unsent_packets = 0;                              ///< since `out` was empty last
  std::unique_ptr<Aliases> aliases;                              // [MQTT-3.3.2-7]
  Ring<Held> held;             ///< in the order in which they are to leave
  std::size_t held_bytes = 0;  ///< of memory for them
  std::size_t kept_bytes = 0;  ///< of what it said, and was not handled; see Core::keep()
};

}  // namespace mq::broker

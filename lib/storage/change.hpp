#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/block.hpp"
#include "base/bytes.hpp"
#include "base/time.hpp"

/// What is to survive, as changes to it. A put replaces what has the same key; a drop of what is
/// not there is nothing. Nothing here knows MQTT: QoS, flags and properties are bytes.
namespace mq::storage {

/// Names a batch; comes back when it is stored.
using Ticket = std::uint64_t;
/// Names a message body, which is stored once however many refer to it; 0 for none.
using MessageId = std::uint64_t;

/// asleep_since of a session that has a connection.
inline constexpr WallTime kAwake{};
/// fresh_from of a session of which nobody knows what it was sent.
inline constexpr std::uint64_t kAnythingSent = UINT64_MAX >> 1U;
/// expires_at of what does not expire.
inline constexpr WallTime kDoesNotExpire = WallTime::max();

struct Body {
  std::string topic;
  std::vector<Byte> properties;
  std::vector<Byte> payload;
  std::uint8_t qos = 0;
  bool retain = false;
  WallTime expires_at = kDoesNotExpire;
  bool operator==(const Body&) const = default;
};

struct Will {
  std::string topic;
  std::vector<Byte> properties;
  std::vector<Byte> payload;
  std::uint8_t qos = 0;
  bool retain = false;
  Seconds delay{0};
  bool operator==(const Will&) const = default;
};

struct PutSession {
  std::string client_id;
  std::uint32_t expiry_interval = 0;  ///< seconds; UINT32_MAX: never
  WallTime asleep_since = kAwake;
  /// What has this sequence number or a higher one was never sent, what has a lower one was.
  std::uint64_t fresh_from = kAnythingSent;
};
/// With everything that belongs to it.
struct DropSession {
  std::string client_id;
};
struct PutWill {
  std::string client_id;
  Will will;
};
struct DropWill {
  std::string client_id;
};
struct PutSubscription {
  std::string client_id;
  std::string filter;
  std::uint32_t identifier = 0;
  std::uint8_t options = 0;
};
struct DropSubscription {
  std::string client_id;
  std::string filter;
};
/// Comes before whatever refers to it. A body to which nothing refers any more goes by itself.
struct PutMessage {
  MessageId id = 0;
  Body body;
};
/// Of a sequence number above all that are in this queue since earlier batches. The message comes
/// with the same batch, or is retained when the batch begins.
struct PutQueued {
  std::string client_id;
  std::uint64_t sequence = 0;
  MessageId message = 0;
  std::uint8_t qos = 0;
  std::uint8_t flags = 0;
  std::uint32_t origin = 0;  ///< the subscription identifier
  std::uint64_t size = 0;    ///< of the payload, in bytes
};
/// PUBREC has come: only the sequence number is still needed.
struct ReleaseQueued {
  std::string client_id;
  std::uint64_t sequence = 0;
};
struct DropQueued {
  std::string client_id;
  std::uint64_t sequence = 0;
};
/// Of a packet id that is not there.
struct PutIncoming {
  std::string client_id;
  std::uint16_t packet_id = 0;
};
struct DropIncoming {
  std::string client_id;
  std::uint16_t packet_id = 0;
};
/// Who published what is retained, where that is of interest.
struct Source {
  std::uint16_t listener = 0;  ///< its port; 0: a Unix socket
  std::string user_name;
  std::string client_id;  ///< empty: nobody knows
  bool operator==(const Source&) const = default;
};
struct PutRetained {
  std::string topic;
  MessageId message = 0;
  WallTime expires_at = kDoesNotExpire;  ///< as the body has it
  Source source{};
};
struct DropRetained {
  std::string topic;
};

using Change = std::variant<PutSession, DropSession, PutWill, DropWill, PutSubscription,
                            DropSubscription, PutMessage, PutQueued, ReleaseQueued, DropQueued,
                            PutIncoming, DropIncoming, PutRetained, DropRetained>;

/// Changes that are stored together or not at all.
struct Batch {
  Ticket ticket = 0;
  std::vector<Change> changes;
};

}  // namespace mq::storage

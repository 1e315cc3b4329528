#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/block.hpp"
#include "broker/message.hpp"
#include "wire/packet.hpp"

namespace mq::broker {

inline constexpr std::uint32_t kNoSession = UINT32_MAX;

/// A payload up to this size is copied behind its header; a longer one is sent from where it is.
inline constexpr std::size_t kCopiedPayload = 512;

/// Where the broker publishes what it has to tell of itself.
inline constexpr std::string_view kOwnTopics = "$SYS/broker/";

/// Only the broker itself publishes there.
inline bool is_reserved(std::string_view topic) {
  return topic.starts_with('$') && (topic.starts_with("$SYS/") || topic.starts_with("$CONTROL/"));
}

/// Bytes to send one after the other; the payload is empty when the head holds it.
struct Encoded {
  ByteView head;
  ByteView payload;
  bool is_as_received = false;  ///< the head is the frame that came in
};

/// A PUBLISH at QoS 1 or 2 as it was written for its first receiver. For others of the same dialect
/// no more than the packet id is another one, and not even that for those who have had as many
/// messages as he has.
struct Pattern {
  Encoded encoded;
  std::size_t packet_id_at = 0;  ///< in the head
  std::uint16_t packet_id = 0;
  Byte first = 0;  ///< the head's first byte
  bool is_v5 = false;

  bool suits(wire::Version version, Byte wanted) const {
    return first == wanted && is_v5 == (version == wire::Version::v5);
  }
};

/// One PUBLISH for one connection.
struct Outgoing {
  wire::QoS qos{};
  bool dup = false;
  bool retain = false;
  std::uint16_t packet_id = 0;
  std::uint32_t identifier = 0;  ///< of the subscription; 0 for none
  std::string_view topic{};
  wire::Properties properties{};
  ByteView payload{};
  std::optional<std::uint32_t> remaining{};  ///< seconds until it expires
  const BlockRef& owner;                     ///< of the payload; none: it is the turn's
};

/// A message on its way through the broker, in the turn in which it came: still the bytes that
/// were read, and whatever its receivers have needed made from them so far.
struct Incoming {
  wire::Publish packet;  ///< topic resolved, no topic alias among the properties
  wire::Version version = wire::Version::v5;
  std::uint32_t publisher = kNoSession;
  ByteView frame{};  ///< as it came from a client of `version`, when `packet` is all that it says
  BlockRef owner{};  ///< of the bytes, where they are not the turn's
  Message message{};
  std::array<Encoded, 2> at_most_once{};  ///< for QoS 0 to v3 and to v5, without retain flag
  Pattern pattern{};                      ///< for QoS 1 and 2

  const Message& shared(Instant now) {
    if (!message) message = Message::of(packet, packet.topic, now);
    return message;
  }
};

}  // namespace mq::broker

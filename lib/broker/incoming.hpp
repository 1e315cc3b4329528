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
  ByteView frame{};  ///< as it may leave at QoS 0 to clients of `version`; else empty
  BlockRef owner{};  ///< of the bytes, where they are not the turn's
  Message message{};
  std::array<Encoded, 2> at_most_once{};  ///< for QoS 0 to v3 and to v5, without retain flag

  const Message& shared(Instant now) {
    if (!message) message = Message::of(packet, packet.topic, now);
    return message;
  }
};

}  // namespace mq::broker

#pragma once

#include <expected>

#include "wire/fault.hpp"
#include "wire/packet.hpp"

namespace mq::wire {

/// Parses one control packet from exactly one frame.
///
/// frame     first byte of the fixed header to the last byte, as Framer::next() yields it
/// version   agreed in CONNECT; decides whether properties and reason codes are read. Of no
///           account for CONNECT itself, which says its own
/// Returns   the packet; its strings, payload and properties are views into `frame`
/// Fails     the Fault to answer the peer with: malformed packet or protocol error, for a CONNECT
///           also unsupported protocol version, for a PUBLISH also topic name invalid
/// Cost      one pass; allocates only for lists of filters
/// Spec      MQTT 5.0 §2, §3.1-3.15; 3.1.1 §2, §3.1-3.14
[[nodiscard]] std::expected<Packet, Fault> decode(ByteView frame, Version version);

/// The same for a frame whose first byte says PUBLISH, without the variant around it.
[[nodiscard]] std::expected<Publish, Fault> decode_publish(ByteView frame, Version version);

/// Takes the next subscription off `rest`: what is left of the filters of a SUBSCRIBE that decode()
/// has found good. Its filter is a view into them.
[[nodiscard]] Subscription take_subscription(ByteView& rest, Version version);

/// PUBACK, PUBREC, PUBREL, PUBCOMP alike, without the variant around it.
struct AnyAcknowledgement {
  PacketType type{};
  std::uint16_t packet_id = 0;
  ReasonCode reason = ReasonCode::success;
  Properties properties;
};
[[nodiscard]] std::expected<AnyAcknowledgement, Fault> decode_acknowledgement(ByteView frame,
                                                                              Version version);

/// The packet id of a PUBACK in its shortest form, which nearly all are; 0 for everything else.
inline std::uint16_t short_puback_id(ByteView frame) {
  const bool is_short = frame.size() == 4 && frame[0] == 0x40 && frame[1] == 2;
  return is_short ? static_cast<std::uint16_t>(frame[2] << 8U | frame[3]) : std::uint16_t{0};
}

/// What a frame's first byte says it is; 0 (not a PacketType) for the reserved one.
inline PacketType packet_type(ByteView frame) {
  return static_cast<PacketType>(frame[0] >> 4U);
}

}  // namespace mq::wire

#include "wire/decode.hpp"

#include "wire/decode_parts.hpp"
#include "wire/property_reader.hpp"

// A packet is read front to back by a Reader that keeps its first fault and answers zero
// afterwards: so a decoder is a straight line that takes one field after the other and says, next
// to it, what the standard demands of it. Only at the end is it asked whether there was a fault.
// Since the first fault wins, the order of the lines decides which one a peer is told.
//
// PUBLISH and the four acknowledgements, which are nearly all of the traffic, can be had without
// the variant, and an acknowledgement of two bytes without any of this.

namespace mq::wire {

namespace {

constexpr Byte kDup = 0x08;
constexpr Byte kRetain = 0x01;

/// What of each acknowledgement can be wrong.
struct AcknowledgementRules {
  Byte flags;
  const Fault& wrong_flags;
  const Fault& wrong_code;
};

AcknowledgementRules rules_of(PacketType type) {
  switch (type) {
    case PacketType::puback:
      return {0, fault::kReservedFlags, fault::kPubackCode};
    case PacketType::pubrec:
      return {0, fault::kReservedFlags, fault::kPubrecCode};
    case PacketType::pubrel:
      return {2, fault::kPubrelFlags, fault::kPubrelCode};
    default:
      return {0, fault::kReservedFlags, fault::kPubcompCode};
  }
}

void read_acknowledgement(Reader& reader, Byte first, Version version, AnyAcknowledgement& packet) {
  packet.type = static_cast<PacketType>(first >> 4U);
  const AcknowledgementRules rules = rules_of(packet.type);
  Byte flags = first & 0x0FU;
  // In 3.1 a PUBREL could be a repetition.
  if (version == Version::v31 && packet.type == PacketType::pubrel) flags &= Byte{0x07};
  reader.fail_unless(flags == rules.flags, rules.wrong_flags);  // [MQTT-2.1.3-1] [MQTT-3.6.1-1]
  packet.packet_id = reader.packet_id();
  if (version != Version::v5 || reader.at_end()) return;
  packet.reason = static_cast<ReasonCode>(reader.byte());
  reader.fail_unless(is_allowed(packet.reason, packet.type), rules.wrong_code);
  if (!reader.at_end()) packet.properties = read_properties(reader, in(packet.type));
}

/// Nearly every acknowledgement is four bytes without a fault, and can be told to be at a glance.
bool is_simple(ByteView frame, AnyAcknowledgement& packet) {
  if (frame.size() != 4 || frame[1] != 2) return false;
  packet.type = static_cast<PacketType>(frame[0] >> 4U);
  packet.packet_id = static_cast<std::uint16_t>(frame[2] << 8U | frame[3]);
  return packet.packet_id != 0 && (frame[0] & 0x0FU) == rules_of(packet.type).flags;
}

template <class P>
std::expected<Packet, Fault> read_one_of_four(Reader& reader, Byte first, Version version) {
  AnyAcknowledgement any;
  read_acknowledgement(reader, first, version, any);
  return finish<Packet>(reader, P{any.packet_id, any.reason, any.properties});
}

void read_publish(Reader& reader, Byte first, Version version, Publish& packet) {
  packet.qos = static_cast<QoS>(first >> 1U & 3U);
  packet.dup = (first & kDup) != 0;
  packet.retain = (first & kRetain) != 0;
  const bool has_id = packet.qos != QoS::at_most_once;
  reader.fail_unless((first >> 1U & 3U) != 3, fault::kQos);          // [MQTT-3.3.1-4]
  reader.fail_unless(has_id || !packet.dup, fault::kDupWithoutQos);  // [MQTT-3.3.1-2]
  packet.topic = reader.topic();                                     // [MQTT-3.3.2-1]
  if (has_id) packet.packet_id = reader.packet_id();
  if (version == Version::v5) {
    packet.properties = read_properties(reader, in(PacketType::publish));
    const bool has_topic =
        !packet.topic.empty() || packet.properties.number(PropertyId::topic_alias).has_value();
    reader.fail_unless(has_topic, fault::kTopicMissing);
  } else {
    reader.fail_unless(!packet.topic.empty(), fault::kTopicEmpty);  // [MQTT-4.7.3-1]
  }
  packet.payload = reader.rest();
}

Disconnect read_disconnect(Reader& reader, Byte flags, Version version) {
  Disconnect packet;
  reader.fail_unless(flags == 0, fault::kDisconnectFlags);  // [MQTT-3.14.1-1]
  if (version != Version::v5 || reader.at_end()) return packet;
  packet.reason = static_cast<ReasonCode>(reader.byte());
  reader.fail_unless(is_allowed(packet.reason, PacketType::disconnect),
                     fault::kDisconnectCode);  // [MQTT-3.14.2-1]
  if (!reader.at_end()) packet.properties = read_properties(reader, in(PacketType::disconnect));
  return packet;
}

Auth read_auth(Reader& reader, Byte flags) {
  Auth packet;
  reader.fail_unless(flags == 0, fault::kAuthFlags);  // [MQTT-3.15.1-1]
  if (reader.at_end()) return packet;
  packet.reason = static_cast<ReasonCode>(reader.byte());
  reader.fail_unless(is_allowed(packet.reason, PacketType::auth),
                     fault::kAuthCode);  // [MQTT-3.15.2-1]
  if (!reader.at_end()) packet.properties = read_properties(reader, in(PacketType::auth));
  const bool has_method = packet.properties.find(PropertyId::authentication_method).has_value();
  reader.fail_unless(has_method, fault::kNoAuthenticationMethod);
  return packet;
}

/// A CONNECT says itself which version it is of, so its fixed header is judged afterwards.
std::expected<Packet, Fault> decode_connect(ByteView frame, Reader& reader, Byte flags) {
  const Connect packet = read_connect(reader, flags);
  Reader header(frame);
  header.fixed_header(packet.version);
  if (header.failed()) reader.fail(header.fault());
  return finish<Packet>(reader, packet);
}

}  // namespace

std::expected<Publish, Fault> decode_publish(ByteView frame, Version version) {
  Reader reader(frame);
  const Byte first = reader.fixed_header(version);
  std::expected<Publish, Fault> packet;
  read_publish(reader, first, version, *packet);
  if (reader.failed()) [[unlikely]] {
    packet = std::unexpected(reader.fault());
  }
  return packet;
}

std::expected<AnyAcknowledgement, Fault> decode_acknowledgement(ByteView frame, Version version) {
  AnyAcknowledgement simple;
  if (is_simple(frame, simple)) [[likely]] {
    return simple;
  }
  Reader reader(frame);
  const Byte first = reader.fixed_header(version);
  AnyAcknowledgement packet;
  read_acknowledgement(reader, first, version, packet);
  return finish(reader, packet);
}

std::expected<Packet, Fault> decode(ByteView frame, Version version) {
  Reader reader(frame);
  const bool is_connect = !frame.empty() && packet_type(frame) == PacketType::connect;
  const Byte first = reader.fixed_header(is_connect ? Version::v311 : version);
  if (reader.failed()) return std::unexpected(reader.fault());
  const Byte flags = first & 0x0FU;
  switch (packet_type(frame)) {
    case PacketType::connect:
      return decode_connect(frame, reader, flags);
    case PacketType::connack:
      return finish<Packet>(reader, read_connack(reader, flags, version));
    case PacketType::publish:
      return decode_publish(frame, version);
    case PacketType::puback:
      return read_one_of_four<Puback>(reader, first, version);
    case PacketType::pubrec:
      return read_one_of_four<Pubrec>(reader, first, version);
    case PacketType::pubrel:
      return read_one_of_four<Pubrel>(reader, first, version);
    case PacketType::pubcomp:
      return read_one_of_four<Pubcomp>(reader, first, version);
    case PacketType::subscribe:
      return finish<Packet>(reader, read_subscribe(reader, flags, version));
    case PacketType::suback:
      return finish<Packet>(reader, read_suback(reader, flags, version));
    case PacketType::unsubscribe:
      return finish<Packet>(reader, read_unsubscribe(reader, flags, version));
    case PacketType::unsuback:
      return finish<Packet>(reader, read_unsuback(reader, flags, version));
    case PacketType::pingreq:
      reader.fail_unless(flags == 0, fault::kReservedFlags);
      return finish<Packet>(reader, Pingreq());
    case PacketType::pingresp:
      reader.fail_unless(flags == 0, fault::kReservedFlags);
      return finish<Packet>(reader, Pingresp());
    case PacketType::disconnect:
      return finish<Packet>(reader, read_disconnect(reader, flags, version));
    case PacketType::auth:
      if (version != Version::v5) break;
      return finish<Packet>(reader, read_auth(reader, flags));
  }
  return std::unexpected(fault::kReservedType);
}

}  // namespace mq::wire

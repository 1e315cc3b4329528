#include "wire/decode_parts.hpp"
#include "wire/property_reader.hpp"

namespace mq::wire {

namespace {

// Connect flags (MQTT 5.0 §3.1.2.3).
constexpr Byte kReserved = 0x01;
constexpr Byte kCleanStart = 0x02;
constexpr Byte kWill = 0x04;
constexpr Byte kWillRetain = 0x20;
constexpr Byte kPassword = 0x40;
constexpr Byte kUserName = 0x80;

constexpr Byte kBridge = 0x80;  ///< on the version number

/// Reads the protocol name and version, of which only three pairs exist.
void read_protocol(Reader& reader, Connect& packet) {
  const std::string_view name = text_of(reader.binary());
  reader.fail_unless(name == "MQTT" || name == "MQIsdp", fault::kProtocolName);  // [MQTT-3.1.2-1]
  const Byte number = reader.byte();
  const auto version = static_cast<Version>(number & ~kBridge);
  packet.is_bridge = (number & kBridge) != 0;
  const bool is_known =
      name == "MQIsdp" ? version == Version::v31
                       : version == Version::v311 || (version == Version::v5 && !packet.is_bridge);
  reader.fail_unless(is_known, fault::kProtocolVersion);  // [MQTT-3.1.2-2]
  packet.version = version;
}

QoS will_qos(Byte flags) {
  return static_cast<QoS>(flags >> 3U & 3U);
}

void check_flags(Reader& reader, Byte flags, Version version) {
  reader.fail_unless((flags & kReserved) == 0, fault::kConnectFlags);  // [MQTT-3.1.2-3]
  reader.fail_unless((flags >> 3U & 3U) != 3, fault::kWillQos);        // [MQTT-3.1.2-12]
  if ((flags & kWill) == 0) {
    const bool has_qos = will_qos(flags) != QoS::at_most_once;
    reader.fail_unless(!has_qos, fault::kWillQosWithoutWill);  // [MQTT-3.1.2-11]
    reader.fail_unless((flags & kWillRetain) == 0,
                       fault::kWillRetainWithoutWill);  // [MQTT-3.1.2-13]
  }
  const bool is_password_alone = (flags & (kUserName | kPassword)) == kPassword;
  reader.fail_unless(version == Version::v5 || !is_password_alone,
                     fault::kPasswordAlone);  // [MQTT3-3.1.2-22]
}

Will read_will(Reader& reader, Byte flags, Version version) {
  Will will;
  will.qos = will_qos(flags);
  will.retain = (flags & kWillRetain) != 0;
  if (version == Version::v5) will.properties = read_properties(reader, kInWill);
  will.topic = reader.topic();
  reader.fail_unless(!will.topic.empty(), fault::kTopicEmpty);  // [MQTT-4.7.3-1]
  will.payload = reader.binary();
  return will;
}

}  // namespace

Connect read_connect(Reader& reader, Byte fixed_flags) {
  Connect packet;
  read_protocol(reader, packet);
  reader.fail_unless(fixed_flags == 0, fault::kReservedFlags);  // [MQTT-2.1.3-1]
  const Byte flags = reader.byte();
  check_flags(reader, flags, packet.version);
  packet.clean_start = (flags & kCleanStart) != 0;
  packet.keep_alive = reader.two_bytes();
  if (packet.version == Version::v5) {
    packet.properties = read_properties(reader, in(PacketType::connect));
  }
  packet.client_id = reader.text();
  if ((flags & kWill) != 0) packet.will = read_will(reader, flags, packet.version);
  // 3.1 lets a client set the flags and end the packet without the fields.
  const bool may_end = packet.version == Version::v31;
  if ((flags & kUserName) != 0 && !(may_end && reader.at_end())) packet.user_name = reader.text();
  if ((flags & kPassword) != 0 && !(may_end && reader.at_end())) packet.password = reader.binary();
  return packet;
}

Connack read_connack(Reader& reader, Byte fixed_flags, Version version) {
  Connack packet;
  reader.fail_unless(fixed_flags == 0, fault::kReservedFlags);  // [MQTT-2.1.3-1]
  const Byte flags = reader.byte();
  reader.fail_unless(flags <= 1, fault::kConnackFlags);  // [MQTT-3.2.2-1]
  packet.session_present = flags == 1 && version != Version::v31;
  packet.code = reader.byte();
  const bool is_known = version == Version::v5
                            ? is_allowed(static_cast<ReasonCode>(packet.code), PacketType::connack)
                            : packet.code <= 5;
  reader.fail_unless(is_known, fault::kConnackCode);  // [MQTT-3.2.2-8]
  reader.fail_unless(packet.code == 0 || !packet.session_present,
                     fault::kSessionWithRefusal);  // [MQTT-3.2.2-6]
  if (version == Version::v5) {
    packet.properties = read_properties(reader, in(PacketType::connack));
  }
  return packet;
}

}  // namespace mq::wire

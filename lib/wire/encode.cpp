#include "wire/encode.hpp"

#include <string_view>
#include <utility>

#include "wire/sink.hpp"

// One function per packet writes everything behind the fixed header, to whatever sink it is given.
// It runs twice: on a sink that counts, since the length stands in front, and on the memory of the
// caller. So a size cannot disagree with what is written.

namespace mq::wire {

namespace {

template <class... Bits>
constexpr Byte bits(Bits... parts) {
  return static_cast<Byte>((static_cast<unsigned>(parts) | ...));
}

constexpr unsigned bit(bool is_set, unsigned position) {
  return static_cast<unsigned>(is_set) << position;
}

constexpr unsigned shifted(QoS qos, unsigned position) {
  return static_cast<unsigned>(qos) << position;
}

template <class Sink>
void put_properties(Sink& sink, const Properties& properties, Version version) {
  if (version != Version::v5) return;
  put_varint(sink, properties.encoded().size());  // [MQTT-2.2.2-1]
  sink.bytes(properties.encoded());
}

template <class Sink>
void put_text(Sink& sink, std::string_view text) {
  put_binary(sink, bytes_of(text));
}

/// A reason code and properties that may be missing: both, or the properties.
template <class Sink>
void put_reason(Sink& sink, ReasonCode reason, const Properties& properties, Version version) {
  if (version != Version::v5) return;
  if (reason == ReasonCode::success && properties.empty()) return;
  sink.byte(static_cast<Byte>(reason));
  if (!properties.empty()) put_properties(sink, properties, version);
}

template <class Sink>
void put_body(Sink& sink, const Connect& packet, Version) {
  const Version version = packet.version;
  put_text(sink, version == Version::v31 ? "MQIsdp" : "MQTT");
  sink.byte(bits(version, bit(packet.is_bridge && version != Version::v5, 7)));
  const Will* will = packet.will ? &*packet.will : nullptr;
  // [MQTT-3.1.2-16] [MQTT-3.1.2-18]
  sink.byte(bits(bit(packet.user_name.has_value(), 7), bit(packet.password.has_value(), 6),
                 // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
                 will == nullptr ? 0U : bit(true, 2) | bit(will->retain, 5) | shifted(will->qos, 3),
                 bit(packet.clean_start, 1)));
  put_two_bytes(sink, packet.keep_alive);
  put_properties(sink, packet.properties, version);
  put_text(sink, packet.client_id);  // [MQTT-3.1.3-1] [MQTT-3.1.3-3]
  if (will != nullptr) {
    put_properties(sink, will->properties, version);
    put_text(sink, will->topic);  // [MQTT-3.1.2-9]
    put_binary(sink, will->payload);
  }
  if (packet.user_name) put_text(sink, *packet.user_name);  // [MQTT-3.1.2-17]
  if (packet.password) put_binary(sink, *packet.password);  // [MQTT-3.1.2-19]
}

template <class Sink>
void put_body(Sink& sink, const Connack& packet, Version version) {
  sink.byte(bits(bit(packet.session_present && version != Version::v31, 0)));  // [MQTT-3.2.2-1]
  sink.byte(packet.code);
  put_properties(sink, packet.properties, version);
}

/// All of a PUBLISH's body but its payload.
template <class Sink>
void put_publish_head(Sink& sink, const Publish& packet, Version version) {
  put_text(sink, packet.topic);                                                // [MQTT-3.3.2-1]
  if (packet.qos != QoS::at_most_once) put_two_bytes(sink, packet.packet_id);  // [MQTT-2.2.1-2]
  put_properties(sink, packet.properties, version);
}

template <class Sink>
void put_body(Sink& sink, const Publish& packet, Version version) {
  put_publish_head(sink, packet, version);
  sink.bytes(packet.payload);
}

template <class Sink, PacketType type>
void put_body(Sink& sink, const Acknowledgement<type>& packet, Version version) {
  put_two_bytes(sink, packet.packet_id);
  put_reason(sink, packet.reason, packet.properties, version);
}

template <class Sink>
void put_body(Sink& sink, const Subscribe& packet, Version version) {
  put_two_bytes(sink, packet.packet_id);
  put_properties(sink, packet.properties, version);
  for (const auto& [filter, options] : packet.subscriptions) {
    put_text(sink, filter);
    const Byte v5_bits =
        bits(options.qos, bit(options.no_local, 2), bit(options.retain_as_published, 3),
             static_cast<unsigned>(options.retain_handling) << 4U);
    sink.byte(version == Version::v5 ? v5_bits : bits(options.qos));
  }
}

template <class Sink>
void put_body(Sink& sink, const Suback& packet, Version version) {
  put_two_bytes(sink, packet.packet_id);
  put_properties(sink, packet.properties, version);
  sink.bytes(packet.codes);
}

template <class Sink>
void put_body(Sink& sink, const Unsubscribe& packet, Version version) {
  put_two_bytes(sink, packet.packet_id);
  put_properties(sink, packet.properties, version);
  for (const std::string_view filter : packet.filters) put_text(sink, filter);
}

template <class Sink>
void put_body(Sink& sink, const Unsuback& packet, Version version) {
  put_two_bytes(sink, packet.packet_id);
  if (version != Version::v5) return;
  put_properties(sink, packet.properties, version);
  sink.bytes(packet.codes);
}

template <class Sink>
void put_body(Sink&, const Pingreq&, Version) {}

template <class Sink>
void put_body(Sink&, const Pingresp&, Version) {}

template <class Sink>
void put_body(Sink& sink, const Disconnect& packet, Version version) {
  put_reason(sink, packet.reason, packet.properties, version);
}

template <class Sink>
void put_body(Sink& sink, const Auth& packet, Version version) {
  MQ_CHECK(version == Version::v5);
  put_reason(sink, packet.reason, packet.properties, version);
}

// The first byte of each packet.

constexpr Byte first_byte(PacketType type, unsigned flags = 0) {
  return bits(static_cast<unsigned>(type) << 4U, flags);
}

Byte first_byte_of(const Connect&) {
  return first_byte(PacketType::connect);
}
Byte first_byte_of(const Connack&) {
  return first_byte(PacketType::connack);
}
Byte first_byte_of(const Publish& packet) {
  return first_byte(PacketType::publish,
                    bit(packet.dup, 3) | shifted(packet.qos, 1) | bit(packet.retain, 0));
}
template <PacketType type>
Byte first_byte_of(const Acknowledgement<type>&) {
  return first_byte(type, type == PacketType::pubrel ? 2 : 0);  // [MQTT-3.6.1-1]
}
Byte first_byte_of(const Subscribe&) {
  return first_byte(PacketType::subscribe, 2);
}
Byte first_byte_of(const Suback&) {
  return first_byte(PacketType::suback);
}
Byte first_byte_of(const Unsubscribe&) {
  return first_byte(PacketType::unsubscribe, 2);
}
Byte first_byte_of(const Unsuback&) {
  return first_byte(PacketType::unsuback);
}
Byte first_byte_of(const Pingreq&) {
  return first_byte(PacketType::pingreq);
}
Byte first_byte_of(const Pingresp&) {
  return first_byte(PacketType::pingresp);
}
Byte first_byte_of(const Disconnect&) {
  return first_byte(PacketType::disconnect);
}
Byte first_byte_of(const Auth&) {
  return first_byte(PacketType::auth);
}

template <class P>
std::size_t body_size(const P& packet, Version version) {
  CountingSink sink;
  put_body(sink, packet, version);
  return sink.size();
}

std::size_t fixed_header_size(std::size_t body_size) {
  CountingSink sink;
  put_varint(sink, body_size);
  return 1 + sink.size();
}

template <class P>
void put_fixed_header(MemorySink& sink, const P& packet, Version version) {
  const std::size_t size = body_size(packet, version);
  MQ_CHECK(size <= kMaximumBodySize);
  sink.byte(first_byte_of(packet));
  put_varint(sink, size);
}

}  // namespace

template <class P>
std::size_t encoded_size(const P& packet, Version version) {
  const std::size_t size = body_size(packet, version);
  return fixed_header_size(size) + size;
}

template <class P>
Byte* encode(const P& packet, Version version, Byte* out) {
  MemorySink sink(out);
  put_fixed_header(sink, packet, version);
  put_body(sink, packet, version);
  return sink.end();
}

template <>
std::size_t encoded_size(const Packet& packet, Version version) {
  return std::visit([&](const auto& held) { return encoded_size(held, version); }, packet);
}

template <>
Byte* encode(const Packet& packet, Version version, Byte* out) {
  return std::visit([&](const auto& held) { return encode(held, version, out); }, packet);
}

std::size_t encoded_header_size(const Publish& packet, Version version) {
  return encoded_size(packet, version) - packet.payload.size();
}

Byte* encode_header(const Publish& packet, Version version, Byte* out) {
  MemorySink sink(out);
  put_fixed_header(sink, packet, version);
  put_publish_head(sink, packet, version);
  return sink.end();
}

template std::size_t encoded_size(const Connect&, Version);
template std::size_t encoded_size(const Connack&, Version);
template std::size_t encoded_size(const Publish&, Version);
template std::size_t encoded_size(const Puback&, Version);
template std::size_t encoded_size(const Pubrec&, Version);
template std::size_t encoded_size(const Pubrel&, Version);
template std::size_t encoded_size(const Pubcomp&, Version);
template std::size_t encoded_size(const Subscribe&, Version);
template std::size_t encoded_size(const Suback&, Version);
template std::size_t encoded_size(const Unsubscribe&, Version);
template std::size_t encoded_size(const Unsuback&, Version);
template std::size_t encoded_size(const Pingreq&, Version);
template std::size_t encoded_size(const Pingresp&, Version);
template std::size_t encoded_size(const Disconnect&, Version);
template std::size_t encoded_size(const Auth&, Version);

template Byte* encode(const Connect&, Version, Byte*);
template Byte* encode(const Connack&, Version, Byte*);
template Byte* encode(const Publish&, Version, Byte*);
template Byte* encode(const Puback&, Version, Byte*);
template Byte* encode(const Pubrec&, Version, Byte*);
template Byte* encode(const Pubrel&, Version, Byte*);
template Byte* encode(const Pubcomp&, Version, Byte*);
template Byte* encode(const Subscribe&, Version, Byte*);
template Byte* encode(const Suback&, Version, Byte*);
template Byte* encode(const Unsubscribe&, Version, Byte*);
template Byte* encode(const Unsuback&, Version, Byte*);
template Byte* encode(const Pingreq&, Version, Byte*);
template Byte* encode(const Pingresp&, Version, Byte*);
template Byte* encode(const Disconnect&, Version, Byte*);
template Byte* encode(const Auth&, Version, Byte*);

}  // namespace mq::wire

#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

/// As much of MQTT 3.1.1 as it takes to load a broker. It shares no code with lib/wire, so that
/// both cannot be wrong in the same way.
namespace mq::bench {

using Bytes = std::vector<Byte>;

enum Type : unsigned {
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kPubrec = 5,
  kPubrel = 6,
  kPubcomp = 7,
  kSubscribe = 8,
  kSuback = 9,
  kUnsubscribe = 10,
  kUnsuback = 11,
  kPingreq = 12,
  kPingresp = 13,
  kDisconnect = 14,
};

inline unsigned two_bytes(const Byte* at) {
  return static_cast<unsigned>(at[0] << 8U | at[1]);
}

/// A frame that was cut from a stream.
struct Frame {
  Byte first = 0;
  ByteView body;
  std::size_t size = 0;  ///< with its header; 0: there is no whole frame

  unsigned type() const { return first >> 4U; }
  unsigned qos() const { return first >> 1U & 3U; }
  /// Of an acknowledgement; 0: it has none.
  unsigned packet_id() const { return body.size() < 2 ? 0 : two_bytes(body.data()); }
  bool dup() const { return (first & 8U) != 0; }
  bool retain() const { return (first & 1U) != 0; }
};

inline Frame cut(ByteView bytes) {
  std::size_t length = 0;
  for (std::size_t i = 1; i < bytes.size() && i < 5; ++i) {
    length |= static_cast<std::size_t>(bytes[i] & 0x7FU) << 7U * (i - 1);
    if (bytes[i] >= 0x80) continue;
    const std::size_t head = i + 1;
    if (bytes.size() - head < length) return {};
    return {bytes[0], bytes.subspan(head, length), head + length};
  }
  return {};
}

inline void put_text(Bytes& out, std::string_view text) {
  out.push_back(static_cast<Byte>(text.size() >> 8U));
  out.push_back(static_cast<Byte>(text.size()));
  out.insert(out.end(), text.begin(), text.end());
}

inline void put_length(Bytes& out, std::size_t length) {
  for (; length > 0x7F; length >>= 7U) out.push_back(static_cast<Byte>(length | 0x80U));
  out.push_back(static_cast<Byte>(length));
}

inline void put_frame(Bytes& out, unsigned first, const Bytes& body) {
  out.push_back(static_cast<Byte>(first));
  put_length(out, body.size());
  out.insert(out.end(), body.begin(), body.end());
}

inline Bytes connect_frame(std::string_view client_id, bool is_clean) {
  Bytes body{0, 4, 'M', 'Q', 'T', 'T', 4, static_cast<Byte>(is_clean ? 2 : 0), 0, 0};
  put_text(body, client_id);
  Bytes frame;
  put_frame(frame, kConnect << 4U, body);
  return frame;
}

/// Whether it is what a client hears that is let in.
inline bool is_connack(const Frame& frame, bool has_session) {
  return frame.type() == kConnack && frame.body.size() == 2 &&
         frame.body[0] == (has_session ? 1 : 0) && frame.body[1] == 0;
}

inline Bytes subscribe_frame(std::span<const std::string> filters, unsigned qos) {
  Bytes body{0, 1};
  for (const auto& filter : filters) {
    put_text(body, filter);
    body.push_back(static_cast<Byte>(qos));
  }
  Bytes frame;
  put_frame(frame, kSubscribe << 4U | 2U, body);
  return frame;
}

inline Bytes disconnect_frame() {
  return {kDisconnect << 4U, 0};
}

inline void put_acknowledgement(Bytes& out, Type type, unsigned packet_id) {
  const unsigned flags = type == kPubrel ? 2 : 0;
  const Byte frame[] = {static_cast<Byte>(type << 4U | flags), 2,
                        static_cast<Byte>(packet_id >> 8U), static_cast<Byte>(packet_id)};
  out.insert(out.end(), std::begin(frame), std::end(frame));
}

/// What the payload of every message begins with, so that its receiver knows which one it is.
struct Stamp {
  std::uint32_t stream = 0;
  std::uint32_t number = 0;     ///< in its stream
  std::uint32_t publisher = 0;  ///< and of all that this one has sent
  std::uint32_t position = 0;
};
static_assert(sizeof(Stamp) == 16);

/// Appends a PUBLISH with `payload` bytes, to be completed by stamp_publish().
inline void put_publish(Bytes& out, std::string_view topic, unsigned flags, std::size_t payload) {
  const bool has_id = (flags & 6U) != 0;
  out.push_back(static_cast<Byte>(kPublish << 4U | flags));
  put_length(out, 2 + topic.size() + (has_id ? 2 : 0) + payload);
  put_text(out, topic);
  if (has_id) out.insert(out.end(), 2, Byte{0});
  out.insert(out.end(), payload, Byte{'.'});
}

/// Fills in what differs between the messages of one topic. The payload's last byte says that all
/// of it has come.
///
/// end  of the frame, which is that of its payload
inline void stamp_publish(Byte* end, std::size_t payload, unsigned packet_id, const Stamp& stamp) {
  Byte* start = end - payload;
  if (packet_id != 0) {
    start[-2] = static_cast<Byte>(packet_id >> 8U);
    start[-1] = static_cast<Byte>(packet_id);
  }
  std::memcpy(start, &stamp, sizeof stamp);
  if (payload > sizeof stamp) end[-1] = static_cast<Byte>(stamp.position);
}

}  // namespace mq::bench

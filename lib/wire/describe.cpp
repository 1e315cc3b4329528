#include "wire/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <variant>
#include <vector>

#include "base/printable.hpp"
#include "wire/decode.hpp"
#include "wire/reader.hpp"
#include "wire/sink.hpp"

namespace mq::wire {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

int number(QoS qos) {
  return static_cast<int>(qos);
}

std::string words(std::string_view packet, int id, ReasonCode reason, PacketType type) {
  if (reason == ReasonCode::success) return fmt::format("{} (id {})", packet, id);
  return fmt::format("{} (id {}, {})", packet, id, name(reason, type));
}

/// A peer decides how many there are: some of them are enough for a line.
constexpr std::size_t kMostShown = 8;

/// ", a, b, and 2 more"
template <class List, class Show>
std::string listed(const List& list, Show show) {
  std::string words;
  const std::size_t shown = std::min(list.size(), kMostShown);
  for (std::size_t i = 0; i < shown; ++i) words += ", " + std::invoke(show, list[i]);
  if (list.size() > shown) words += fmt::format(", and {} more", list.size() - shown);
  return words;
}

std::string codes(std::string_view packet, int id, ByteView list) {
  if (list.empty()) return fmt::format("{} (id {})", packet, id);  // UNSUBACK before MQTT 5
  const ByteView shown = list.first(std::min(list.size(), kMostShown));
  const std::size_t rest = list.size() - shown.size();
  return fmt::format("{} (id {}, codes {:#04x}{})", packet, id, fmt::join(shown, " "),
                     rest == 0 ? "" : fmt::format(" and {} more", rest));
}

std::string connect(const Connect& packet) {
  return fmt::format("CONNECT (id {}, version {}, keep alive {}{}{}{})", quoted(packet.client_id),
                     static_cast<int>(packet.version), packet.keep_alive,
                     packet.clean_start ? ", clean start" : "", packet.will ? ", will" : "",
                     packet.user_name ? ", user name" : "");
}

std::string connack(const Connack& packet) {
  return fmt::format("CONNACK (code {}{})", packet.code,
                     packet.session_present ? ", session present" : "");
}

/// payload_size  of the whole packet, of which there may be but the start
std::string publish(const Publish& packet, std::size_t payload_size) {
  const std::string id =
      packet.qos == QoS::at_most_once ? "" : fmt::format(", id {}", packet.packet_id);
  return fmt::format("PUBLISH {} ({} bytes, QoS {}{}{}{})", quoted(packet.topic), payload_size,
                     number(packet.qos), id, packet.retain ? ", retain" : "",
                     packet.dup ? ", dup" : "");
}

std::string subscribe(const Subscribe& packet) {
  return fmt::format("SUBSCRIBE (id {}{})", packet.packet_id,
                     listed(packet.subscriptions, [](const auto& one) {
                       return fmt::format("{} QoS {}", quoted(one.filter), number(one.options.qos));
                     }));
}

std::string unsubscribe(const Unsubscribe& packet) {
  return fmt::format(
      "UNSUBSCRIBE (id {}{})", packet.packet_id,
      listed(packet.filters, [](std::string_view filter) { return quoted(filter); }));
}

std::string disconnect(const Disconnect& packet) {
  return fmt::format("DISCONNECT ({})", name(packet.reason, PacketType::disconnect));
}

constexpr std::array<std::string_view, 16> kNames{
    "reserved", "CONNECT",  "CONNACK",    "PUBLISH", "PUBACK",      "PUBREC",
    "PUBREL",   "PUBCOMP",  "SUBSCRIBE",  "SUBACK",  "UNSUBSCRIBE", "UNSUBACK",
    "PINGREQ",  "PINGRESP", "DISCONNECT", "AUTH"};

/// A packet of that first byte whose body is only what there is of it.
std::vector<Byte> shortened(ByteView start) {
  Reader reader(start);
  const Byte first = reader.byte();
  reader.varint(Reader::Padding::yes);
  const ByteView body = reader.rest();
  std::vector<Byte> frame(5 + body.size());
  MemorySink sink(frame.data());
  sink.byte(first);
  put_varint(sink, body.size());
  sink.bytes(body);
  frame.resize(static_cast<std::size_t>(sink.end() - frame.data()));
  return frame;
}

std::string describe_start(FrameStart frame, Version version) {
  const PacketType type = packet_type(frame.bytes);
  if (type == PacketType::publish) {
    const std::vector<Byte> shorter = shortened(frame.bytes);
    const auto packet = decode_publish(shorter, version);
    const std::size_t left_out = frame.length - frame.bytes.size();
    if (packet) return publish(*packet, packet->payload.size() + left_out);
  }
  return fmt::format("{} ({} bytes)", kNames.at(static_cast<std::size_t>(type)), frame.length);
}

}  // namespace

std::string describe(FrameStart frame, Version version) {
  if (frame.bytes.size() < frame.length) return describe_start(frame, version);
  const auto packet = decode(frame.bytes, version);
  if (!packet) {
    return fmt::format("{} bytes that are no packet: {}", frame.length, packet.error().words);
  }
  return std::visit(
      Overloaded{
          [](const Connect& it) { return connect(it); },
          [](const Connack& it) { return connack(it); },
          [](const Publish& it) { return publish(it, it.payload.size()); },
          [](const Puback& it) {
            return words("PUBACK", it.packet_id, it.reason, PacketType::puback);
          },
          [](const Pubrec& it) {
            return words("PUBREC", it.packet_id, it.reason, PacketType::pubrec);
          },
          [](const Pubrel& it) {
            return words("PUBREL", it.packet_id, it.reason, PacketType::pubrel);
          },
          [](const Pubcomp& it) {
            return words("PUBCOMP", it.packet_id, it.reason, PacketType::pubcomp);
          },
          [](const Subscribe& it) { return subscribe(it); },
          [](const Suback& it) { return codes("SUBACK", it.packet_id, it.codes); },
          [](const Unsubscribe& it) { return unsubscribe(it); },
          [](const Unsuback& it) { return codes("UNSUBACK", it.packet_id, it.codes); },
          [](const Pingreq&) { return std::string("PINGREQ"); },
          [](const Pingresp&) { return std::string("PINGRESP"); },
          [](const Disconnect& it) { return disconnect(it); },
          [](const Auth&) { return std::string("AUTH"); },
      },
      *packet);
}

}  // namespace mq::wire

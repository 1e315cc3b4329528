#include "wire/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <variant>

#include "base/printable.hpp"
#include "wire/decode.hpp"

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

std::string publish(const Publish& packet) {
  const std::string id =
      packet.qos == QoS::at_most_once ? "" : fmt::format(", id {}", packet.packet_id);
  return fmt::format("PUBLISH {} ({} bytes, QoS {}{}{}{})", quoted(packet.topic),
                     packet.payload.size(), number(packet.qos), id, packet.retain ? ", retain" : "",
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

}  // namespace

std::string describe(ByteView frame, Version version) {
  const auto packet = decode(frame, version);
  if (!packet) {
    return fmt::format("{} bytes that are no packet: {}", frame.size(), packet.error().words);
  }
  return std::visit(
      Overloaded{
          [](const Connect& it) { return connect(it); },
          [](const Connack& it) { return connack(it); },
          [](const Publish& it) { return publish(it); },
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

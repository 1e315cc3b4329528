#include "wire/describe.hpp"

#include <fmt/format.h>

#include <variant>

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

std::string codes(std::string_view packet, int id, ByteView list) {
  return fmt::format("{} (id {}, codes {:#04x})", packet, id, fmt::join(list, " "));
}

std::string connect(const Connect& packet) {
  return fmt::format("CONNECT (id \"{}\", version {}, keep alive {}{}{}{})", packet.client_id,
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
  return fmt::format("PUBLISH {} ({} bytes, QoS {}{}{}{})", packet.topic, packet.payload.size(),
                     number(packet.qos), id, packet.retain ? ", retain" : "",
                     packet.dup ? ", dup" : "");
}

std::string subscribe(const Subscribe& packet) {
  std::string list;
  for (const auto& [filter, options] : packet.subscriptions) {
    list += fmt::format(", {} QoS {}", filter, number(options.qos));
  }
  return fmt::format("SUBSCRIBE (id {}{})", packet.packet_id, list);
}

std::string unsubscribe(const Unsubscribe& packet) {
  return fmt::format("UNSUBSCRIBE (id {}, {})", packet.packet_id, fmt::join(packet.filters, ", "));
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

#include "cli/packet_trace.hpp"

#include <fmt/format.h>

#include <variant>

#include "wire/decode.hpp"

namespace mq::cli {

using wire::PacketType;
using wire::QoS;

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

int number(QoS qos) {
  return static_cast<int>(qos);
}

std::string words(std::string_view name, int id, wire::ReasonCode reason, PacketType type) {
  if (reason == wire::ReasonCode::success) return fmt::format("{} (id {})", name, id);
  return fmt::format("{} (id {}, {})", name, id, wire::name(reason, type));
}

std::string codes(std::string_view name, int id, ByteView list) {
  return fmt::format("{} (id {}, codes {:#04x})", name, id, fmt::join(list, " "));
}

std::string connect(const wire::Connect& packet) {
  return fmt::format("CONNECT (id \"{}\", version {}, keep alive {}{}{}{})", packet.client_id,
                     static_cast<int>(packet.version), packet.keep_alive,
                     packet.clean_start ? ", clean start" : "", packet.will ? ", will" : "",
                     packet.user_name ? ", user name" : "");
}

std::string connack(const wire::Connack& packet) {
  return fmt::format("CONNACK (code {}{})", packet.code,
                     packet.session_present ? ", session present" : "");
}

std::string publish(const wire::Publish& packet) {
  const std::string id =
      packet.qos == QoS::at_most_once ? "" : fmt::format(", id {}", packet.packet_id);
  return fmt::format("PUBLISH {} ({} bytes, QoS {}{}{}{})", packet.topic, packet.payload.size(),
                     number(packet.qos), id, packet.retain ? ", retain" : "",
                     packet.dup ? ", dup" : "");
}

std::string subscribe(const wire::Subscribe& packet) {
  std::string list;
  for (const auto& [filter, options] : packet.subscriptions) {
    list += fmt::format(", {} QoS {}", filter, number(options.qos));
  }
  return fmt::format("SUBSCRIBE (id {}{})", packet.packet_id, list);
}

std::string unsubscribe(const wire::Unsubscribe& packet) {
  return fmt::format("UNSUBSCRIBE (id {}, {})", packet.packet_id, fmt::join(packet.filters, ", "));
}

std::string disconnect(const wire::Disconnect& packet) {
  return fmt::format("DISCONNECT ({})", wire::name(packet.reason, PacketType::disconnect));
}

}  // namespace

std::string describe(ByteView frame, wire::Version version) {
  const auto packet = wire::decode(frame, version);
  if (!packet) {
    return fmt::format("{} bytes that are no packet: {}", frame.size(), packet.error().words);
  }
  return std::visit(
      Overloaded{
          [](const wire::Connect& it) { return connect(it); },
          [](const wire::Connack& it) { return connack(it); },
          [](const wire::Publish& it) { return publish(it); },
          [](const wire::Puback& it) {
            return words("PUBACK", it.packet_id, it.reason, PacketType::puback);
          },
          [](const wire::Pubrec& it) {
            return words("PUBREC", it.packet_id, it.reason, PacketType::pubrec);
          },
          [](const wire::Pubrel& it) {
            return words("PUBREL", it.packet_id, it.reason, PacketType::pubrel);
          },
          [](const wire::Pubcomp& it) {
            return words("PUBCOMP", it.packet_id, it.reason, PacketType::pubcomp);
          },
          [](const wire::Subscribe& it) { return subscribe(it); },
          [](const wire::Suback& it) { return codes("SUBACK", it.packet_id, it.codes); },
          [](const wire::Unsubscribe& it) { return unsubscribe(it); },
          [](const wire::Unsuback& it) { return codes("UNSUBACK", it.packet_id, it.codes); },
          [](const wire::Pingreq&) { return std::string("PINGREQ"); },
          [](const wire::Pingresp&) { return std::string("PINGRESP"); },
          [](const wire::Disconnect& it) { return disconnect(it); },
          [](const wire::Auth&) { return std::string("AUTH"); },
      },
      *packet);
}

void PacketTrace::restart() {
  sent_ = wire::Framer();
  received_ = wire::Framer();
}

void PacketTrace::show(wire::Framer& framer, std::string_view direction, ByteView bytes) {
  framer.feed(bytes);
  while (true) {
    const auto frame = framer.next(wire::kMaximumPacketSize);
    if (!frame) framer = wire::Framer();  // the core ends the connection
    if (!frame || !*frame) return;
    notices_.trace(fmt::format("{} {}", direction, describe(**frame, version_)));
  }
}

}  // namespace mq::cli

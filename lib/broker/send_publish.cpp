#include "broker/core.hpp"
#include "broker/incoming.hpp"
#include "broker/write_packet.hpp"

namespace mq::broker {

using wire::PropertyId;
using wire::Version;

bool Core::send_publish(Connection& connection, const Outgoing& outgoing) {
  const std::string_view topic = seen_by(connection, outgoing.topic);
  // [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-20]
  wire::Publish packet{.qos = outgoing.qos,
                       .dup = outgoing.dup,
                       .retain = outgoing.retain,
                       .topic = topic,
                       .packet_id = outgoing.packet_id,
                       .properties = outgoing.properties,
                       .payload = outgoing.payload};
  auto alias = alias_for(connection, topic);
  add_properties(connection, outgoing, alias, packet);
  auto size = wire::encoded_size(packet, connection.version);
  if (size > connection.maximum_packet_size && alias.is_new) [[unlikely]] {
    alias = {};
    packet.properties = outgoing.properties;
    add_properties(connection, outgoing, alias, packet);
    size = wire::encoded_size(packet, connection.version);
  }
  if (size > connection.maximum_packet_size) return false;  // [MQTT-3.1.2-25] [MQTT-3.1.2-24]
  if (alias.is_new) connection.aliases->outgoing.emplace(topic, alias.number);
  if (packet.payload.size() > kCopiedPayload) {
    const auto head = size - packet.payload.size();
    wire::encode_header(packet, connection.version, connection.out.reserve(head, turn_));
    connection.out.append_written(head);
    if (outgoing.owner) {
      connection.out.append(packet.payload, outgoing.owner);
    } else {
      connection.out.append(packet.payload);
    }
  } else {
    wire::encode(packet, connection.version, connection.out.reserve(size, turn_));
    connection.out.append_written(size);
  }
  count_sent(connection, size, packet.payload.size());
  return true;
}

void Core::add_properties(const Connection& connection, const Outgoing& outgoing, Alias alias,
                          wire::Publish& packet) {
  if (connection.version != Version::v5 ||
      (!outgoing.remaining && outgoing.identifier == 0 && alias.number == 0)) {
    return;
  }
  scratch_ = {};
  scratch_.add_encoded(outgoing.properties.encoded());
  if (outgoing.remaining) {
    scratch_.add(PropertyId::message_expiry_interval, *outgoing.remaining);  // [MQTT-3.3.2-6]
  }
  if (outgoing.identifier != 0) {
    // [MQTT-3.3.4-5]
    scratch_.add(PropertyId::subscription_identifier, outgoing.identifier);  // [MQTT-3.3.4-3]
  }
  if (alias.number != 0) scratch_.add(PropertyId::topic_alias, std::uint32_t{alias.number});
  if (alias.number != 0 && !alias.is_new) packet.topic = {};
  packet.properties = scratch_.view();
}

Core::Alias Core::alias_for(Connection& connection, std::string_view topic) {
  if (connection.topic_alias_maximum == 0) return {};  // [MQTT-3.1.2-27]
  if (connection.aliases == nullptr) connection.aliases = std::make_unique<Aliases>();
  const auto& known = connection.aliases->outgoing;
  if (const auto it = known.find(topic); it != known.end()) return {it->second, false};
  if (known.size() >= connection.topic_alias_maximum) return {};  // [MQTT-3.1.2-26] [MQTT-3.3.2-11]
  return {static_cast<std::uint16_t>(known.size() + 1), true};
}

}  // namespace mq::broker

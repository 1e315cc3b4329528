#include "broker/message.hpp"

#include <algorithm>
#include <new>

#include "topic/name.hpp"
#include "wire/property_reader.hpp"

namespace mq::broker {
namespace {

using wire::PropertyId;

bool travels(PropertyId id) {
  return id != PropertyId::topic_alias && id != PropertyId::subscription_identifier &&
         id != PropertyId::message_expiry_interval;
}

std::size_t travelling_size(wire::Properties properties) {
  std::size_t size = 0;
  if (properties.empty()) return size;
  for (auto it = properties.begin(); it != properties.end(); ++it) {
    if (travels(it->id)) size += it.encoded().size();
  }
  return size;
}

}  // namespace

Message Message::of(const wire::Publish& publish, std::string_view topic, Instant now) {
  const auto properties_size = travelling_size(publish.properties);
  Message message;
  message.block_ =
      BlockRef::allocate(sizeof(Head) + topic.size() + properties_size + publish.payload.size());
  const auto expiry = publish.properties.number(PropertyId::message_expiry_interval);
  ::new (message.block_->bytes()) Head{
      .expires_at = expiry ? now + Seconds(*expiry) : kNever,
      .stored_id = 0,
      .properties_size = static_cast<std::uint32_t>(properties_size),
      .topic_size = static_cast<std::uint16_t>(topic.size()),
      .qos = publish.qos,
      .retain = publish.retain,
      .is_stub = false,
      .is_stored_retained = false,
  };
  Byte* out = copy_bytes(bytes_of(topic), message.block_->bytes() + sizeof(Head));
  if (properties_size > 0) {
    for (auto it = publish.properties.begin(); it != publish.properties.end(); ++it) {
      if (travels(it->id)) out = copy_bytes(it.encoded(), out);  // [MQTT-3.3.2-18] [MQTT-3.1.3-10]
    }
  }
  copy_bytes(publish.payload, out);
  return message;
}

Message Message::of(storage::MessageId id, const storage::Body& body, Now now) {
  // The file may be damaged.
  const auto* fault = wire::properties_fault(body.properties, wire::in(wire::PacketType::publish));
  if (fault != nullptr || body.qos > 2 || !topic::is_name(body.topic)) return {};
  const wire::Publish publish{.qos = static_cast<wire::QoS>(body.qos),
                              .retain = body.retain,
                              .properties = wire::Properties(body.properties),
                              .payload = body.payload};
  Message message = of(publish, body.topic, now.steady);
  message.head().stored_id = id;
  message.head().expires_at = instant_of(body.expires_at, now);
  return message;
}

Instant Message::instant_of(WallTime expires_at, Now now) {
  if (expires_at == storage::kDoesNotExpire) return kNever;
  return now.steady + std::chrono::duration_cast<Millis>(expires_at - now.wall);
}

Message Message::stub(storage::MessageId id, std::string_view topic, Instant expires_at) {
  Message message = of(wire::Publish{}, topic, {});
  auto& head = *reinterpret_cast<Head*>(message.block_->bytes());
  head.expires_at = expires_at;
  head.stored_id = id;
  head.is_stub = true;
  head.is_stored_retained = true;
  return message;
}

std::optional<std::uint32_t> Message::remaining(Instant now) const {
  if (expires_at() == kNever) return std::nullopt;
  const auto left = std::chrono::ceil<Seconds>(expires_at() - now).count();
  return static_cast<std::uint32_t>(std::max<Seconds::rep>(left, 0));
}

}  // namespace mq::broker

#include <algorithm>
#include <utility>

#include "broker/core.hpp"
#include "broker/incoming.hpp"
#include "broker/write_packet.hpp"

// From a message to its receivers. At QoS 0 the bytes that came in leave as they are wherever the
// receiver speaks the sender's dialect; otherwise they are written once for each dialect. At QoS 1
// and 2 the message is stored once, every session's outbox refers to it, and a frame of its own is
// written for each session, because of its packet id.

namespace mq::broker {
namespace {

using topic::FilterId;
using topic::kNoFilter;
using topic::Subscriber;
using wire::QoS;
using wire::Version;

/// 3.1 and 3.1.1 write a PUBLISH alike.
bool is_same_dialect(Version a, Version b) {
  return (a == Version::v5) == (b == Version::v5);
}

}  // namespace

bool Core::route(Incoming& incoming) {
  const auto filters = subscriptions_.match(incoming.packet.topic);
  bool has_subscribers = false;
  for (const FilterId filter : filters) {
    for (const Subscriber& subscriber : subscriptions_.subscribers(filter)) {
      has_subscribers = true;
      deliver(subscriber, incoming);
    }
    for (FilterId share = subscriptions_.shared_from(filter); share != kNoFilter;
         share = subscriptions_.shared_after(share)) {
      has_subscribers = true;
      deliver_shared(share, incoming);
    }
  }
  return has_subscribers;
}

void Core::deliver(const Subscriber& subscriber, Incoming& incoming) {
  const auto options = GrantedOptions::of(subscriber.options);
  if (options.no_local && subscriber.owner == incoming.publisher) return;  // [MQTT-3.8.3-3]
  Session& session = *sessions_[subscriber.owner];
  if (!may_read(session, incoming.packet.topic)) return;
  const QoS qos =
      config_.upgrade_outgoing_qos ? options.qos : std::min(options.qos, incoming.packet.qos);
  const bool retain = options.retain_as_published && incoming.packet.retain;
  if (qos == QoS::at_most_once && session.is_awake) {
    send_at_most_once(session, subscriber, incoming);
  } else if (qos != QoS::at_most_once || config_.queue_qos0_messages) {
    enqueue(session, {incoming.shared(now_.steady), subscriber.identifier}, qos,
            retain ? kRetainFlag : std::uint8_t{0});
  }
}

QoS Core::outgoing_qos(QoS granted, QoS published) const {
  return config_.upgrade_outgoing_qos ? granted : std::min(granted, published);  // [MQTT-3.8.4-8]
}

void Core::deliver_shared(FilterId share, Incoming& incoming) {
  const auto members = subscriptions_.subscribers(share);
  const auto turn = subscriptions_.next_turn(share);
  const Subscriber* chosen = nullptr;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Subscriber& member = members[(turn + i) % members.size()];
    Session& session = *sessions_[member.owner];
    if (!may_read(session, incoming.packet.topic)) continue;
    if (session.is_awake) {
      chosen = &member;
      break;
    }
    const QoS qos = outgoing_qos(GrantedOptions::of(member.options).qos, incoming.packet.qos);
    if (chosen == nullptr && qos != QoS::at_most_once) chosen = &member;
  }
  if (chosen == nullptr) return;
  const auto options = GrantedOptions::of(chosen->options);
  const QoS qos = outgoing_qos(options.qos, incoming.packet.qos);
  Session& session = *sessions_[chosen->owner];
  if (qos == QoS::at_most_once) {
    send_at_most_once(session, *chosen, incoming);
    return;
  }
  const bool retain = options.retain_as_published && incoming.packet.retain;
  enqueue(session, {incoming.shared(now_.steady), share}, qos,
          static_cast<std::uint8_t>(kFromShare | (retain ? kRetainFlag : 0)));
}

bool Core::give_to_member(FilterId share, const Message& message, QoS qos, const Session& except) {
  const auto members = subscriptions_.subscribers(share);
  const auto turn = subscriptions_.next_turn(share);
  Session* chosen = nullptr;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Subscriber& member = members[(turn + i) % members.size()];
    Session& session = *sessions_[member.owner];
    if (&session == &except || !may_read(session, message.topic())) continue;
    if (chosen == nullptr || session.is_awake) chosen = &session;
    if (session.is_awake) break;
  }
  if (chosen == nullptr) return false;
  message.set_stored_id(0);  // the store may have dropped its body with the last use
  enqueue(*chosen, {message, share}, qos, kFromShare);
  return true;
}

void Core::send_at_most_once(Session& session, const Subscriber& subscriber, Incoming& incoming) {
  Connection& connection = *session.connection;
  if (!sees(connection, incoming.packet.topic)) return;
  if (connection.out.size() > config_.max_unread_bytes) return count_drop(session, Drop::unread);
  const bool retain =
      incoming.packet.retain && GrantedOptions::of(subscriber.options).retain_as_published;
  if (retain || subscriber.identifier != 0 || connection.topic_alias_maximum > 0 ||
      connection.mount != nullptr) {
    const Outgoing outgoing{.qos = QoS::at_most_once,
                            .retain = retain,
                            .identifier = subscriber.identifier,
                            .topic = incoming.packet.topic,
                            .properties = incoming.packet.properties,
                            .payload = incoming.packet.payload,
                            .owner = incoming.owner};
    if (!send_publish(connection, outgoing)) count_drop(session, Drop::too_large);
    return;
  }
  Encoded& encoded = incoming.at_most_once[connection.version == Version::v5 ? 1 : 0];
  if (encoded.head.empty()) encode_at_most_once(incoming, connection.version, encoded);
  const auto size = encoded.head.size() + encoded.payload.size();
  if (size > connection.maximum_packet_size) return count_drop(session, Drop::too_large);
  if (incoming.owner && encoded.is_as_received) {
    connection.out.append(encoded.head, incoming.owner);
  } else {
    connection.out.append(encoded.head);
  }
  if (incoming.owner) {
    connection.out.append(encoded.payload, incoming.owner);
  } else {
    connection.out.append(encoded.payload);
  }
  count_sent(connection, size, incoming.packet.payload.size());
}

void Core::encode_at_most_once(const Incoming& incoming, Version version, Encoded& encoded) {
  if (!incoming.frame.empty() && is_same_dialect(incoming.version, version)) {
    encoded = {.head = incoming.frame, .payload = {}, .is_as_received = true};
    return;
  }
  wire::Publish packet = incoming.packet;
  packet.qos = QoS::at_most_once;
  packet.dup = packet.retain = false;
  packet.packet_id = 0;
  if (packet.payload.size() > kCopiedPayload) {
    const auto head = turn_.take(wire::encoded_header_size(packet, version));
    wire::encode_header(packet, version, head.data());
    encoded = {.head = head, .payload = packet.payload, .is_as_received = false};
  } else {
    const auto whole = turn_.take(wire::encoded_size(packet, version));
    wire::encode(packet, version, whole.data());
    encoded = {.head = whole, .payload = {}, .is_as_received = false};
  }
}

void Core::enqueue(Session& session, Queued queued, QoS qos, std::uint8_t flags) {
  const std::size_t size = queued.message.payload().size();
  if (is_full(session, size) && !make_room(session, size)) {
    return count_drop(session, Drop::queue_full);
  }
  push(session, std::move(queued), qos, flags);
  if (session.is_awake) pump_outbox(session);
}

}  // namespace mq::broker

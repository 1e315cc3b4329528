#include <algorithm>
#include <cstring>
#include <utility>

#include "broker/core.hpp"
#include "broker/incoming.hpp"
#include "broker/write_packet.hpp"

// From a message to its receivers. At QoS 0 the bytes that came in leave as they are wherever the
// receiver speaks the sender's dialect; otherwise they are written once for each dialect. At QoS 1
// and 2 the message is stored once, every session's outbox refers to it, and the
// frame of the first receiver is the pattern for the others. Whoever has something waiting,
// or wants the frame to be his own (an alias, an identifier), gets it from pump.cpp.

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

/// Of a PUBLISH that is no repetition.
Byte first_byte(QoS qos, bool retain) {
  return static_cast<Byte>(static_cast<unsigned>(wire::PacketType::publish) << 4U |
                           static_cast<unsigned>(qos) << 1U | (retain ? 1U : 0U));
}

/// So many bytes of a delivery are as much work for the kernel as the rest of it is here.
constexpr std::size_t kBytesOfWork = 256;

/// How well a member of a share suits a message: who has no room, or is asleep, suits less.
constexpr int kUnsuitable = 0;
constexpr int kMostSuitable = 4;

void put_packet_id(Byte* out, std::uint16_t packet_id) {
  out[0] = static_cast<Byte>(packet_id >> 8U);
  out[1] = static_cast<Byte>(packet_id);
}

}  // namespace

// Out of the way of what needs no journal.
[[gnu::noinline]] bool Core::may_note_at_once(const Session& session, QoS qos) const {
  return may_be_noted(session, qos) && session.tail.count == 0;
}

[[gnu::noinline]] void Core::note_at_once(const Session& session, const Message& message,
                                          std::uint8_t flags) {
  journal_.note_queued(session, session.outbox.next_sequence(), message, flags, 0);
}

// The two are inline in route(): a delivery is so little that calls would be a tenth of it.
[[gnu::always_inline]] inline bool Core::send_at_once(Session& session,
                                                      const Subscriber& subscriber,
                                                      Incoming& incoming, QoS qos, bool retain) {
  if (!session.is_awake || subscriber.identifier != 0) return false;
  if (journal_.keeps(session) && !may_note_at_once(session, qos)) [[unlikely]] {
    return false;
  }
  Connection& connection = *session.connection;
  const bool is_his_own = connection.mount != nullptr || connection.topic_alias_maximum > 0;
  // [MQTT-4.6.0-5]
  if (is_his_own || !session.outbox.is_clear(connection.receive_maximum) ||
      config_.max_inflight_bytes > 0 || connection.out.size() >= kEnoughToSend) {
    return false;
  }
  const Message& message = incoming.shared(now_.steady);
  const auto packet_id = session::packet_id_of(session.outbox.next_sequence());
  if (!incoming.pattern.suits(connection.version, first_byte(qos, retain)) &&
      !write_pattern(incoming, connection.version, first_byte(qos, retain), packet_id)) {
    return false;
  }
  const Pattern& pattern = incoming.pattern;
  const auto& [head, payload, _] = pattern.encoded;
  const auto size = head.size() + payload.size();
  if (size > connection.maximum_packet_size || message.is_expired(now_.steady)) return false;
  const auto payload_size = incoming.packet.payload.size();
  count_held(&session, payload_size);
  session.in_flight_bytes += payload_size;
  const std::uint8_t flags = retain ? kRetainFlag : 0;
  if (journal_.keeps(session)) [[unlikely]] {
    note_at_once(session, message, flags);
  }
  session.outbox.push_sent({message, 0}, qos, flags);
  if (packet_id == pattern.packet_id) {
    connection.out.append(head);
  } else {
    Byte* out = connection.out.reserve(head.size(), turn_);
    std::memcpy(out, head.data(), head.size());
    put_packet_id(out + pattern.packet_id_at, packet_id);
    connection.out.append_written(head.size());
  }
  if (!payload.empty()) connection.out.append(payload, message.block());
  count_sent(connection, size, payload_size);
  return true;
}

[[gnu::always_inline]] inline void Core::deliver(const Subscriber& subscriber, Incoming& incoming) {
  const auto options = GrantedOptions::of(subscriber.options);
  if (options.no_local && subscriber.owner == incoming.publisher) return;  // [MQTT-3.8.3-3]
  Session& session = *sessions_[subscriber.owner];
  if (!may_read(session, incoming.packet.topic)) return;
  const QoS qos =
      config_.upgrade_outgoing_qos ? options.qos : std::min(options.qos, incoming.packet.qos);
  // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
  const bool retain = options.retain_as_published && incoming.packet.retain;
  if (qos == QoS::at_most_once && session.is_awake && !must_line_up(session)) {
    send_at_most_once(session, subscriber, incoming);
  } else if (qos != QoS::at_most_once || config_.queue_qos0_messages) {
    if (send_at_once(session, subscriber, incoming, qos, retain)) return;
    enqueue(session, {incoming.shared(now_.steady), subscriber.identifier}, qos,
            retain ? kRetainFlag : std::uint8_t{0});
  }
}

bool Core::route(Incoming& incoming) {
  const auto filters = subscriptions_.match(incoming.packet.topic, work_);  // [MQTT-3.3.2-3]
  const wire::Publish& packet = incoming.packet;
  const auto work = 1 + (packet.payload.size() + packet.properties.encoded().size()) / kBytesOfWork;
  bool has_subscribers = false;
  for (const FilterId filter : filters) {
    const auto subscribers = subscriptions_.subscribers(filter);
    work_ += subscribers.size() * work;
    for (const Subscriber& subscriber : subscribers) {
      has_subscribers = true;
      deliver(subscriber, incoming);  // [MQTT-3.3.4-2] [MQTT-4.5.0-1]
    }
    for (FilterId share = subscriptions_.shared_from(filter); share != kNoFilter;
         share = subscriptions_.shared_after(share)) {
      work_ += work;
      has_subscribers = true;
      deliver_shared(share, incoming);
    }
  }
  return has_subscribers;
}

QoS Core::outgoing_qos(QoS granted, QoS published) const {
  return config_.upgrade_outgoing_qos ? granted : std::min(granted, published);  // [MQTT-3.8.4-8]
}

int Core::suitability(const Subscriber& member, const wire::Publish& packet) {
  Session& session = *sessions_[member.owner];
  if (!may_read(session, packet.topic)) return kUnsuitable;
  const QoS qos = outgoing_qos(GrantedOptions::of(member.options).qos, packet.qos);
  if (qos == QoS::at_most_once) {
    if (session.is_awake) return kMostSuitable;
    if (!config_.queue_qos0_messages) return kUnsuitable;
  }
  const bool has_room = !is_full(session, packet.payload.size());
  return 1 + (session.is_awake ? 1 : 0) + (has_room ? 2 : 0);
}

const Subscriber* Core::member_for(FilterId share, const wire::Publish& packet) {
  const auto members = subscriptions_.subscribers(share);
  const auto turn = subscriptions_.turn(share);
  const Subscriber* chosen = nullptr;
  int best = kUnsuitable;
  for (std::size_t i = 0; i < members.size() && best < kMostSuitable; ++i, ++work_) {
    const Subscriber& member = members[(turn + i) % members.size()];
    if (const int here = suitability(member, packet); here > best) {
      best = here;
      chosen = &member;
    }
  }
  return chosen;
}

void Core::deliver_shared(FilterId share, Incoming& incoming) {
  const Subscriber* chosen = member_for(share, incoming.packet);
  subscriptions_.next_turn(share);
  if (chosen == nullptr) return;
  const auto options = GrantedOptions::of(chosen->options);
  const QoS qos = outgoing_qos(options.qos, incoming.packet.qos);
  Session& session = *sessions_[chosen->owner];
  if (qos == QoS::at_most_once && session.is_awake && !must_line_up(session)) {
    send_at_most_once(session, *chosen, incoming);
    return;
  }
  const bool retain = options.retain_as_published && incoming.packet.retain;
  enqueue(session, {incoming.shared(now_.steady), share}, qos,
          static_cast<std::uint8_t>(kFromShare | (retain ? kRetainFlag : 0)));
}

void Core::give_to_member(FilterId share, const Message& message, Session& except) {
  const auto members = subscriptions_.subscribers(share);
  const auto turn = subscriptions_.next_turn(share);
  const Subscriber* chosen = nullptr;
  bool has_others = false;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Subscriber& member = members[(turn + i) % members.size()];
    Session& session = *sessions_[member.owner];
    if (&session == &except) continue;
    has_others = true;
    const bool is_waited_for =
        GrantedOptions::of(member.options).qos != QoS::at_most_once || config_.queue_qos0_messages;
    if (!session.is_awake && !is_waited_for) continue;
    if (!may_read(session, message.topic())) continue;
    if (chosen == nullptr || session.is_awake) chosen = &member;
    if (session.is_awake) break;
  }
  if (chosen == nullptr) {
    if (has_others) count_drop(except, Drop::left_behind);
    return;
  }
  message.set_stored_id(0);  // the store may have dropped its body with the last use
  const auto options = GrantedOptions::of(chosen->options);
  const bool retain = options.retain_as_published && message.retain();
  enqueue(*sessions_[chosen->owner], {message, share},
          outgoing_qos(options.qos, message.qos()),  // [MQTT-4.8.2-3]
          static_cast<std::uint8_t>(kFromShare | (retain ? kRetainFlag : 0)));
}

void Core::send_at_most_once(Session& session, const Subscriber& subscriber, Incoming& incoming) {
  Connection& connection = *session.connection;
  if (!sees(connection, incoming.packet.topic)) return;
  if (connection.out.size() > unread_max_ && is_unread(connection.out)) [[unlikely]] {
    return count_drop(session, Drop::unread);
  }
  // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
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
  if (size == 0 || size > connection.maximum_packet_size) {
    return count_drop(session, Drop::too_large);
  }
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
  const bool is_plain = incoming.packet.qos == QoS::at_most_once && !incoming.packet.retain;
  if (is_plain && !incoming.frame.empty() && is_same_dialect(incoming.version, version)) {
    encoded = {.head = incoming.frame, .payload = {}, .is_as_received = true};
    return;
  }
  wire::Publish packet = incoming.packet;
  // [MQTT-4.3.1-1]
  packet.qos = QoS::at_most_once;
  packet.dup = packet.retain = false;
  packet.packet_id = 0;
  const auto size = wire::encoded_size(packet, version);
  if (size > wire::kMaximumPacketSize) return;
  if (packet.payload.size() > kCopiedPayload) {
    const auto head = turn_.take(size - packet.payload.size());
    wire::encode_header(packet, version, head.data());
    encoded = {.head = head, .payload = packet.payload, .is_as_received = false};
  } else {
    const auto whole = turn_.take(size);
    wire::encode(packet, version, whole.data());
    encoded = {.head = whole, .payload = {}, .is_as_received = false};
  }
}

bool Core::write_pattern(Incoming& incoming, Version version, Byte first, std::uint16_t packet_id) {
  wire::Publish packet = incoming.packet;
  const ByteView payload =
      packet.payload.size() > kCopiedPayload ? incoming.message.payload() : ByteView();
  std::span<Byte> head;
  if (packet.qos != QoS::at_most_once && !incoming.frame.empty() &&
      is_same_dialect(incoming.version, version)) {
    head = turn_.take(incoming.frame.size() - payload.size());
    std::memcpy(head.data(), incoming.frame.data(), head.size());
  } else {
    packet.qos = QoS::at_least_once;  // for there to be a packet id
    packet.packet_id = packet_id;
    const auto size = wire::encoded_size(packet, version);
    if (size > wire::kMaximumPacketSize) return false;
    head = turn_.take(size - payload.size());
    if (payload.empty()) {
      wire::encode(packet, version, head.data());
    } else {
      wire::encode_header(packet, version, head.data());
    }
  }
  const auto length_end = std::ranges::find_if(head.subspan(1), [](Byte b) { return b < 0x80; });
  const auto packet_id_at =
      static_cast<std::size_t>(length_end - head.begin()) + 3 + packet.topic.size();
  head[0] = first;  // [MQTT-3.3.1-3]
  put_packet_id(&head[packet_id_at], packet_id);
  incoming.pattern = {.encoded = {.head = head, .payload = payload},
                      .packet_id_at = packet_id_at,
                      .packet_id = packet_id,
                      .first = first,
                      .is_v5 = version == Version::v5};
  return true;
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

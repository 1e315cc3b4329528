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

using session::Delivery;
using topic::FilterId;
using topic::kNoFilter;
using topic::Subscriber;
using wire::PropertyId;
using wire::QoS;
using wire::Version;

/// A payload up to this size is copied behind its header; a longer one is sent from where it is.
constexpr std::size_t kCopiedPayload = 512;
/// A connection that has this much to send gets more of its queue when that is gone.
constexpr std::size_t kEnoughToSend = 256U << 10U;

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

void Core::deliver_shared(FilterId share, Incoming& incoming) {
  const auto members = subscriptions_.subscribers(share);
  const auto turn = subscriptions_.next_turn(share);
  const Subscriber* chosen = nullptr;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Subscriber& member = members[(turn + i) % members.size()];
    const Session& session = *sessions_[member.owner];
    if (session.is_awake) {
      chosen = &member;
      break;
    }
    const auto qos = std::min(GrantedOptions::of(member.options).qos, incoming.packet.qos);
    if (chosen == nullptr && qos != QoS::at_most_once) chosen = &member;
  }
  if (chosen == nullptr) return;
  const auto options = GrantedOptions::of(chosen->options);
  const QoS qos = std::min(options.qos, incoming.packet.qos);
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
    if (&session == &except) continue;
    if (chosen == nullptr || session.is_awake) chosen = &session;
    if (session.is_awake) break;
  }
  if (chosen == nullptr) return false;
  enqueue(*chosen, {message, share}, qos, kFromShare);
  return true;
}

void Core::send_at_most_once(Session& session, const Subscriber& subscriber, Incoming& incoming) {
  Connection& connection = *session.connection;
  if (connection.out.size() > config_.max_unread_bytes) return count_drop(session, Drop::unread);
  const bool retain =
      incoming.packet.retain && GrantedOptions::of(subscriber.options).retain_as_published;
  if (retain || subscriber.identifier != 0 || connection.topic_alias_maximum > 0) {
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
  const bool is_full = (config_.max_queued_messages > 0 &&
                        session.outbox.waiting() >= config_.max_queued_messages) ||
                       (config_.max_queued_bytes > 0 && session.outbox.waiting() > 0 &&
                        session.queued_bytes + size > config_.max_queued_bytes);
  if (is_full) return count_drop(session, Drop::queue_full);
  push(session, std::move(queued), qos, flags);
  if (session.is_awake) pump_outbox(session);
}

void Core::push(Session& session, Queued queued, QoS qos, std::uint8_t flags) {
  session.queued_bytes += queued.message.payload().size();
  const auto sequence = session.outbox.push(std::move(queued), qos, flags);
  if (!journal_.keeps(session)) return;
  auto& entry = session.outbox[session.outbox.size() - 1];
  const auto identifier = (flags & kFromShare) == 0
                              ? entry.message.origin
                              : identifier_in(entry.message.origin, session.index);
  if (session.unstored.empty() || session.unstored.back().first != journal_.ticket()) {
    session.unstored.push_back({journal_.ticket(), sequence});
    storing_.push_back({journal_.ticket(), session.index});
  }
  journal_.put_queued(session, {&entry, sequence}, identifier, now_);
}

bool Core::is_stored(Session& session, std::uint64_t sequence) const {
  while (!session.unstored.empty() && session.unstored.front().first <= stored_) {
    session.unstored.pop_front();
  }
  return session.unstored.empty() || sequence < session.unstored.front().second;
}

void Core::pump(Session& session) {
  pump_outbox(session);
  if (!session.feeds.empty()) pump_feeds(session);
}

void Core::pump_outbox(Session& session) {
  Connection& connection = *session.connection;
  while (connection.out.size() < kEnoughToSend) {
    const auto item = session.outbox.next(connection.receive_maximum);
    if (!item) return;
    Outbox::Entry& entry = *item->entry;
    if (entry.qos == QoS::exactly_once &&
        (!is_stored(session, item->sequence) || session.released_by > stored_)) {
      return;  // it must not be sent twice: on_stored() goes on from here
    }
    if (entry.state == Delivery::released) {
      send(connection, wire::Pubrel{item->packet_id(), wire::ReasonCode::success, {}});
      session.outbox.mark_sent();
      continue;
    }
    const Message& message = entry.message.message;
    if (!entry.was_sent && message.is_expired(now_.steady)) {  // [MQTT-3.3.2-5]
      give_up(session, Drop::expired);
      continue;
    }
    const bool is_shared = (entry.flags & kFromShare) != 0;
    const Outgoing outgoing{.qos = entry.qos,
                            .dup = entry.was_sent,  // [MQTT-3.3.1-1]
                            .retain = (entry.flags & kRetainFlag) != 0,
                            .packet_id = item->packet_id(),
                            .identifier = is_shared
                                              ? identifier_in(entry.message.origin, session.index)
                                              : entry.message.origin,
                            .topic = message.topic(),
                            .properties = message.properties(),
                            .payload = message.payload(),
                            .remaining = message.remaining(now_.steady),
                            .owner = message.block()};
    if (!send_publish(connection, outgoing)) {
      give_up(session, Drop::too_large);
    } else if (entry.qos == QoS::at_most_once) {
      session.queued_bytes -= outgoing.payload.size();
      journal_.drop_queued(session, item->sequence);
      session.outbox.skip();
    } else {
      session.outbox.mark_sent();
    }
  }
}

std::uint32_t Core::identifier_in(FilterId share, std::uint32_t owner) const {
  for (const Subscriber& member : subscriptions_.subscribers(share)) {
    if (member.owner == owner) return member.identifier;
  }
  return 0;
}

void Core::give_up(Session& session, Drop reason) {
  const auto item = session.outbox.next(wire::kMaximumPacketSize);
  session.queued_bytes -= item->entry->message.message.payload().size();
  journal_.drop_queued(session, item->sequence);
  session.outbox.skip();
  count_drop(session, reason);
}

void Core::pump_feeds(Session& session) {
  while (!session.feeds.empty()) {
    RetainedFeed& feed = session.feeds.front();
    std::optional<std::string_view> after;
    if (feed.after) after = *feed.after;
    std::string_view last;
    std::vector<std::string> expired;
    const bool is_done = retained_.walk(feed.filter, after, [&](const Message& message) {
      if (!has_room_for(session, feed)) return false;
      last = message.topic();
      if (message.is_expired(now_.steady)) {
        expired.emplace_back(last);
      } else {
        feed_one(session, feed, message);
      }
      return true;
    });
    if (!is_done && last.data() != nullptr) feed.after = std::string(last);
    for (const auto& topic : expired) {
      retained_.drop(topic);  // [MQTT-3.3.2-5]
      journal_.drop_retained(topic);
    }
    if (!is_done) return;
    session.feeds.erase(session.feeds.begin());
  }
}

bool Core::has_room_for(const Session& session, const RetainedFeed& feed) const {
  if (session.connection->out.size() >= kEnoughToSend) return false;
  if (feed.options.qos == QoS::at_most_once) return true;
  // Retained messages do not queue: one is taken when it can leave at once.
  return session.outbox.waiting() == 0 &&
         session.outbox.in_flight() < session.connection->receive_maximum;
}

void Core::feed_one(Session& session, const RetainedFeed& feed, const Message& message) {
  const QoS qos = std::min(feed.options.qos, message.qos());
  if (qos != QoS::at_most_once) {
    push(session, {message, feed.identifier}, qos, kRetainFlag);
    pump_outbox(session);
    return;
  }
  const Outgoing outgoing{.qos = qos,
                          .retain = true,  // [MQTT-3.3.1-8]
                          .identifier = feed.identifier,
                          .topic = message.topic(),
                          .properties = message.properties(),
                          .payload = message.payload(),
                          .remaining = message.remaining(now_.steady),
                          .owner = message.block()};
  if (!send_publish(*session.connection, outgoing)) count_drop(session, Drop::too_large);
}

bool Core::send_publish(Connection& connection, const Outgoing& outgoing) {
  wire::Publish packet{.qos = outgoing.qos,
                       .dup = outgoing.dup,
                       .retain = outgoing.retain,
                       .topic = outgoing.topic,
                       .packet_id = outgoing.packet_id,
                       .properties = outgoing.properties,
                       .payload = outgoing.payload};
  const auto alias = alias_for(connection, outgoing.topic);
  if (connection.version == Version::v5 &&
      (outgoing.remaining || outgoing.identifier != 0 || alias.number != 0)) {
    scratch_ = {};
    scratch_.add_encoded(outgoing.properties.encoded());
    if (outgoing.remaining) {
      scratch_.add(PropertyId::message_expiry_interval, *outgoing.remaining);  // [MQTT-3.3.2-6]
    }
    if (outgoing.identifier != 0) {
      scratch_.add(PropertyId::subscription_identifier, outgoing.identifier);  // [MQTT-3.3.4-3]
    }
    if (alias.number != 0) scratch_.add(PropertyId::topic_alias, std::uint32_t{alias.number});
    if (alias.number != 0 && !alias.is_new) packet.topic = {};
    packet.properties = scratch_.view();
  }
  const auto size = wire::encoded_size(packet, connection.version);
  if (size > connection.maximum_packet_size) return false;  // [MQTT-3.1.2-25]
  if (alias.is_new) connection.aliases->outgoing.emplace(outgoing.topic, alias.number);
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

Core::Alias Core::alias_for(Connection& connection, std::string_view topic) {
  if (connection.topic_alias_maximum == 0) return {};
  if (connection.aliases == nullptr) connection.aliases = std::make_unique<Aliases>();
  const auto& known = connection.aliases->outgoing;
  if (const auto it = known.find(topic); it != known.end()) return {it->second, false};
  if (known.size() >= connection.topic_alias_maximum) return {};
  return {static_cast<std::uint16_t>(known.size() + 1), true};
}

void Core::count_sent(Connection& connection, std::size_t size, std::size_t payload_size) {
  ++stats_.packets_sent;
  ++stats_.publish_sent;
  stats_.publish_bytes_sent += payload_size;
  stats_.bytes_sent += size;
  mark_dirty(connection);
}

void Core::count_drop(Session& session, Drop reason) {
  constexpr std::array<const char*, kDropKinds> kWords{
      "its queue is full (max_queued_messages, max_queued_bytes)",
      "it reads too slowly (max_unread_bytes)", "the message expired",
      "the message is larger than the client accepts"};
  const auto kind = static_cast<std::size_t>(reason);
  ++stats_.drops[kind];
  if (++session.drops[kind] == 1) {
    facts_.emplace_back(fact::Dropped{session.client_id, kWords[kind]});
  }
}

}  // namespace mq::broker

#include <algorithm>
#include <utility>

#include "broker/core.hpp"
#include "broker/incoming.hpp"
#include "topic/name.hpp"

// How connections and sessions end. A session that loses its connection owes two things: its will,
// at once or when the will delay has passed, and its own end when its expiry interval has.

namespace mq::broker {

using wire::PropertyId;
using wire::QoS;
using wire::ReasonCode;

bool Core::handle_disconnect(Connection& connection, const wire::Disconnect& disconnect) {
  Session& session = *connection.session;
  if (const auto expiry = disconnect.properties.number(PropertyId::session_expiry_interval)) {
    if (session.expiry_interval == 0 && *expiry > 0) {
      fail(connection, {ReasonCode::protocol_error, "MQTT 5.0 §3.14.2.2.2",
                        "DISCONNECT extends a session that CONNECT did not want kept"});
      return false;
    }
    session.expiry_interval = *expiry;
  }
  if (disconnect.reason == ReasonCode::normal_disconnection && session.will != nullptr) {
    session.will.reset();  // [MQTT-3.14.4-3]
    journal_.drop_will(session);
  }
  const ConnectionId id = connection.id;
  closing_.push_back({id, std::move(connection.out)});
  forget(connection, {id, {}, fact::End::disconnected, {disconnect.reason, "", ""}});
  return false;
}

void Core::hear_goodbye(Connection& connection) {
  if (connection.throttle == nullptr) return;
  const auto behind = std::exchange(connection.throttle->behind, {});
  connection.framer.feed(behind);
  while (const auto frame =
             connection.framer.next(wire::kMaximumPacketSize).value_or(std::nullopt)) {
    if (wire::packet_type(*frame) != wire::PacketType::disconnect) continue;
    const auto packet = wire::decode(*frame, connection.version);
    if (packet) handle_disconnect(connection, std::get<wire::Disconnect>(*packet));
    return;
  }
}

void Core::fall_asleep(Session& session, Instant since) {
  session.connection = nullptr;
  session.is_awake = false;
  session.outbox.rewind();  // [MQTT-4.8.2-4]
  session.in_flight_bytes = 0;
  session.inbox.rewind();
  auto keep = Seconds(session.expiry_interval);
  bool is_kept_for_ever = session.expiry_interval == UINT32_MAX;
  if (config_.persistent_client_expiration > Seconds(0) &&
      (is_kept_for_ever || keep > config_.persistent_client_expiration)) {
    keep = config_.persistent_client_expiration;
    is_kept_for_ever = false;
  }
  session.expires_at = is_kept_for_ever ? kNever : since + keep;  // [MQTT-3.1.2-23]
  if (session.will != nullptr) {
    session.will->due_at = std::min(since + session.will->delay, session.expires_at);
  }
  on_session_deadline(session);
}

void Core::on_session_deadline(Session& session) {
  if (session.will != nullptr && session.will->due_at <= now_.steady) publish_will(session);
  if (session.expires_at <= now_.steady) {  // [MQTT-4.1.0-2]
    if (session.expiry_interval > 0) ++stats_.expired_sessions;
    end_session(session);
    return;
  }
  const Instant will_due_at = session.will == nullptr ? kNever : session.will->due_at;
  session_wheel_.set(session, std::min(will_due_at, session.expires_at));
}

void Core::publish_will(Session& session) {
  const auto will = std::exchange(session.will, nullptr);  // [MQTT-3.1.2-10]
  journal_.drop_will(session);
  if (!may_write(session, will->topic, fact::Act::will)) return;
  if (has_no_memory_for(will->qos, will->retain)) return count_drop(session, Drop::memory);
  Incoming incoming{.packet = {.qos = will->qos,
                               .dup = false,
                               .retain = will->retain,  // [MQTT-3.1.2-14] [MQTT-3.1.2-15]
                               .topic = will->topic,
                               .packet_id = 0,
                               .properties = wire::Properties(will->properties),
                               .payload = will->payload},
                    .publisher = session.index};
  // The will goes when this function does: receivers get a copy that lasts.
  const Message message = incoming.shared(now_.steady);
  incoming.packet.topic = message.topic();
  incoming.packet.payload = message.payload();
  incoming.owner = message.block();
  const auto properties = turn_.take(will->properties.size());
  std::ranges::copy(will->properties, properties.begin());
  incoming.packet.properties = wire::Properties(properties);
  publish(incoming);
}

/// What it has retained stays: that belongs to the topics [MQTT3-3.1.2-7].
void Core::end_session(Session& session, bool is_name_wanted) {
  if (session.will != nullptr) publish_will(session);  // [MQTT-3.1.2-8]
  const bool is_leaving = session.leaving != nullptr || begin_leaving(session);
  if (is_leaving) {
    if (session.tail.count > 0 && !is_name_wanted) return;
    count_drop(session, Drop::left_behind, session.tail.count);
  }
  hand_over_shares(session);
  forget_drops(session);
  let_go(session);
  held_.count -= session.tail.count;
  held_.bytes -= session.tail.bytes;
  journal_.drop_session(session);
  session_ids_.erase(session.client_id);
  free_sessions_.push_back(session.index);
  sessions_[session.index].reset();
}

void Core::let_go(Session& session) {
  for (std::size_t i = 0; i < session.outbox.size(); ++i) {
    const Message& message = session.outbox[i].message.message;
    if (message) count_released(&session, message.payload().size());
  }
  session.outbox.clear();
  for (const auto filter : session.subscriptions) subscriptions_.unsubscribe(filter, session.index);
  session.subscriptions.clear();
  session.feeds.reset();
}

void Core::hand_over_shares(Session& session) {
  bool is_written = false;
  for (std::size_t i = 0; i < session.outbox.size(); ++i) {
    auto& entry = session.outbox[i];
    if ((entry.flags & kFromShare) == 0 || !entry.message.message) continue;
    // What is only noted would be settled when this session forgets it, before another stores it.
    if (!std::exchange(is_written, true)) journal_.write_noted(now_);
    if (entry.qos == QoS::exactly_once && entry.was_sent) {  // [MQTT-4.8.2-5]
      count_drop(session, Drop::left_behind);
      continue;
    }
    give_to_member(entry.message.origin, entry.message.message, session);
  }
}

bool Core::begin_leaving(Session& session) {
  if (session.tail.count == 0) return false;
  std::vector<std::string> shares;
  for (const auto filter : session.subscriptions) {
    const bool is_left_to_others =
        subscriptions_.is_shared(filter) && subscriptions_.subscribers(filter).size() > 1;
    if (is_left_to_others) shares.emplace_back(subscriptions_.text(filter));
  }
  if (shares.empty()) return false;
  hand_over_shares(session);
  for (std::size_t i = 0; i < session.outbox.size(); ++i) {
    journal_.drop_queued(session, session.outbox.first_sequence() + i);
  }
  let_go(session);
  session.leaving = std::make_unique<const std::vector<std::string>>(std::move(shares));
  session.expires_at = kNever;
  session_wheel_.set(session, kNever);
  load_tail(session);
  return true;
}

void Core::hand_over(Session& session, const storage::Page& page) {
  for (const auto& entry : page.entries) {
    leave_tail(session, entry);
    journal_.drop_queued(session, entry.sequence);
    if ((entry.queued.flags & kFromShare) == 0) continue;
    const Message message = Message::of(entry.queued.message, entry.body, now_);
    if (!message) {
      count_drop(session, Drop::unreadable);
      continue;
    }
    // At QoS 2 it must not be one that this client may have seen [MQTT-4.8.2-5].
    const bool may_be_known = entry.queued.qos == 2 && entry.sequence < session.fresh_from;
    if (may_be_known || message.is_expired(now_.steady)) {
      count_drop(session, may_be_known ? Drop::left_behind : Drop::expired);
      continue;
    }
    const auto share = std::ranges::find_if(*session.leaving, [&](const std::string& filter) {
      return topic::matches(topic::share_of(filter)->filter, message.topic());
    });
    if (share == session.leaving->end()) continue;
    const auto id = subscriptions_.find(*share);
    if (id != topic::kNoFilter) give_to_member(id, message, session);
  }
  if (page.entries.empty()) lose_tail(session);
  if (session.tail.count == 0) {
    end_session(session);
  } else {
    load_tail(session);
  }
}

}  // namespace mq::broker

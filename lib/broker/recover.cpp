#include <algorithm>
#include <map>
#include <utility>

#include "broker/core.hpp"
#include "topic/name.hpp"
#include "wire/property_reader.hpp"

// A broker that starts reads back what was stored. Every session sleeps then: one that had a
// connection lost it when the broker went down, and its will and its end are due from now on.

namespace mq::broker {

using session::Delivery;
using topic::FilterId;
using topic::kNoFilter;
using wire::QoS;

Session& Core::create_session(std::string_view client_id) {
  std::uint32_t index = 0;
  if (free_sessions_.empty()) {
    index = static_cast<std::uint32_t>(sessions_.size());
    sessions_.emplace_back();
  } else {
    index = free_sessions_.back();
    free_sessions_.pop_back();
  }
  sessions_[index] = std::make_unique<Session>();
  sessions_[index]->index = index;
  sessions_[index]->client_id = client_id;
  session_ids_.emplace(client_id, index);
  stats_.maximum_sessions = std::max<std::uint64_t>(stats_.maximum_sessions, session_ids_.size());
  return *sessions_[index];
}

void Core::recover(const storage::Snapshot& stored) {
  journal_ = Journal(stored.last_message);
  std::map<storage::MessageId, Message> messages;
  const auto message = [&](storage::MessageId id) {
    const auto body = stored.messages.find(id);
    if (body == stored.messages.end()) return Message();
    auto& known = messages[id];
    if (!known) known = Message::of(id, body->second, now_);
    return known;
  };
  for (const auto& [topic, retained] : stored.retained) {
    const auto& [id, expires_at, source] = retained;
    Message body = message(id);
    if (!body) body = Message::stub(id, topic, Message::instant_of(expires_at, now_));
    body.mark_stored_retained();
    put_retained(std::move(body));
    if (!source.client_id.empty()) sources_[topic] = source;
  }
  for (const auto& [client_id, session] : stored.sessions) {
    recover_session(client_id, session, message);
  }
  // Only now are there subscribers for the wills.
  for (const auto& [client_id, session] : stored.sessions) {
    Session& sleeper = *sessions_[session_ids_.find(client_id)->second];
    const bool was_awake = session.asleep_since == storage::kAwake;
    const auto slept = std::chrono::duration_cast<Millis>(now_.wall - session.asleep_since);
    const bool has_other = !sleeper.is_unsure && sleeper.fresh_from != session.fresh_from;
    if (was_awake || has_other) {
      journal_.put_session(sleeper, was_awake ? now_.wall : session.asleep_since);
    }
    fall_asleep(sleeper, was_awake ? now_.steady : now_.steady - std::max(slept, Millis(0)));
  }
}

void Core::recover_session(const std::string& client_id, const storage::Snapshot::Session& stored,
                           const std::function<Message(storage::MessageId)>& message) {
  Session& session = create_session(client_id);
  session.is_durable = true;
  session.expiry_interval = stored.expiry_interval;
  for (const auto& [filter, subscription] : stored.subscriptions) {
    const auto options = GrantedOptions::of(subscription.options);
    const auto added =
        subscriptions_.subscribe(filter, {session.index, subscription.identifier, options.byte()});
    session.subscriptions.insert(added.filter);
    if ((subscription.options & kRetainedOwed) == 0) continue;
    if (session.feeds == nullptr) session.feeds = std::make_unique<RetainedFeeds>();
    session.feeds->push({added.filter, filter, options, subscription.identifier});
  }
  if (session.feeds != nullptr) session.feeds->note([](const RetainedFeed&) {});
  for (const auto id : stored.incoming) session.inbox.restore(id);
  auto end = stored.tail.end;
  if (!stored.queue.empty()) end = std::max(end, stored.queue.rbegin()->first + 1);
  session.fresh_from = std::min(stored.fresh_from, end);
  session.is_unsure = stored.fresh_from == storage::kAnythingSent && end > 0;
  for (const auto& [sequence, queued] : stored.queue) {
    restore(session, sequence, queued, message(queued.message));
  }
  if (stored.tail.count == 0) session.outbox.continue_at(end);
  session.tail = stored.tail;
  session.queued_bytes += stored.tail.bytes;
  held_.count += stored.tail.count;
  held_.bytes += stored.tail.bytes;
  const bool has_will = stored.will && stored.will->qos <= 2 &&
                        topic::is_name(stored.will->topic) &&
                        wire::properties_fault(stored.will->properties, wire::kInWill) == nullptr;
  if (has_will) {
    session.will = std::make_unique<StoredWill>(
        StoredWill{stored.will->topic, stored.will->payload, stored.will->properties,
                   static_cast<QoS>(stored.will->qos), stored.will->retain, stored.will->delay});
  }
}

void Core::restore(Session& session, std::uint64_t sequence,
                   const storage::Snapshot::Queued& queued, Message message) {
  if (queued.qos > 2) {  // the file may be damaged
    count_drop(session, Drop::unreadable);
    return journal_.drop_queued(session, sequence);
  }
  auto state = queued.message == 0 ? Delivery::resumed : Delivery::waiting;
  const auto qos = static_cast<QoS>(queued.qos);
  const bool was_sent = qos != QoS::at_most_once && sequence < session.fresh_from;
  const bool may_expire = !was_sent || session.is_unsure;  // [MQTT-4.3.3-7]
  if (state == Delivery::waiting && (!message || (may_expire && message.is_expired(now_.steady)))) {
    count_drop(session, message ? Drop::expired : Drop::unreadable);
    if (qos != QoS::exactly_once || !was_sent) return journal_.drop_queued(session, sequence);
    // The client may know its packet id, and must not take the next message for this one.
    note_release(session, sequence);
    state = Delivery::resumed;
    message = {};
  }
  if (message) count_held(&session, message.payload().size());
  auto flags = queued.flags;
  auto origin = queued.origin;
  if ((flags & kFromShare) != 0) {
    const FilterId share = message ? share_between(session, message.topic()) : kNoFilter;
    if (share == kNoFilter) {
      flags &= static_cast<std::uint8_t>(~kFromShare);  // it has left the share
    } else {
      origin = share;
    }
  }
  session.outbox.restore(sequence, {Queued(std::move(message), origin), qos, state, was_sent,
                                    flags});  // [MQTT-3.3.1-2]
}

FilterId Core::share_between(const Session& session, std::string_view topic) {
  for (const FilterId plain : subscriptions_.match(topic, work_)) {
    for (FilterId share = subscriptions_.shared_from(plain); share != kNoFilter;
         share = subscriptions_.shared_after(share)) {
      if (session.subscriptions.contains(share)) return share;
    }
  }
  return kNoFilter;
}

}  // namespace mq::broker

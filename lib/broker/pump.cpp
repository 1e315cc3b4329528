#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "broker/core.hpp"
#include "broker/incoming.hpp"
#include "broker/write_packet.hpp"

// What a session is owed leaves in order: first what waits in its outbox, as far as its window and
// its socket go, then retained messages for its new subscriptions. These do not queue: one is taken
// when it can leave at once, so a SUBSCRIBE to everything costs no memory however much is retained.

namespace mq::broker {

using session::Delivery;
using storage::Tail;
using topic::FilterId;
using topic::Subscriber;
using wire::QoS;

namespace {

/// So many bodies are read from the store at once.
constexpr std::size_t kBodiesALoad = 500;

}  // namespace

void Core::push(Session& session, Queued queued, QoS qos, std::uint8_t flags) {
  const bool is_kept = journal_.keeps(session);
  const bool is_tail = is_kept && is_beyond_window(session, queued.message);
  count_held(&session, queued.message.payload().size());
  if (!is_kept) {
    session.outbox.push(std::move(queued), qos, flags);
    return;
  }
  Outbox::Entry entry{std::move(queued), qos, Delivery::waiting, false, flags};
  const auto identifier = (flags & kFromShare) == 0
                              ? entry.message.origin
                              : identifier_in(entry.message.origin, session.index);
  const auto sequence = session.tail.count > 0 ? session.tail.end : session.outbox.next_sequence();
  if (!is_tail && may_be_noted(session, qos)) {
    journal_.note_queued(session, sequence, entry.message.message, flags, identifier);
    session.outbox.push(std::move(entry.message), qos, flags);
    return;
  }
  forget_stored(session);
  if (session.unstored.empty() || session.unstored.back().first != journal_.ticket()) {
    session.unstored.push_back({journal_.ticket(), sequence});
    storing_.push_back({journal_.ticket(), session.index});
  }
  journal_.put_queued(session, {&entry, sequence}, identifier, now_);
  if (!is_tail) {
    session.outbox.push(std::move(entry.message), qos, flags);
    return;
  }
  Tail& tail = session.tail;
  if (tail.count == 0) tail.first = sequence;
  tail.end = sequence + 1;
  ++tail.count;
  tail.bytes += entry.message.message.payload().size();
}

bool Core::may_be_noted(const Session& session, QoS qos) const {
  return session.is_awake && qos == QoS::at_least_once && config_.persistence_delay > Millis(0);
}

bool Core::is_beyond_window(const Session& session, const Message& message) const {
  if (session.tail.count > 0) return true;
  const std::size_t waiting = session.outbox.waiting();
  return waiting >= config_.queue_window.messages ||
         (waiting > 0 &&
          session.queued_bytes + message.payload().size() > config_.queue_window.bytes);
}

void Core::load_more(Session& session) {
  const std::size_t waiting = session.outbox.waiting();
  const std::size_t bytes = session.queued_bytes - session.tail.bytes;
  const auto page = page_size();
  if (waiting == 0 || (waiting < page.messages && bytes < page.bytes)) load_tail(session);
}

storage::Window Core::page_size() const {
  return {(config_.queue_window.messages + 1) / 2, (config_.queue_window.bytes + 1) / 2};
}

void Core::load_tail(Session& session) {
  const Tail& tail = session.tail;
  if (tail.count == 0 || session.loading != 0 || !is_stored(session, tail.first)) return;
  session.loading = ++last_load_;
  session.loading_end =
      session.unstored.empty() ? tail.end : std::min(tail.end, session.unstored.front().second);
  loads_.push_back({session.loading, session.client_id, tail.first, {}, page_size()});
}

void Core::on_loaded(const storage::Page& page, Now now) {
  now_ = now;
  const auto known = session_ids_.find(page.client_id);
  if (known == session_ids_.end()) return;
  Session& session = *sessions_[known->second];
  if (session.feeds != nullptr && session.feeds->front().loading == page.number) {
    take_bodies(session.feeds->front(), page);
    if (session.is_awake) pump(session);
    return;
  }
  if (session.loading != page.number) return;  // asked for by an earlier session of this name
  session.loading = 0;
  if (session.leaving != nullptr) return hand_over(session, page);
  for (const auto& entry : page.entries) {
    leave_tail(session, entry);
    restore(
        session, entry.sequence, entry.queued,
        entry.queued.message == 0 ? Message() : Message::of(entry.queued.message, entry.body, now));
  }
  if (page.entries.empty()) lose_tail(session);
  if (session.tail.count == 0) session.outbox.continue_at(session.tail.end);
  if (session.is_awake) pump(session);
}

void Core::leave_tail(Session& session, const storage::Page::Entry& entry) {
  Tail& tail = session.tail;
  const std::size_t size = entry.body.payload.size();
  tail.first = entry.sequence + 1;
  --tail.count;
  tail.bytes -= size;
  session.queued_bytes -= size;
  --held_.count;
  held_.bytes -= size;
}

void Core::lose_tail(Session& session) {
  Tail& tail = session.tail;
  if (session.loading_end < tail.end) {
    tail.first = session.loading_end;  // what came since is not lost
    return;
  }
  held_.count -= tail.count;
  held_.bytes -= tail.bytes;
  session.queued_bytes -= tail.bytes;
  count_drop(session, Drop::unreadable, tail.count);
  tail.count = tail.bytes = 0;
}

void Core::forget_stored(Session& session) const {
  while (!session.unstored.empty() && session.unstored.front().first <= stored_) {
    session.unstored.pop_front();
  }
}

bool Core::is_stored(Session& session, std::uint64_t sequence) const {
  forget_stored(session);
  return session.unstored.empty() || sequence < session.unstored.front().second;
}

void Core::pump(Session& session) {
  pump_outbox(session);
  load_more(session);
  if (session.feeds != nullptr && !session.is_unfinished) pump_feeds(session);
}

void Core::pump_outbox(Session& session) {
  send_releases(session);
  publish_waiting(session);
  send_releases(session);
}

void Core::send_releases(Session& session) {
  if (!session.outbox.owes_releases() || session.released_by > stored_) return;
  session.outbox.send_releases([&](std::uint16_t packet_id) {
    send(*session.connection, wire::Pubrel{packet_id, wire::ReasonCode::success, {}});
  });
}

void Core::publish_waiting(Session& session) {
  Connection& connection = *session.connection;
  while (connection.out.size() < kEnoughToSend) {
    const auto item = session.outbox.next(connection.receive_maximum);  // [MQTT-3.3.4-9]
    if (!item) {
      session.must_recheck = session.must_recheck && session.waiting() > 0;
      return;
    }
    Outbox::Entry& entry = *item->entry;
    if (entry.qos == QoS::exactly_once && !is_stored(session, item->sequence)) {
      return;  // it must not be sent twice: on_stored() goes on from here
    }
    const Message& message = entry.message.message;
    if (!entry.was_sent && message.is_expired(now_.steady)) {  // [MQTT-3.3.2-5] [MQTT-4.3.3-7]
      give_up(session, Drop::expired);
      continue;
    }
    if (!sees(connection, message.topic())) {
      give_up(session, Drop::denied);
      continue;
    }
    if (session.must_recheck && !may_read(session, message.topic())) {
      give_up(session, Drop::denied);
      continue;
    }
    const std::size_t size = message.payload().size();
    if (config_.max_inflight_bytes > 0 && entry.qos != QoS::at_most_once &&
        session.in_flight_bytes > 0 &&
        session.in_flight_bytes + size > config_.max_inflight_bytes) {
      return;  // an acknowledgement goes on from here
    }
    const bool is_shared = (entry.flags & kFromShare) != 0;
    const Outgoing outgoing{.qos = entry.qos,
                            .dup = entry.was_sent,  // [MQTT-3.3.1-1] [MQTT-3.3.1-3]
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
      count_released(&session, message.payload().size());
      journal_.drop_queued(session, item->sequence);
      session.outbox.skip();
    } else {
      session.in_flight_bytes += size;
      session.outbox.mark_sent();
    }
  }
}

std::uint32_t Core::identifier_in(FilterId filter, std::uint32_t owner) const {
  const Subscriber* subscriber = subscriber_of(filter, owner);
  return subscriber == nullptr ? 0 : subscriber->identifier;
}

const Subscriber* Core::subscriber_of(FilterId filter, std::uint32_t owner) const {
  const auto all = subscriptions_.subscribers(filter);
  const auto found = std::ranges::find(all, owner, &Subscriber::owner);
  return found == all.end() ? nullptr : &*found;
}

void Core::give_up(Session& session, Drop reason) {
  const auto item = session.outbox.next(wire::kMaximumPacketSize);
  count_released(&session, item->entry->message.message.payload().size());
  count_drop(session, reason);
  if (item->entry->qos == QoS::exactly_once && item->entry->was_sent) {
    session.outbox.abandon();
    note_release(session, item->sequence);
  } else {
    journal_.drop_queued(session, item->sequence);
    session.outbox.skip();
  }
}

void Core::pump_feeds(Session& session) {
  RetainedFeeds& feeds = *session.feeds;
  while (!feeds.empty() && feed_steps_ > 0) {
    RetainedFeed& feed = feeds.front();
    if (!feed.is_cancelled && !pump_feed(session, feed)) break;
    if (!feed.is_cancelled && std::exchange(feed.is_again, false)) {
      feed.after.reset();
      continue;
    }
    if (!feed.is_cancelled && feed.is_noted) {
      store_subscription(session, feed, 0);
    }
    feeds.pop_front();
  }
  if (feeds.empty()) {
    session.feeds.reset();
  } else if (feed_steps_ == 0 && !session.is_unfinished) {
    session.is_unfinished = true;
    unfinished_.push_back(session.index);
  }
}

void Core::go_on_with_feeds() {
  const auto waiting = std::exchange(unfinished_, {});
  auto next = waiting.begin();
  for (; next != waiting.end() && feed_steps_ > 0; ++next) {
    const auto& session = sessions_[*next];
    if (session == nullptr) continue;
    session->is_unfinished = false;
    if (session->is_awake) pump(*session);
  }
  // Who had no turn comes first the next time.
  unfinished_.insert(unfinished_.begin(), next, waiting.end());
}

bool Core::pump_feed(Session& session, RetainedFeed& feed) {
  std::vector<std::string> expired;
  std::vector<std::string> unreadable;
  bool is_body_missing = false;
  const bool is_done =
      retained_.walk(feed.filter, feed.after, feed_steps_, [&](const Message& kept) {
        if (!has_room_for(session, feed)) return false;
        if (!sees(*session.connection, kept.topic())) return true;
        if (!may_read(session, kept.topic())) return true;
        if (!sources_.empty() && !may_source_publish(kept.topic())) return true;
        const Message* message = &kept;
        if (kept.is_stub() && !kept.is_expired(now_.steady)) {
          const auto body = feed.bodies.find(kept.stored_id());
          is_body_missing = body == feed.bodies.end();
          if (is_body_missing) return false;
          message = &body->second;
        }
        if (!*message) {
          unreadable.emplace_back(kept.topic());
          count_drop(session, Drop::unreadable);
        } else if (message->is_expired(now_.steady)) {
          expired.emplace_back(kept.topic());
        } else {
          feed_one(session, feed, *message);
        }
        return true;
      });
  for (const auto& topic : expired) drop_retained(topic);  // [MQTT-3.3.2-5]
  // The store is damaged there, and writing would come upon it.
  for (const auto& topic : unreadable) forget_retained(topic);
  if (is_body_missing) load_bodies(session, feed);
  return is_done;
}

void Core::load_bodies(Session& session, RetainedFeed& feed) {
  if (feed.loading != 0) return;
  feed.loading = ++last_load_;
  feed.bodies.clear();
  storage::Load load{.number = feed.loading,
                     .client_id = session.client_id,
                     .window = {SIZE_MAX, config_.queue_window.bytes}};
  auto after = feed.after;
  std::size_t steps = kFeedSteps;
  retained_.walk(feed.filter, after, steps, [&load](const Message& message) {
    if (message.is_stub()) load.bodies.push_back(message.stored_id());
    return load.bodies.size() < kBodiesALoad;
  });
  loads_.push_back(std::move(load));
}

void Core::take_bodies(RetainedFeed& feed, const storage::Page& page) {
  feed.loading = 0;
  for (const auto& entry : page.entries) {
    const auto message = Message::of(entry.queued.message, entry.body, now_);
    if (message) message.mark_stored_retained();
    feed.bodies.emplace(entry.queued.message, message);
  }
  for (const auto id : page.lost) feed.bodies.emplace(id, Message());
}

bool Core::has_room_for(const Session& session, const RetainedFeed& feed) const {
  if (session.connection->out.size() >= kEnoughToSend) return false;
  if (feed.options.qos == QoS::at_most_once) return true;
  // Retained messages do not queue: one is taken when it can leave at once.
  return session.waiting() == 0 && session.outbox.in_flight() < session.connection->receive_maximum;
}

void Core::feed_one(Session& session, const RetainedFeed& feed, const Message& message) {
  const QoS qos = outgoing_qos(feed.options.qos, message.qos());
  if (qos != QoS::at_most_once) {
    push(session, {message, feed.identifier}, qos, kRetainFlag);
    pump_outbox(session);
    return;
  }
  const Outgoing outgoing{.qos = qos,
                          .retain = true,  // [MQTT3-3.3.1-8]
                          .identifier = feed.identifier,
                          .topic = message.topic(),
                          .properties = message.properties(),
                          .payload = message.payload(),
                          .remaining = message.remaining(now_.steady),
                          .owner = message.block()};
  if (!send_publish(*session.connection, outgoing)) count_drop(session, Drop::too_large);
}

}  // namespace mq::broker

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
using topic::FilterId;
using topic::Subscriber;
using wire::QoS;

namespace {

/// A connection that has this much to send gets more of its queue when that is gone.
constexpr std::size_t kEnoughToSend = 256U << 10U;
/// So many retained topics are looked at for one session before it is somebody else's turn.
constexpr std::size_t kStepsATurn = 10'000;

}  // namespace

void Core::push(Session& session, Queued queued, QoS qos, std::uint8_t flags) {
  count_held(&session, queued.message);
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
    if (!item) {
      session.must_recheck = session.must_recheck && session.outbox.waiting() > 0;
      return;
    }
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
    if (session.must_recheck && !entry.was_sent && !may_read(session, message.topic())) {
      give_up(session, Drop::denied);
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
      count_released(&session, message);
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
  count_released(&session, item->entry->message.message);
  journal_.drop_queued(session, item->sequence);
  session.outbox.skip();
  count_drop(session, reason);
}

void Core::pump_feeds(Session& session) {
  std::size_t steps = kStepsATurn;
  while (!session.feeds.empty() && steps > 0) {
    RetainedFeed& feed = session.feeds.front();
    if (!feed.is_cancelled && !pump_feed(session, feed, steps)) break;
    session.feeds.pop_front();
    if (steps > 0) --steps;
  }
  if (session.feeds.empty()) {
    session.feeds.clear();
  } else if (steps == 0 && !session.is_unfinished) {
    session.is_unfinished = true;  // others come first
    unfinished_.push_back(session.index);
  }
}

bool Core::pump_feed(Session& session, RetainedFeed& feed, std::size_t& steps) {
  std::vector<std::string> expired;
  const bool is_done = retained_.walk(feed.filter, feed.after, steps, [&](const Message& message) {
    if (!has_room_for(session, feed)) return false;
    if (message.is_expired(now_.steady)) {
      expired.emplace_back(message.topic());
    } else if (may_read(session, message.topic())) {
      feed_one(session, feed, message);
    }
    return true;
  });
  for (const auto& topic : expired) drop_retained(topic);  // [MQTT-3.3.2-5]
  return is_done;
}

bool Core::has_room_for(const Session& session, const RetainedFeed& feed) const {
  if (session.connection->out.size() >= kEnoughToSend) return false;
  if (feed.options.qos == QoS::at_most_once) return true;
  // Retained messages do not queue: one is taken when it can leave at once.
  return session.outbox.waiting() == 0 &&
         session.outbox.in_flight() < session.connection->receive_maximum;
}

void Core::feed_one(Session& session, const RetainedFeed& feed, const Message& message) {
  const QoS qos = outgoing_qos(feed.options.qos, message.qos());
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

}  // namespace mq::broker

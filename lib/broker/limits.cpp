#include <algorithm>
#include <utility>

#include "broker/core.hpp"
#include "broker/incoming.hpp"
#include "topic/name.hpp"

// What gives way when there is too much of something. Each loss is counted for its client and
// reason. The first ones are told a moment later, for they seldom come alone, and then what there
// is once a minute.

namespace mq::broker {

using wire::QoS;
using wire::ReasonCode;
using wire::Version;

namespace {

constexpr Seconds kDropBurst{1};
constexpr Seconds kDropPause{60};
/// So many retained topics are looked at before it is somebody else's turn.
constexpr std::size_t kTopicsATurn = 10'000;
/// What each may leave unread when all together leave too much.
constexpr std::size_t kLittleUnread = 64U << 10U;
/// What all who have not been let in may make us keep together, and what all clients may, of
/// packets that are not whole; and no more than this part of memory_limit.
constexpr std::size_t kMostOfStrangers = 32U << 20U;
constexpr std::size_t kPartOfStrangers = 8;
constexpr std::size_t kMostOfClients = wire::kMaximumPacketSize;  // one of the largest
constexpr std::size_t kPartOfClients = 2;

}  // namespace

bool Core::is_full(const Session& session, std::size_t size) const {
  return (config_.max_queued_messages > 0 && session.waiting() >= config_.max_queued_messages) ||
         (config_.max_queued_bytes > 0 && session.waiting() > 0 &&
          session.queued_bytes + size > config_.max_queued_bytes);
}

bool Core::make_room(Session& session, std::size_t size) {
  if (config_.queue_policy != QueuePolicy::drop_oldest) return false;
  while (is_full(session, size)) {
    const auto oldest = session.outbox.next(wire::kMaximumPacketSize);
    // What the client may have seen already cannot be taken back, nor what only the store has.
    const bool is_untouched =
        oldest && oldest->entry->state == session::Delivery::waiting && !oldest->entry->was_sent;
    if (!is_untouched) return false;
    give_up(session, Drop::queue_full);
  }
  return true;
}

bool Core::is_rejected(const Connection& connection, const wire::Publish& packet) {
  if (config_.queue_policy != QueuePolicy::reject || packet.qos == QoS::at_most_once) return false;
  if (connection.version != Version::v5) return false;  // it could not be told
  const auto overflows = [&](const topic::Subscriber& subscriber) {
    const auto options = GrantedOptions::of(subscriber.options);
    if (outgoing_qos(options.qos, packet.qos) == QoS::at_most_once) return false;
    if (options.no_local && subscriber.owner == connection.session->index) return false;
    Session& session = *sessions_[subscriber.owner];
    return is_full(session, packet.payload.size()) && may_read(session, packet.topic);
  };
  const auto overflows_share = [&](topic::FilterId share) {
    const topic::Subscriber* member = member_for(share, packet);
    return member != nullptr && overflows(*member);
  };
  for (const auto filter : subscriptions_.match(packet.topic, work_)) {
    if (std::ranges::any_of(subscriptions_.subscribers(filter), overflows)) return true;
    for (auto share = subscriptions_.shared_from(filter); share != topic::kNoFilter;
         share = subscriptions_.shared_after(share)) {
      if (overflows_share(share)) return true;
    }
  }
  return false;
}

ReasonCode Core::refusal_of(Connection& connection, const wire::Publish& packet) {
  Session& session = *connection.session;
  if (!may_write(session, packet.topic, fact::Act::publish)) return ReasonCode::not_authorized;
  if (config_.message_size_limit > 0 && packet.payload.size() > config_.message_size_limit) {
    count_drop(session, Drop::size_limit);
    return ReasonCode::quota_exceeded;
  }
  if (has_no_memory_for(packet.qos, packet.retain)) {
    count_drop(session, Drop::memory);
    return ReasonCode::quota_exceeded;
  }
  return is_rejected(connection, packet) ? ReasonCode::quota_exceeded : ReasonCode::success;
}

/// Many who do not read would take as many times max_unread_bytes. They need not, of course, where
/// they wait for the same.
void Core::limit_unread() {
  const auto limit = config_.global_max_unread_bytes;
  const bool is_much = is_memory_short() || (leftovers_.bytes() > limit && heap_ > limit);
  unread_max_ =
      is_much ? std::min(kLittleUnread, config_.max_unread_bytes) : config_.max_unread_bytes;
}

/// What this turn has for it, it has not been offered yet.
bool Core::is_unread(const SendQueue& queue) const {
  return queue.size() > config_.max_unread_bytes || queue.kept() > unread_max_;
}

/// Counts what is kept for somebody who has not been let in, or not sent all of a packet. When it
/// is too much for all such together, whoever has most of it has to go, be it this one.
void Core::keep(Connection& connection) {
  const bool is_client = connection.session != nullptr;
  keep_no_more(connection);
  connection.kept_bytes = connection.framer.reserved();
  if (const auto& waiting = connection.waiting) {
    connection.kept_bytes += waiting->frame.size() + waiting->behind.size();
  }
  kept_bytes_[is_client] += connection.kept_bytes;
  if (kept_bytes_[is_client] <= most_kept(is_client)) return;
  const auto kept = [is_client](const auto& other) {
    const bool is_one = other != nullptr && (other->session != nullptr) == is_client;
    return is_one ? other->kept_bytes : 0;
  };
  fail(**std::ranges::max_element(connections_, {}, kept),
       {ReasonCode::quota_exceeded, "",
        is_client ? "too much is kept of packets that are not whole"
                  : "too much is kept of those who have not been let in"});
}

std::size_t Core::most_kept(bool is_client) const {
  const auto most = is_client ? kMostOfClients : kMostOfStrangers;
  const auto part = is_client ? kPartOfClients : kPartOfStrangers;
  return config_.memory_limit > 0 ? std::min(most, config_.memory_limit / part) : most;
}

void Core::keep_no_more(Connection& connection) {
  kept_bytes_[connection.session != nullptr] -= std::exchange(connection.kept_bytes, 0);
}

void Core::count_drop(Session& session, Drop reason, std::size_t count) {
  if (count == 0) return;
  const auto kind = static_cast<std::size_t>(reason);
  stats_.drops[kind] += count;
  if (session.drops == nullptr) session.drops = std::make_unique<DropBook>();
  DropBook::Row& row = session.drops->rows[kind];
  const auto before = row.count;
  row.count += count;
  if (before == row.published) dropping_.push_back(session.index);
  if (drops_pause_end_ == kNever) return tell_drops(session);
  if (before != row.told) return;
  untold_drops_.push_back(session.index);
  if (tell_drops_at_ == kNever) {
    tell_drops_at_ = std::max(now_.steady + kDropBurst, drops_pause_end_);
  }
}

void Core::tell_drops(const Session& session) {
  if (session.drops == nullptr) return;
  for (std::size_t kind = 0; kind < kDropKinds; ++kind) {
    DropBook::Row& row = session.drops->rows[kind];
    if (row.told == row.count) continue;
    const auto count = row.count - std::exchange(row.told, row.count);
    facts_.emplace_back(fact::Dropped{session.client_id, static_cast<Drop>(kind), count});
  }
}

void Core::tell_drops() {
  for (const auto index : std::exchange(untold_drops_, {})) {
    if (sessions_[index] != nullptr) tell_drops(*sessions_[index]);
  }
  tell_drops_at_ = kNever;
  drops_pause_end_ = now_.steady + kDropPause;
}

void Core::forget_drops(const Session& session) {
  if (session.drops == nullptr) return;
  tell_drops(session);
  for (std::size_t kind = 0; kind < kDropKinds; ++kind) {
    if (session.drops->rows[kind].published == 0) continue;
    drop_retained(std::string(kOwnTopics) +
                  drops_topic(session.client_id, static_cast<Drop>(kind)));
  }
}

void Core::sweep_retained() {
  std::vector<std::string> gone;
  std::size_t steps = kTopicsATurn;
  const bool is_done = retained_.walk("#", swept_, steps, [&](const Message& message) {
    if (message.is_expired(now_.steady)) gone.emplace_back(message.topic());
    return true;
  });
  for (const auto& topic : gone) drop_retained(topic);  // [MQTT-3.3.2-5]
  if (is_done) swept_.reset();
  sweep_at_ = is_done ? now_.steady + config_.retain_expiry_interval : now_.steady;
}

}  // namespace mq::broker

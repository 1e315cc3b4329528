#include "broker/journal.hpp"

#include <algorithm>
#include <utility>

namespace mq::broker {
namespace {

template <class T>
std::vector<Byte> copy_of(const T& bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

void Journal::put_session(const Session& session, WallTime asleep_since) {
  if (!keeps(session)) return;
  const bool is_known = asleep_since != storage::kAwake && !session.is_unsure;
  write(storage::PutSession{session.client_id, session.expiry_interval, asleep_since,
                            is_known ? session.fresh_from : storage::kAnythingSent});
}

void Journal::drop_session(const Session& session) {
  if (!keeps(session)) return;
  absl::erase_if(noted_, [&](const auto& item) {
    if (item.first.first != &session) return false;
    undo(item.second.ticket);
    return true;
  });
  write(storage::DropSession{session.client_id});
}

void Journal::put_will(const Session& session) {
  if (!keeps(session)) return;
  const StoredWill& will = *session.will;
  write(storage::PutWill{session.client_id,  // [MQTT-3.1.2-7]
                         {will.topic, will.properties, will.payload,
                          static_cast<std::uint8_t>(will.qos), will.retain, will.delay}});
}

void Journal::drop_will(const Session& session) {
  if (keeps(session)) write(storage::DropWill{session.client_id});
}

void Journal::put_subscription(const Session& session, std::string_view filter,
                               std::uint32_t identifier, std::uint8_t options) {
  if (!keeps(session)) return;
  write(storage::PutSubscription{session.client_id, std::string(filter), identifier, options});
}

void Journal::drop_subscription(const Session& session, std::string_view filter) {
  if (!keeps(session)) return;
  write(storage::DropSubscription{session.client_id, std::string(filter)});
}

void Journal::put_queued(const Session& session, const Outbox::Item& item, std::uint32_t identifier,
                         Now now) {
  if (!keeps(session)) return;
  const Outbox::Entry& entry = *item.entry;
  const auto id = id_of(entry.message.message, now);
  write(storage::PutQueued{session.client_id, item.sequence, id,
                           static_cast<std::uint8_t>(entry.qos), entry.flags, identifier,
                           entry.message.message.payload().size()});
}

void Journal::note_queued(const Session& session, std::uint64_t sequence, const Message& message,
                          std::uint8_t flags, std::uint32_t identifier) {
  count();
  noted_.try_emplace({&session, sequence}, Noted{message, ticket(), identifier, flags});
}

void Journal::release_queued(const Session& session, std::uint64_t sequence) {
  if (!keeps(session)) return;
  write(storage::ReleaseQueued{session.client_id, sequence});
}

void Journal::drop_queued(const Session& session, std::uint64_t sequence) {
  if (!keeps(session)) return;
  if (const auto noted = noted_.find({&session, sequence}); noted != noted_.end()) {
    undo(noted->second.ticket);
    noted_.erase(noted);
    return;
  }
  write(storage::DropQueued{session.client_id, sequence});
}

void Journal::put_incoming(const Session& session, std::uint16_t packet_id) {
  if (!keeps(session)) return;
  write(storage::PutIncoming{session.client_id, packet_id});
}

void Journal::drop_incoming(const Session& session, std::uint16_t packet_id) {
  if (!keeps(session)) return;
  write(storage::DropIncoming{session.client_id, packet_id});
}

void Journal::put_retained(const Message& message, const storage::Source* source, Now now) {
  if (!is_on_) return;
  const auto id = id_of(message, now);
  message.mark_stored_retained();
  write(storage::PutRetained{std::string(message.topic()), id, expiry_of(message, now),
                             source == nullptr ? storage::Source() : *source});
}

void Journal::drop_retained(std::string_view topic) {
  if (is_on_) write(storage::DropRetained{std::string(topic)});
}

void Journal::end_turn(Now now) {
  if (is_turn_empty_) return;
  open_.push_back({now.steady, std::exchange(turn_changes_, 0)});
  is_turn_empty_ = true;
  forget_settled();
}

Instant Journal::noted_since() const {
  return noted_.empty() || open_.empty() ? kNever : open_.front().since;
}

std::size_t Journal::size() const {
  return changes_.size() * sizeof(storage::Change) + body_bytes_ +
         noted_.size() * sizeof(decltype(noted_)::value_type);
}

std::optional<storage::Batch> Journal::take_batch(Now now) {
  if (changes_.empty()) return std::nullopt;
  write_noted(now);
  end_turn(now);
  first_open_ += open_.size();
  open_.clear();
  body_bytes_ = 0;
  last_taken_message_ = last_message_;
  storage::Batch batch{settled(), std::exchange(changes_, {})};
  changes_.reserve(batch.changes.size());  // mostly the next one is as large
  return batch;
}

void Journal::write(storage::Change change) {
  count();
  changes_.push_back(std::move(change));
}

void Journal::write_noted(Now now) {
  std::vector<std::pair<Place, Noted>> rest(noted_.begin(), noted_.end());
  noted_.clear();
  std::ranges::sort(rest, {}, [](const auto& item) {
    return std::pair(item.first.first->index, item.first.second);
  });
  for (const auto& [place, noted] : rest) {
    const auto& [session, sequence] = place;
    const auto id = id_of(noted.message, now);
    changes_.emplace_back(storage::PutQueued{
        session->client_id, sequence, id, static_cast<std::uint8_t>(wire::QoS::at_least_once),
        noted.flags, noted.identifier, noted.message.payload().size()});
  }
}

void Journal::undo(storage::Ticket ticket) {
  if (ticket == this->ticket()) {
    --turn_changes_;
    return;
  }
  --open_[ticket - first_open_].changes;
  forget_settled();
}

void Journal::forget_settled() {
  for (; !open_.empty() && open_.front().changes == 0; ++first_open_) open_.pop_front();
}

WallTime Journal::expiry_of(const Message& message, Now now) {
  if (message.expires_at() == kNever) return storage::kDoesNotExpire;
  return now.wall + (message.expires_at() - now.steady);
}

storage::MessageId Journal::id_of(const Message& message, Now now) {
  // Elsewhere than among the retained ones it is stored within a batch only.
  if (message.stored_id() > last_taken_message_ || message.is_stored_retained()) {
    return message.stored_id();
  }
  message.set_stored_id(++last_message_);
  changes_.emplace_back(
      storage::PutMessage{last_message_,
                          {std::string(message.topic()), copy_of(message.properties().encoded()),
                           copy_of(message.payload()), static_cast<std::uint8_t>(message.qos()),
                           message.retain(), expiry_of(message, now)}});
  body_bytes_ += message.topic().size() + message.payload().size();
  return last_message_;
}

}  // namespace mq::broker

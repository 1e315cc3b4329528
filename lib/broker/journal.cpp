#include "broker/journal.hpp"

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
  batch_.changes.emplace_back(
      storage::PutSession{session.client_id, session.expiry_interval, asleep_since});
}

void Journal::drop_session(const Session& session) {
  if (!keeps(session)) return;
  batch_.changes.emplace_back(storage::DropSession{session.client_id});
}

void Journal::put_will(const Session& session) {
  if (!keeps(session)) return;
  const StoredWill& will = *session.will;
  batch_.changes.emplace_back(
      storage::PutWill{session.client_id,
                       {will.topic, will.properties, will.payload,
                        static_cast<std::uint8_t>(will.qos), will.retain, will.delay}});
}

void Journal::drop_will(const Session& session) {
  if (keeps(session)) batch_.changes.emplace_back(storage::DropWill{session.client_id});
}

void Journal::put_subscription(const Session& session, std::string_view filter,
                               std::uint32_t identifier, std::uint8_t options) {
  if (!keeps(session)) return;
  batch_.changes.emplace_back(
      storage::PutSubscription{session.client_id, std::string(filter), identifier, options});
}

void Journal::drop_subscription(const Session& session, std::string_view filter) {
  if (!keeps(session)) return;
  batch_.changes.emplace_back(storage::DropSubscription{session.client_id, std::string(filter)});
}

void Journal::put_queued(const Session& session, const Outbox::Item& item, std::uint32_t identifier,
                         Now now) {
  if (!keeps(session)) return;
  const Outbox::Entry& entry = *item.entry;
  const auto id = id_of(entry.message.message, now);
  batch_.changes.emplace_back(
      storage::PutQueued{session.client_id, item.sequence, id, static_cast<std::uint8_t>(entry.qos),
                         static_cast<std::uint8_t>(entry.flags & kRetainFlag), identifier,
                         entry.message.message.payload().size()});
}

void Journal::release_queued(const Session& session, std::uint64_t sequence) {
  if (!keeps(session)) return;
  batch_.changes.emplace_back(storage::ReleaseQueued{session.client_id, sequence});
}

void Journal::drop_queued(const Session& session, std::uint64_t sequence) {
  if (!keeps(session)) return;
  batch_.changes.emplace_back(storage::DropQueued{session.client_id, sequence});
}

void Journal::put_incoming(const Session& session, std::uint16_t packet_id) {
  if (!keeps(session)) return;
  batch_.changes.emplace_back(storage::PutIncoming{session.client_id, packet_id});
}

void Journal::drop_incoming(const Session& session, std::uint16_t packet_id) {
  if (!keeps(session)) return;
  batch_.changes.emplace_back(storage::DropIncoming{session.client_id, packet_id});
}

void Journal::put_retained(const Message& message, const storage::Source* source, Now now) {
  if (!is_on_) return;
  const auto id = id_of(message, now);
  batch_.changes.emplace_back(
      storage::PutRetained{std::string(message.topic()), id, expiry_of(message, now),
                           source == nullptr ? storage::Source() : *source});
}

void Journal::drop_retained(std::string_view topic) {
  if (is_on_) batch_.changes.emplace_back(storage::DropRetained{std::string(topic)});
}

std::optional<storage::Batch> Journal::take_batch() {
  if (batch_.changes.empty()) return std::nullopt;
  body_bytes_ = 0;
  return std::exchange(batch_, {.ticket = batch_.ticket + 1, .changes = {}});
}

WallTime Journal::expiry_of(const Message& message, Now now) {
  if (message.expires_at() == kNever) return storage::kDoesNotExpire;
  return now.wall + (message.expires_at() - now.steady);
}

storage::MessageId Journal::id_of(const Message& message, Now now) {
  if (message.stored_id() != 0) return message.stored_id();
  message.set_stored_id(++last_message_);
  batch_.changes.emplace_back(
      storage::PutMessage{last_message_,
                          {std::string(message.topic()), copy_of(message.properties().encoded()),
                           copy_of(message.payload()), static_cast<std::uint8_t>(message.qos()),
                           message.retain(), expiry_of(message, now)}});
  body_bytes_ += message.topic().size() + message.payload().size();
  return last_message_;
}

}  // namespace mq::broker

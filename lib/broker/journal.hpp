#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "broker/session.hpp"
#include "storage/change.hpp"

namespace mq::broker {

/// Writes down what is to survive: of sessions that outlive their connection, and of retained
/// messages. Without persistence nothing is written and every ticket is 0.
class Journal {
 public:
  explicit Journal(storage::MessageId last_message) : last_message_(last_message) {}
  Journal() : is_on_(false) {}

  /// Whether changes of this session are written.
  bool keeps(const Session& session) const { return is_on_ && session.is_durable; }

  void put_session(const Session& session, WallTime asleep_since);
  void drop_session(const Session& session);
  void put_will(const Session& session);
  void drop_will(const Session& session);
  void put_subscription(const Session& session, std::string_view filter, std::uint32_t identifier,
                        std::uint8_t options);
  void drop_subscription(const Session& session, std::string_view filter);
  /// identifier  of the subscription: queued.origin, unless that names a share
  void put_queued(const Session& session, const Outbox::Item& item, std::uint32_t identifier,
                  Now now);
  void release_queued(const Session& session, std::uint64_t sequence);
  void drop_queued(const Session& session, std::uint64_t sequence);
  void put_incoming(const Session& session, std::uint16_t packet_id);
  void drop_incoming(const Session& session, std::uint16_t packet_id);
  /// source  nullptr: of no interest
  void put_retained(const Message& message, const storage::Source* source, Now now);
  void drop_retained(std::string_view topic);

  /// How much is written so far; see written_since().
  std::size_t position() const { return batch_.changes.size(); }
  /// The ticket of what was written since `position`; 0 when nothing was.
  storage::Ticket written_since(std::size_t position) const {
    return batch_.changes.size() > position ? batch_.ticket : 0;
  }
  /// The ticket that the next change gets.
  storage::Ticket ticket() const { return batch_.ticket; }
  /// The ticket of the last change written, stored or not; 0 when there was none.
  storage::Ticket pending() const {
    return batch_.changes.empty() ? batch_.ticket - 1 : batch_.ticket;
  }
  /// Roughly the memory that it takes.
  std::size_t size() const { return batch_.changes.size() * sizeof(storage::Change) + body_bytes_; }
  /// Empties it; nothing when nothing was written.
  std::optional<storage::Batch> take_batch();

 private:
  storage::MessageId id_of(const Message& message, Now now);
  static WallTime expiry_of(const Message& message, Now now);

  bool is_on_ = true;
  storage::Batch batch_{.ticket = 1, .changes = {}};
  storage::MessageId last_message_ = 0;
  std::size_t body_bytes_ = 0;  ///< of the batch
};

}  // namespace mq::broker

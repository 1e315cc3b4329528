#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ring.hpp"
#include "broker/session.hpp"
#include "storage/change.hpp"

namespace mq::broker {

/// Writes down what is to survive: of sessions that outlive their connection, and of retained
/// messages. Without persistence nothing is written and every ticket is 0.
///
/// A QoS 1 message for somebody who is connected is noted first, and written only when it has not
/// been acknowledged for some time: mostly it is, and then there is nothing to store.
class Journal {
 public:
  explicit Journal(storage::MessageId last_message)
      : last_message_(last_message), last_taken_message_(last_message) {}
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
  /// The same of a message that goes out at once, of QoS 1.
  void note_queued(const Session& session, std::uint64_t sequence, const Message& message,
                   std::uint8_t flags, std::uint32_t identifier);
  void release_queued(const Session& session, std::uint64_t sequence);
  void drop_queued(const Session& session, std::uint64_t sequence);
  void put_incoming(const Session& session, std::uint16_t packet_id);
  void drop_incoming(const Session& session, std::uint16_t packet_id);
  /// source  nullptr: of no interest
  void put_retained(const Message& message, const storage::Source* source, Now now);
  void drop_retained(std::string_view topic);

  /// How much is written so far; see written_since().
  std::uint64_t position() const { return writes_; }
  /// The ticket of what was written since `position`, in this turn; 0 when nothing was.
  storage::Ticket written_since(std::uint64_t position) const {
    return writes_ > position ? ticket() : 0;
  }
  /// The ticket that the next change gets.
  storage::Ticket ticket() const { return first_open_ + open_.size(); }
  /// The ticket of the last change written, stored or not; 0 when there was none.
  storage::Ticket pending() const { return is_turn_empty_ ? ticket() - 1 : ticket(); }
  /// What is written from now on gets another ticket.
  void end_turn(Now now);
  /// Up to this ticket, all that was written has been taken, or has come to nothing.
  storage::Ticket settled() const { return first_open_ - 1; }
  /// Since when something that is noted waits; kNever: nothing is.
  Instant noted_since() const;
  /// Writes what is noted.
  void write_noted(Now now);
  /// Roughly the memory that it takes.
  std::size_t size() const;
  /// Empties it; nothing when nothing was written, or no more than noted.
  std::optional<storage::Batch> take_batch(Now now);

 private:
  struct Noted {
    Message message;
    storage::Ticket ticket = 0;
    std::uint32_t identifier = 0;
    std::uint8_t flags = 0;
  };
  /// Of a turn that is over.
  struct Open {
    Instant since{};
    std::size_t changes = 0;  ///< that have not come to nothing
  };
  using Place = std::pair<const Session*, std::uint64_t>;  ///< with the sequence number

  void write(storage::Change change);
  void count() {
    ++writes_;
    ++turn_changes_;
    is_turn_empty_ = false;
  }
  /// Of its body in the store, where it comes to with this batch if need be.
  storage::MessageId id_of(const Message& message, Now now);
  /// Something of this ticket has come to nothing.
  void undo(storage::Ticket ticket);
  void forget_settled();
  static WallTime expiry_of(const Message& message, Now now);

  bool is_on_ = true;
  std::vector<storage::Change> changes_;
  absl::flat_hash_map<Place, Noted> noted_;
  std::uint64_t writes_ = 0;
  storage::Ticket first_open_ = 1;  ///< the ticket of open_.front()
  Ring<Open> open_;
  std::size_t turn_changes_ = 0;  ///< likewise, of the turn that goes on
  bool is_turn_empty_ = true;     ///< nothing was written in it
  storage::MessageId last_message_ = 0;
  storage::MessageId last_taken_message_ = 0;  ///< the last of earlier batches
  std::size_t body_bytes_ = 0;                 ///< of the batch
};

}  // namespace mq::broker

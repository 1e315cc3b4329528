#pragma once

#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ring.hpp"
#include "base/wheel.hpp"
#include "broker/access.hpp"
#include "broker/message.hpp"
#include "broker/retained_feeds.hpp"
#include "session/inbox.hpp"
#include "session/outbox.hpp"
#include "storage/store.hpp"
#include "topic/subscription_index.hpp"

namespace mq::broker {

struct Connection;

/// A message as one session's outbox holds it. Not an aggregate, so that the outbox can use the
/// bytes behind `origin`.
class Queued {
 public:
  Queued() = default;
  Queued(Message m, std::uint32_t o) : message(std::move(m)), origin(o) {}

  Message message;
  /// The subscription identifier (0 for none); with kFromShare the filter id of the share.
  std::uint32_t origin = 0;
};

/// How a Queued goes out, beside its QoS.
inline constexpr std::uint8_t kRetainFlag = 1;
inline constexpr std::uint8_t kFromShare = 2;

using Outbox = session::Outbox<Queued>;
static_assert(sizeof(Outbox::Entry) == 16);

/// Why a message for a session, or in the case of three from it, was given up.
enum class Drop : std::uint8_t {
  queue_full,
  unread,
  expired,
  too_large,
  denied,
  unreadable,
  size_limit,
  memory,
  left_behind,
  unstorable,
};
inline constexpr std::size_t kDropKinds = 10;

/// What a session has lost, by reason.
struct DropBook {
  struct Row {
    std::uint64_t count = 0;
    std::uint64_t told = 0;       ///< of these, in facts
    std::uint64_t published = 0;  ///< of these, in $SYS
  };
  std::array<Row, kDropKinds> rows{};
};

struct StoredWill {
  std::string topic;
  std::vector<Byte> payload;
  std::vector<Byte> properties;  ///< encoded, the will delay interval not among them
  wire::QoS qos{};
  bool retain = false;
  Seconds delay{0};
  Instant due_at = kNever;  ///< once the session sleeps
};

/// What the broker knows of a client id, for as long as the standard says it is to be known
/// (MQTT 5.0 §4.1). Its deadline: when its will is due or when it expires, whichever is earlier.
struct Session : WheelNode {
  std::uint32_t index = 0;
  std::uint32_t expiry_interval = 0;    ///< seconds; UINT32_MAX: never
  std::uint16_t listener = UINT16_MAX;  ///< of its last connection; there is no such: not known
  bool is_awake = false;                ///< CONNACK is on its way: it may be sent messages
  bool is_durable = false;              ///< its state is stored
  bool must_recheck = false;            ///< what waits was queued under other rules
  bool is_unfinished = false;           ///< the feeds go on at the next deadline
  bool is_unsure = false;               ///< whether what is before fresh_from was sent
  std::string client_id;
  std::string user_name;             ///< of its last connection; empty: none
  std::unique_ptr<Access> access;    ///< none: it may do anything
  Connection* connection = nullptr;  ///< none: it sleeps
  Instant expires_at = kNever;       ///< while it sleeps
  std::unique_ptr<StoredWill> will;
  absl::flat_hash_set<topic::FilterId> subscriptions;
  Outbox outbox;
  storage::Tail tail;             ///< of the queue, behind the outbox
  std::uint64_t loading = 0;      ///< the number of the Load that is on its way; 0: none
  std::uint64_t loading_end = 0;  ///< what was before it in the tail was stored when that was asked
  std::uint64_t fresh_from = 0;   ///< what has a lower sequence number was sent before, or may be
  std::size_t queued_bytes = 0;   ///< payload bytes in the outbox and in the tail
  std::size_t in_flight_bytes = 0;  ///< of these, under way
  session::Inbox inbox;
  std::unique_ptr<RetainedFeeds> feeds;  ///< none: there is nothing to feed
  /// Where the outbox is not stored yet: the first sequence number of each ticket.
  Ring<std::pair<storage::Ticket, std::uint64_t>> unstored;
  storage::Ticket released_by = 0;  ///< the last PUBREC is stored with it
  std::unique_ptr<DropBook> drops;  ///< none: it has lost nothing
  /// It has ended, and what waited in the store only is still to be handed over to the other
  /// members of these shares, by their filters. None: it has not.
  std::unique_ptr<const std::vector<std::string>> leaving;

  /// The connection is about to go: what was sent in it will have been sent before.
  void note_what_was_sent() {
    const auto end = outbox.first_unsent();
    if (end < fresh_from) return;
    fresh_from = end;
    is_unsure = false;
  }

  /// Messages that are still to be sent.
  std::size_t waiting() const { return outbox.waiting() + tail.count; }
  /// Whether there is anything for pump() to send.
  bool has_more() const { return waiting() > 0 || outbox.owes_releases() || feeds != nullptr; }
};

}  // namespace mq::broker

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/change.hpp"

namespace mq::storage {

/// How much of a queue is read at once: so many messages at most, and none behind the one with
/// which their payloads reach so many bytes.
struct Window {
  std::size_t messages = SIZE_MAX;
  std::size_t bytes = SIZE_MAX;
  bool operator==(const Window&) const = default;
};

/// The part of a queue that is in the store only: it is behind all the rest.
struct Tail {
  std::uint64_t first = 0;  ///< no sequence number in it is lower
  std::uint64_t end = 0;    ///< all are lower than this
  std::size_t count = 0;    ///< messages
  std::size_t bytes = 0;    ///< of their payloads
  bool operator==(const Tail&) const = default;
};

/// Everything that is stored, as a broker reads it back when it starts; of the queues what is
/// within a window.
struct Snapshot {
  struct Queued {
    MessageId message = 0;  ///< 0: released
    std::uint8_t qos = 0;
    std::uint8_t flags = 0;
    std::uint32_t origin = 0;
    bool operator==(const Queued&) const = default;
  };
  struct Subscription {
    std::uint32_t identifier = 0;
    std::uint8_t options = 0;
    bool operator==(const Subscription&) const = default;
  };
  struct Session {
    std::uint32_t expiry_interval = 0;
    WallTime asleep_since = kAwake;
    std::uint64_t fresh_from = kAnythingSent;
    std::optional<Will> will;
    std::map<std::string, Subscription> subscriptions;
    std::map<std::uint64_t, Queued> queue;  ///< by sequence
    Tail tail;
    std::set<std::uint16_t> incoming;
    bool operator==(const Session&) const = default;
  };

  struct Retained {
    MessageId message = 0;
    WallTime expires_at = kDoesNotExpire;
    Source source;
    bool operator==(const Retained&) const = default;
  };

  std::map<std::string, Session> sessions;
  std::map<std::string, Retained> retained;
  std::map<MessageId, Body> messages;  ///< those that are referred to, as far as the budget goes
  MessageId last_message = 0;          ///< the highest that is stored
  bool operator==(const Snapshot&) const = default;
};

/// The changes that make it out of nothing.
std::vector<Change> changes_of(const Snapshot& state);

/// How much of what is stored is read at the start.
struct Budget {
  constexpr Budget(Window of_queue, std::size_t of_retained)
      : queue(of_queue), retained_bytes(of_retained) {}

  Window queue;                ///< of every queue
  std::size_t retained_bytes;  ///< bodies of retained messages: none once their payloads have
                               ///< reached so much
};
inline constexpr Budget kUnlimited{{}, SIZE_MAX};

/// Asks for messages of a queue, or for bodies.
struct Load {
  std::uint64_t number = 0;         ///< names the request
  std::string client_id;            ///< whom it is for
  std::uint64_t first = 0;          ///< from this sequence number on
  std::vector<MessageId> bodies{};  ///< when there are some: these instead
  Window window{};
};

/// The answer to a Load: what is stored by then.
struct Page {
  struct Entry {
    std::uint64_t sequence = 0;
    Snapshot::Queued queued;
    Body body;  ///< unless it is released
  };

  std::uint64_t number = 0;
  std::string client_id;
  std::vector<Entry> entries;     ///< of bodies, no more is told than which it is
  std::vector<MessageId> lost{};  ///< bodies that are not there
};

/// Where a broker's state survives.
class Store {
 public:
  virtual ~Store() = default;

  /// Takes a batch. Batches are stored in the order in which they are submitted.
  virtual void submit(Batch batch) = 0;
  /// The highest ticket that is stored by now, together with all before it; 0 for none.
  virtual Ticket stored() = 0;
  /// Asks for a page; it is among those that take_pages() returns later.
  virtual void load(Load load) = 0;
  /// The pages that have been read since the last call.
  virtual std::vector<Page> take_pages() = 0;
  /// Why nothing can be stored just now; empty: it can.
  virtual std::string trouble() { return {}; }
};

}  // namespace mq::storage

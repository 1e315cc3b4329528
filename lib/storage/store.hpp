#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/change.hpp"

namespace mq::storage {

/// Everything that is stored, as a broker reads it back when it starts.
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
    std::optional<Will> will;
    std::map<std::string, Subscription> subscriptions;
    std::map<std::uint64_t, Queued> queue;  ///< by sequence
    std::set<std::uint16_t> incoming;
    bool operator==(const Session&) const = default;
  };

  std::map<std::string, Session> sessions;
  std::map<std::string, MessageId> retained;
  std::map<MessageId, Body> messages;
  bool operator==(const Snapshot&) const = default;
};

/// The changes that make it out of nothing.
std::vector<Change> changes_of(const Snapshot& state);

/// Where a broker's state survives.
class Store {
 public:
  virtual ~Store() = default;

  /// Takes a batch. Batches are stored in the order in which they are submitted.
  virtual void submit(Batch batch) = 0;
  /// The highest ticket that is stored by now, together with all before it; 0 for none.
  virtual Ticket stored() = 0;
  /// Why nothing can be stored just now; empty: it can.
  virtual std::string trouble() { return {}; }
};

}  // namespace mq::storage

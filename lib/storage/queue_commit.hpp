#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "storage/change.hpp"
#include "storage/chunk.hpp"
#include "storage/database.hpp"

namespace mq::storage {

/// How a batch changes the number of rows that refer to a message.
struct MessageUse {
  const Body* body = nullptr;  ///< if it came with the batch
  std::int64_t change = 0;
  std::int64_t queued = 0;  ///< of these, messages that the batch puts into queues
};
using MessageUses = absl::flat_hash_map<MessageId, MessageUse>;

/// Writes what a batch changes in queues. It gathers that first, and a queue's new messages become
/// chunks: a body that nobody else has a use for is in there, too.
class QueueCommitter {
 public:
  /// database  must outlive it. Throws DatabaseError.
  explicit QueueCommitter(const Database& database);
  ~QueueCommitter();

  /// Nothing is gathered any more.
  void start(MessageUses& uses);
  /// The change is referred to until write().
  void put(std::int64_t session, const PutQueued& change);
  void change(std::int64_t session, std::uint64_t sequence, Fate fate);
  /// At once. Throws DatabaseError.
  void drop(std::int64_t session);
  /// Throws DatabaseError.
  void write();

 private:
  struct Put {
    const PutQueued* change = nullptr;
    Fate fate = Fate::owed;
  };
  using Change = std::pair<std::uint64_t, Fate>;  ///< of this sequence number
  struct Queue {
    std::vector<Put> puts;
    std::vector<Change> changes;
  };
  struct Statements;

  void change_stored(std::int64_t session, const std::vector<Change>& changes);
  void write_fates(std::int64_t chunk, const std::vector<ChunkEntry>& entries);
  void write_puts(std::int64_t session, const std::vector<Put>& puts);
  void write_chunk(std::int64_t session);
  /// They count out what refers to a message; the first returns whether anything has changed.
  bool settle(ChunkEntry& entry, Fate fate);
  void settle_new(Put& put, Fate fate);

  std::unique_ptr<Statements> statements_;
  std::map<std::int64_t, Queue> queues_;  ///< by session
  MessageUses* uses_ = nullptr;
  Chunk chunk_;
};

/// Adds a chunk to a queue: its parameters are a session, and the chunk's columns.
inline constexpr const char* kPutChunk =
    "INSERT INTO chunk (session, first, last, messages, bytes, newest, entries, bodies) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
/// Throws DatabaseError.
void put_chunk(Statement& put, std::int64_t session, const Chunk& chunk);

}  // namespace mq::storage

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "storage/chunk.hpp"
#include "storage/database.hpp"
#include "storage/store.hpp"

namespace mq::storage {

/// A message of a queue, as the file has it.
struct QueuedMessage {
  std::uint64_t sequence = 0;
  Snapshot::Queued queued{};
  std::size_t size = 0;  ///< bytes of payload
  /// Reads the body, as long as this message is handed out; nothing: it is lost.
  std::function<std::optional<Body>()> body;
};

/// Reads queues and bodies, a page at a time. What is damaged is left out, and remembered.
class PageReader {
 public:
  /// database  must outlive it. Throws DatabaseError.
  explicit PageReader(const Database& database);

  /// Hands out a session's messages from the sequence number `first` on, in order, as far as the
  /// window goes. Throws DatabaseError.
  void read(std::int64_t session, std::uint64_t first, Window window,
            const std::function<void(const QueuedMessage&)>& take);
  /// Adds bodies to the page, in order, until their payloads have reached so many bytes. Throws
  /// DatabaseError.
  void read(const std::vector<MessageId>& ids, std::size_t bytes, Page& page);
  /// Nothing: it is not there. Throws DatabaseError.
  std::optional<Body> body_of(MessageId id);
  /// What was found to be damaged since the last call.
  std::optional<DatabaseError> take_damage();

 private:
  /// Returns false, and remembers it, where the work comes upon damage.
  template <class Work>
  bool is_whole(const Work& work);
  std::vector<ChunkEntry> chunk(std::int64_t id);
  /// Of the chunk that was read last.
  std::optional<Body> body_of(const ChunkEntry& entry);

  Statement chunks_;
  Statement chunk_;
  Statement body_;
  std::optional<DatabaseError> damage_;
};

/// Reads every table, as far as the budget goes. Throws DatabaseError; also for
/// content that makes no sense.
void load_all(const Database& database, const Budget& budget, Snapshot& snapshot);

}  // namespace mq::storage

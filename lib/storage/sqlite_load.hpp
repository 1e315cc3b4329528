#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

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

/// Reads queues and bodies, a page at a time.
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

 private:
  std::optional<Body> body_of(MessageId id);

  Statement chunks_;
  Statement body_;
};

/// Reads every table, as far as the budget goes. Throws DatabaseError; also for
/// content that makes no sense.
void load_all(const Database& database, const Budget& budget, Snapshot& snapshot);

/// Reads of every table what can be read, and leaves out what refers to something that is lost.
void load_some(const Database& database, Snapshot& snapshot);

}  // namespace mq::storage

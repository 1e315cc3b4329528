#pragma once

#include <cstdint>
#include <functional>

#include "storage/database.hpp"
#include "storage/store.hpp"

namespace mq::storage {

/// A message of a queue, as the file has it. Valid until the next one is read.
class QueuedRow {
 public:
  explicit QueuedRow(const Statement& row) : row_(row) {}

  std::uint64_t sequence() const;
  Snapshot::Queued queued() const;
  /// Bytes of payload.
  std::size_t size() const;
  /// The file is damaged: there is to be a body, and there is none.
  bool has_lost_body() const;
  /// Empty when there is none.
  Body body() const;

 private:
  const Statement& row_;
};

/// Reads queues, a page at a time.
class QueueReader {
 public:
  /// database  must outlive it. Throws DatabaseError.
  explicit QueueReader(const Database& database);

  /// Hands out a session's messages from the sequence number `first` on, in order, as far as the
  /// window goes. Throws DatabaseError.
  void read(std::int64_t session, std::uint64_t first, Window window,
            const std::function<void(const QueuedRow&)>& take);

 private:
  Statement rows_;
};

/// Reads every table, of the queues what is within the window. Throws DatabaseError; also for
/// content that makes no sense.
void load_all(const Database& database, Window window, Snapshot& snapshot);

/// Reads of every table what can be read, and leaves out what refers to something that is lost.
void load_some(const Database& database, Snapshot& snapshot);

}  // namespace mq::storage

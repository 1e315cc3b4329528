#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/text_map.hpp"
#include "storage/change.hpp"
#include "storage/database.hpp"
#include "storage/queue_commit.hpp"

namespace mq::storage {

/// Writes batches: each is one transaction. What a batch puts and drops again costs nothing.
class Committer {
 public:
  /// database  must outlive it. Throws DatabaseError.
  explicit Committer(const Database& database);
  ~Committer();

  /// Throws  DatabaseError; nothing of the batch is stored then
  void commit(const Batch& batch);
  /// What the tables know this session by; 0 when there is none.
  std::int64_t id_of(std::string_view client_id) const;

 private:
  class Transaction;
  struct Statements;

  void read_session_ids();

  const Database& database_;
  std::unique_ptr<Statements> statements_;
  QueueCommitter queues_;
  TextMap<std::int64_t> session_ids_;  ///< by client id
  bool is_in_step_ = false;            ///< session_ids_ is what the file says
};

}  // namespace mq::storage

#include "storage/queue_commit.hpp"

#include <algorithm>

namespace mq::storage {

struct QueueCommitter::Statements {
  explicit Statements(const Database& d)
      : put_chunk(d.prepare(kPutChunk)),
        find_chunk(d.prepare(
            "SELECT id, first, entries, fates FROM chunk LEFT JOIN progress ON chunk = id "
            "WHERE session = ? AND first <= ? ORDER BY first DESC LIMIT 1")),
        put_progress(d.prepare("INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?)")),
        drop_progress(d.prepare("DELETE FROM progress WHERE chunk = ?")),
        drop_chunk(d.prepare("DELETE FROM chunk WHERE id = ?")),
        chunks_of(d.prepare(
            "SELECT id, first, entries, fates FROM chunk LEFT JOIN progress ON chunk = id "
            "WHERE session = ?")),
        drop_all_progress(d.prepare(
            "DELETE FROM progress WHERE chunk IN (SELECT id FROM chunk WHERE session = ?)")),
        drop_all_chunks(d.prepare("DELETE FROM chunk WHERE session = ?")) {}

  Statement put_chunk, find_chunk, put_progress, drop_progress, drop_chunk, chunks_of,
      drop_all_progress, drop_all_chunks;
};

QueueCommitter::QueueCommitter(const Database& database)
    : statements_(std::make_unique<Statements>(database)) {}

QueueCommitter::~QueueCommitter() = default;

void QueueCommitter::start(MessageUses& uses) {
  queues_.clear();
  chunk_.clear();
  uses_ = &uses;
}

void QueueCommitter::put(std::int64_t session, const PutQueued& change) {
  queues_[session].puts.push_back({.change = &change});
  MessageUse& use = (*uses_)[change.message];
  ++use.change;
  ++use.queued;
}

void QueueCommitter::change(std::int64_t session, std::uint64_t sequence, Fate fate) {
  queues_[session].changes.emplace_back(sequence, fate);
}

void QueueCommitter::drop(std::int64_t session) {
  if (const auto queue = queues_.find(session); queue != queues_.end()) {
    for (Put& put : queue->second.puts) settle_new(put, Fate::gone);
    queues_.erase(queue);
  }
  Statement& chunk = statements_->chunks_of.with(session);
  while (chunk.step()) {
    for (ChunkEntry& entry :
         entries_of(chunk.as<std::uint64_t>(1), chunk.bytes(2), chunk.bytes(3))) {
      settle(entry, Fate::gone);
    }
  }
  statements_->drop_all_progress.with(session).run();
  statements_->drop_all_chunks.with(session).run();
}

void QueueCommitter::write() {
  const auto sequence_of = [](const Put& put) { return put.change->sequence; };
  for (auto& [session, queue] : queues_) {
    std::ranges::sort(queue.changes);
    if (!std::ranges::is_sorted(queue.puts, {}, sequence_of)) {
      std::ranges::sort(queue.puts, {}, sequence_of);
    }
    std::erase_if(queue.changes, [&](const auto& change) {
      const auto put = std::ranges::lower_bound(queue.puts, change.first, {}, sequence_of);
      if (put == queue.puts.end() || sequence_of(*put) != change.first) return false;
      settle_new(*put, change.second);
      return true;
    });
    change_stored(session, queue.changes);
  }
  for (const auto& [session, queue] : queues_) write_puts(session, queue.puts);
}

void QueueCommitter::change_stored(std::int64_t session, const std::vector<Change>& changes) {
  Statement& row = statements_->find_chunk;
  for (auto next = changes.begin(); next != changes.end();) {
    row.with(session, next->first);
    if (!row.step()) {
      ++next;  // a drop of what is not there
      continue;
    }
    const auto id = row.number(0);
    auto entries = entries_of(row.as<std::uint64_t>(1), row.bytes(2), row.bytes(3));
    row.reset();
    bool has_changed = false;
    const auto begin = next;
    for (; next != changes.end(); ++next) {
      const auto entry = std::ranges::lower_bound(entries, next->first, {}, &ChunkEntry::sequence);
      // What is not in this chunk may be in one that begins later.
      if (entry == entries.end() || entry->sequence != next->first) break;
      const bool has_effect = settle(*entry, next->second);
      if (!has_effect && next != begin) break;
      has_changed = has_changed || has_effect;
    }
    if (next == begin) ++next;
    if (has_changed) write_fates(id, entries);
  }
}

bool QueueCommitter::settle(ChunkEntry& entry, Fate fate) {
  if (fate <= entry.fate) return false;
  if (entry.uses_message()) --(*uses_)[entry.message].change;
  entry.fate = fate;
  return true;
}

void QueueCommitter::write_fates(std::int64_t chunk, const std::vector<ChunkEntry>& entries) {
  const auto left = ChunkSums::of(entries);
  if (left.messages == 0) {
    statements_->drop_progress.with(chunk).run();
    statements_->drop_chunk.with(chunk).run();
    return;
  }
  std::vector<Byte> fates;
  fates.reserve(entries.size());
  for (const ChunkEntry& entry : entries) fates.push_back(static_cast<Byte>(entry.fate));
  statements_->put_progress.with(chunk, left.messages, left.bytes, left.newest, ByteView(fates))
      .run();
}

void QueueCommitter::settle_new(Put& put, Fate fate) {
  if (put.fate == Fate::owed) {
    MessageUse& use = (*uses_)[put.change->message];
    --use.change;
    --use.queued;
  }
  put.fate = std::max(put.fate, fate);
}

void QueueCommitter::write_puts(std::int64_t session, const std::vector<Put>& puts) {
  for (const Put& put : puts) {
    if (put.fate == Fate::gone) continue;
    const PutQueued& change = *put.change;
    const bool is_owed = put.fate == Fate::owed;
    if (!chunk_.has_room_for(change.sequence)) write_chunk(session);
    ChunkEntry entry{.sequence = change.sequence,
                     .message = is_owed ? change.message : 0,
                     .origin = change.origin,
                     .size = is_owed ? static_cast<std::uint32_t>(change.size) : 0,
                     .qos = change.qos,
                     .flags = change.flags};
    MessageUse* use = entry.message == 0 ? nullptr : &(*uses_)[entry.message];
    const bool is_alone =
        use != nullptr && use->body != nullptr && use->change == 1 && use->queued == 1;
    chunk_.add(entry, is_alone ? use->body : nullptr);
    if (is_alone) *use = {};
  }
  if (!chunk_.is_empty()) write_chunk(session);
}

void QueueCommitter::write_chunk(std::int64_t session) {
  put_chunk(statements_->put_chunk, session, chunk_);
  chunk_.clear();
}

void put_chunk(Statement& put, std::int64_t session, const Chunk& chunk) {
  const ChunkSums& sums = chunk.sums();
  put.with(session, chunk.first(), chunk.last(), sums.messages, sums.bytes, sums.newest,
           chunk.entries(), chunk.bodies())
      .run();
}

}  // namespace mq::storage

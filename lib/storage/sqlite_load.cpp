#include "storage/sqlite_load.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "storage/chunk.hpp"
#include "storage/rows.hpp"

namespace mq::storage {
namespace {

using Table = std::pair<const char*, void (RowLoader::*)(Statement&)>;

constexpr std::array<Table, 4> kSessions{{
    {"SELECT id, client_id, expiry_interval, asleep_since, fresh_from FROM session",
     &RowLoader::load_sessions},
    {"SELECT session, topic, properties, payload, qos, retain, delay FROM will",
     &RowLoader::load_wills},
    {"SELECT session, filter, identifier, options FROM subscription ORDER BY session, filter",
     &RowLoader::load_subscriptions},
    {"SELECT session, packet_id FROM incoming", &RowLoader::load_incoming},
}};

/// Reads the bodies, too, until they are enough.
void load_retained_within(std::size_t enough, PageReader& reader, Statement row,
                          Snapshot& snapshot) {
  std::size_t bytes = 0;
  while (row.step()) {
    const auto message = row.as<MessageId>(1);
    if (bytes < enough) {
      auto body = reader.body_of(message);
      if (!body) continue;
      bytes += body->payload.size();
      snapshot.messages.emplace(message, *std::move(body));
    }
    snapshot.retained.emplace_hint(snapshot.retained.end(), row.text(0), retained_of(row));
  }
}

/// Reads the beginning of a queue, and tells the rest from how many `total` and `bytes` there are.
void load_queue(PageReader& reader, std::int64_t id, Window window, Snapshot& snapshot,
                Snapshot::Session& session, Tail total) {
  Tail& tail = session.tail;
  tail = total;
  reader.read(id, 0, window, [&](const QueuedMessage& message) {
    tail.first = message.sequence + 1;
    --tail.count;
    tail.bytes -= message.size;
    const auto name = message.queued.message;
    if (name != 0 && !snapshot.messages.contains(name)) {
      auto body = message.body();
      if (!body) return;
      snapshot.messages.emplace(name, *std::move(body));
    }
    session.queue.emplace_hint(session.queue.end(), message.sequence, message.queued);
  });
  if (tail.count == 0) tail = {};
}

}  // namespace

PageReader::PageReader(const Database& database)
    : chunks_(database.prepare("SELECT id FROM chunk INDEXED BY chunk_order "
                               "WHERE session = ? AND last >= ? ORDER BY first")),
      chunk_(database.prepare("SELECT first, entries, fates, bodies FROM chunk "
                              "LEFT JOIN progress ON chunk = id WHERE id = ?")),
      body_(database.prepare(kBody)) {}

template <class Work>
bool PageReader::is_whole(const Work& work) {
  try {
    work();
    return true;
  } catch (const DatabaseError& error) {
    if (!error.is_damage()) throw;
    damage_ = error;
    return false;
  }
}

std::optional<Body> PageReader::body_of(MessageId id) {
  std::optional<Body> body;
  is_whole([&] {
    body_.with(id);
    while (body_.step()) body = body_in(body_);
  });
  return body;
}

void PageReader::read(const std::vector<MessageId>& ids, std::size_t bytes, Page& page) {
  std::size_t read = 0;
  for (const MessageId id : ids) {
    if (read >= bytes) return;
    if (auto body = body_of(id)) {
      read += body->payload.size();
      page.entries.push_back({0, {.message = id}, *std::move(body)});
    } else {
      page.lost.push_back(id);
    }
  }
}

std::vector<ChunkEntry> PageReader::chunk(std::int64_t id) {
  std::vector<ChunkEntry> entries;
  is_whole([&] {
    if (!chunk_.with(id).step()) return;
    entries = entries_of(chunk_.as<std::uint64_t>(0), chunk_.bytes(1), chunk_.bytes(2));
  });
  return entries;
}

void PageReader::read(std::int64_t session, std::uint64_t first, Window window,
                      const std::function<void(const QueuedMessage&)>& take) {
  chunks_.with(session, first);
  std::size_t count = 0;
  std::size_t bytes = 0;
  const auto has_room = [&] { return count < window.messages && bytes < window.bytes; };
  const auto next_chunk = [&] {
    bool is_there = false;
    return has_room() && is_whole([&] { is_there = chunks_.step(); }) && is_there;
  };
  while (next_chunk()) {
    for (const ChunkEntry& entry : chunk(chunks_.number(0))) {
      if (entry.sequence < first || entry.fate == Fate::gone) continue;
      if (!has_room()) break;
      const QueuedMessage message{entry.sequence, queued_of(entry),
                                  entry.fate == Fate::owed ? entry.size : 0,
                                  [this, &entry]() { return body_of(entry); }};
      ++count;
      bytes += message.size;
      take(message);
    }
  }
  chunks_.reset();
  chunk_.reset();
}

std::optional<Body> PageReader::body_of(const ChunkEntry& entry) {
  if (!entry.has_own_body()) return body_of(entry.message);
  std::optional<Body> body;
  is_whole([&] { body = storage::body_of(entry, chunk_.bytes(3)); });
  return body;
}

std::optional<DatabaseError> PageReader::take_damage() {
  return std::exchange(damage_, {});
}

void load_all(const Database& database, const Budget& budget, Snapshot& snapshot) {
  RowLoader loader{snapshot};
  for (const auto& [sql, load] : kSessions) {
    Statement row = database.prepare(sql);
    (loader.*load)(row);
  }
  PageReader reader(database);
  load_retained_within(budget.retained_bytes, reader, database.prepare(kAllRetained), snapshot);
  Statement totals = database.prepare(
      "SELECT session, max(last), sum(ifnull(p.messages, c.messages)), "
      "sum(ifnull(p.bytes, c.bytes)), max(ifnull(p.newest, c.newest)) "
      "FROM chunk c INDEXED BY chunk_order LEFT JOIN progress p ON p.chunk = c.id "
      "GROUP BY session");
  snapshot.last_message = static_cast<MessageId>(database.number("SELECT max(id) FROM message"));
  while (totals.step()) {
    snapshot.last_message = std::max(snapshot.last_message, totals.as<MessageId>(4));
    const Tail total{0, totals.as<std::uint64_t>(1) + 1, totals.as<std::size_t>(2),
                     totals.as<std::size_t>(3)};
    if (auto* session = loader.find(totals.number(0))) {
      load_queue(reader, totals.number(0), budget.queue, snapshot, *session, total);
    }
  }
  if (const auto damage = reader.take_damage()) throw DatabaseError(*damage);
}

}  // namespace mq::storage

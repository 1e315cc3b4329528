#include "storage/sqlite_load.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "storage/chunk.hpp"

namespace mq::storage {
namespace {

/// Of a row of message: id, topic, properties, payload, qos, retain, expires_at.
Body body_in(const Statement& row) {
  return {std::string(row.text(1)),     row.copy(2),     row.copy(3), row.as<std::uint8_t>(4),
          row.as<std::uint8_t>(5) != 0, row.wall_time(6)};
}

Snapshot::Queued queued_of(const ChunkEntry& entry) {
  return {entry.fate == Fate::owed ? entry.message : 0, entry.qos, entry.flags, entry.origin};
}

constexpr const char* kAllRetained =
    "SELECT topic, message, expires_at, listener, user_name, client_id FROM retained "
    "ORDER BY topic";

Snapshot::Retained retained_of(const Statement& row) {
  return {row.as<MessageId>(1),
          row.wall_time(2),
          {row.as<std::uint16_t>(3), std::string(row.text(4)), std::string(row.text(5))}};
}

/// Reads the tables in an order in which what is referred to is there.
struct Loader {
  Snapshot& snapshot;
  std::map<std::int64_t, Snapshot::Session*> sessions{};

  void load_sessions(Statement row) {
    while (row.step()) {
      auto& session = snapshot.sessions[std::string(row.text(1))];
      session.expiry_interval = row.as<std::uint32_t>(2);
      session.asleep_since = row.wall_time(3);
      session.fresh_from = row.as<std::uint64_t>(4);
      sessions[row.number(0)] = &session;
    }
  }
  void load_wills(Statement row) {
    while (row.step()) {
      Snapshot::Session* session = find(row.number(0));
      if (session == nullptr) continue;
      session->will = Will{
          std::string(row.text(1)),     row.copy(2),           row.copy(3), row.as<std::uint8_t>(4),
          row.as<std::uint8_t>(5) != 0, Seconds(row.number(6))};
    }
  }
  void load_subscriptions(Statement row) {
    while (row.step()) {
      Snapshot::Session* session = find(row.number(0));
      if (session == nullptr) continue;
      session->subscriptions[std::string(row.text(1))] = {row.as<std::uint32_t>(2),
                                                          row.as<std::uint8_t>(3)};
    }
  }
  void load_messages(Statement row) {
    while (row.step()) {
      snapshot.messages.emplace_hint(snapshot.messages.end(), row.as<MessageId>(0), body_in(row));
    }
  }
  /// Leaves out what has no body, and chunks that make no sense.
  void load_queues(Statement row) {
    while (row.step()) {
      Snapshot::Session* session = find(row.number(0));
      if (session == nullptr) continue;
      try {
        const auto entries = entries_of(row.as<std::uint64_t>(1), row.bytes(2), row.bytes(3));
        for (const ChunkEntry& entry : entries) load_queued(*session, entry, row.bytes(4));
      } catch (const DatabaseError&) {  // NOLINT(bugprone-empty-catch): the others may be whole
      }
    }
  }
  void load_queued(Snapshot::Session& session, const ChunkEntry& entry, ByteView bodies) const {
    if (entry.fate == Fate::gone) return;
    const auto queued = queued_of(entry);
    if (queued.message != 0 && entry.has_own_body()) {
      snapshot.messages.emplace(queued.message, body_of(entry, bodies));
    }
    if (queued.message != 0 && !snapshot.messages.contains(queued.message)) return;
    session.queue.emplace(entry.sequence, queued);
  }
  void load_incoming(Statement row) {
    while (row.step()) {
      if (auto* session = find(row.number(0))) session->incoming.insert(row.as<std::uint16_t>(1));
    }
  }
  /// Leaves out what has no body.
  void load_retained(Statement row) {
    while (row.step()) {
      const auto message = row.as<MessageId>(1);
      if (!snapshot.messages.contains(message)) continue;
      snapshot.retained.emplace_hint(snapshot.retained.end(), row.text(0), retained_of(row));
    }
  }
  /// Reads the bodies, too, until they are enough.
  void load_retained_within(std::size_t enough, const Database& database) {
    Statement row = database.prepare(kAllRetained);
    PageReader reader(database);
    std::size_t bytes = 0;
    while (row.step()) {
      const auto message = row.as<MessageId>(1);
      if (bytes < enough) {
        Page page;
        reader.read({message}, 1, page);
        if (page.entries.empty()) continue;
        bytes += page.entries[0].body.payload.size();
        snapshot.messages.emplace(message, std::move(page.entries[0].body));
      }
      snapshot.retained.emplace_hint(snapshot.retained.end(), row.text(0), retained_of(row));
    }
  }

  Snapshot::Session* find(std::int64_t id) const {
    const auto found = sessions.find(id);
    return found == sessions.end() ? nullptr : found->second;
  }
};

using Table = std::pair<const char*, void (Loader::*)(Statement)>;

constexpr std::array<Table, 4> kSessions{{
    {"SELECT id, client_id, expiry_interval, asleep_since, fresh_from FROM session",
     &Loader::load_sessions},
    {"SELECT session, topic, properties, payload, qos, retain, delay FROM will",
     &Loader::load_wills},
    {"SELECT session, filter, identifier, options FROM subscription ORDER BY session, filter",
     &Loader::load_subscriptions},
    {"SELECT session, packet_id FROM incoming", &Loader::load_incoming},
}};
constexpr Table kAllMessages{
    "SELECT id, topic, properties, payload, qos, retain, expires_at FROM message ORDER BY id",
    &Loader::load_messages};
constexpr Table kQueues{
    "SELECT session, first, entries, fates, bodies FROM chunk LEFT JOIN progress ON chunk = id",
    &Loader::load_queues};
constexpr Table kRetained{kAllRetained, &Loader::load_retained};

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
    : chunks_(database.prepare(
          "SELECT first, entries, fates, bodies FROM chunk LEFT JOIN progress ON chunk = id "
          "WHERE session = ? AND last >= ? ORDER BY first")),
      body_(database.prepare(
          "SELECT id, topic, properties, payload, qos, retain, expires_at FROM message "
          "WHERE id = ?")) {}

std::optional<Body> PageReader::body_of(MessageId id) {
  std::optional<Body> body;
  body_.with(id);
  while (body_.step()) body = body_in(body_);
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

void PageReader::read(std::int64_t session, std::uint64_t first, Window window,
                      const std::function<void(const QueuedMessage&)>& take) {
  chunks_.with(session, first);
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (count < window.messages && bytes < window.bytes && chunks_.step()) {
    for (const ChunkEntry& entry :
         entries_of(chunks_.as<std::uint64_t>(0), chunks_.bytes(1), chunks_.bytes(2))) {
      if (entry.sequence < first || entry.fate == Fate::gone) continue;
      if (count >= window.messages || bytes >= window.bytes) break;
      const QueuedMessage message{entry.sequence, queued_of(entry),
                                  entry.fate == Fate::owed ? entry.size : 0,
                                  [this, &entry]() -> std::optional<Body> {
                                    if (!entry.has_own_body()) return body_of(entry.message);
                                    return storage::body_of(entry, chunks_.bytes(3));
                                  }};
      ++count;
      bytes += message.size;
      take(message);
    }
  }
  chunks_.reset();
}

void load_all(const Database& database, const Budget& budget, Snapshot& snapshot) {
  Loader loader{snapshot};
  const auto load = [&](const Table& table) {
    (loader.*table.second)(database.prepare(table.first));
  };
  for (const Table& table : kSessions) load(table);
  loader.load_retained_within(budget.retained_bytes, database);
  PageReader reader(database);
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
}

void load_some(const Database& database, Snapshot& snapshot) {
  Loader loader{snapshot};
  const auto load = [&](const Table& table) {
    try {
      (loader.*table.second)(database.prepare(table.first));
    } catch (const DatabaseError&) {  // NOLINT(bugprone-empty-catch): the rest of it is lost
    }
  };
  for (const Table& table : kSessions) load(table);
  for (const Table& table : {kAllMessages, kQueues, kRetained}) load(table);
}

}  // namespace mq::storage

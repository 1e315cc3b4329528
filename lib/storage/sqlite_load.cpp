#include "storage/sqlite_load.hpp"

#include <array>
#include <map>
#include <utility>

namespace mq::storage {
namespace {

std::vector<Byte> copy_of(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

WallTime time_of(std::int64_t count) {
  return WallTime(WallTime::duration(count));
}

/// Of a row of message: id, topic, properties, payload, qos, retain, expires_at.
Body body_of(const Statement& row) {
  return {std::string(row.text(1)), copy_of(row.bytes(2)),        copy_of(row.bytes(3)),
          row.as<std::uint8_t>(4),  row.as<std::uint8_t>(5) != 0, time_of(row.number(6))};
}

constexpr const char* kAllRetained =
    "SELECT topic, message, expires_at, listener, user_name, client_id FROM retained "
    "ORDER BY topic";

Snapshot::Retained retained_of(const Statement& row) {
  return {row.as<MessageId>(1),
          time_of(row.number(2)),
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
      session.asleep_since = time_of(row.number(3));
      sessions[row.number(0)] = &session;
    }
  }
  void load_wills(Statement row) {
    while (row.step()) {
      Snapshot::Session* session = find(row.number(0));
      if (session == nullptr) continue;
      session->will =
          Will{std::string(row.text(1)), copy_of(row.bytes(2)),        copy_of(row.bytes(3)),
               row.as<std::uint8_t>(4),  row.as<std::uint8_t>(5) != 0, Seconds(row.number(6))};
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
      snapshot.messages.emplace_hint(snapshot.messages.end(), row.as<MessageId>(0), body_of(row));
    }
  }
  void load_queues(Statement row) {
    while (row.step()) {
      Snapshot::Session* session = find(row.number(0));
      const auto message = row.as<MessageId>(2);
      if (session == nullptr || (message != 0 && !snapshot.messages.contains(message))) continue;
      session->queue.emplace_hint(
          session->queue.end(), row.as<std::uint64_t>(1),
          Snapshot::Queued{message, row.as<std::uint8_t>(3), row.as<std::uint8_t>(4),
                           row.as<std::uint32_t>(5)});
    }
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
    {"SELECT id, client_id, expiry_interval, asleep_since FROM session", &Loader::load_sessions},
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
    "SELECT session, sequence, message, qos, flags, origin FROM queued ORDER BY session, sequence",
    &Loader::load_queues};
constexpr Table kRetained{kAllRetained, &Loader::load_retained};

/// Reads the beginning of a queue, and tells the rest from how many `total` and `bytes` there are.
void load_queue(PageReader& reader, std::int64_t id, Window window, Snapshot& snapshot,
                Snapshot::Session& session, Tail total) {
  Tail& tail = session.tail;
  tail = total;
  reader.read(id, 0, window, [&](const QueuedRow& row) {
    const auto queued = row.queued();
    tail.first = row.sequence() + 1;
    --tail.count;
    tail.bytes -= row.size();
    if (queued.message != 0 && !snapshot.messages.contains(queued.message)) {
      if (row.has_lost_body()) return;
      snapshot.messages.emplace(queued.message, row.body());
    }
    session.queue.emplace_hint(session.queue.end(), row.sequence(), queued);
  });
  if (tail.count == 0) tail = {};
}

}  // namespace

std::uint64_t QueuedRow::sequence() const {
  return row_.as<std::uint64_t>(0);
}

Snapshot::Queued QueuedRow::queued() const {
  return {row_.as<MessageId>(1), row_.as<std::uint8_t>(2), row_.as<std::uint8_t>(3),
          row_.as<std::uint32_t>(4)};
}

std::size_t QueuedRow::size() const {
  return row_.as<std::size_t>(5);
}

bool QueuedRow::has_lost_body() const {
  return row_.number(1) != 0 && row_.number(6) == 0;
}

Body QueuedRow::body() const {
  if (row_.number(6) == 0) return {};
  return {std::string(row_.text(7)), copy_of(row_.bytes(8)),         copy_of(row_.bytes(9)),
          row_.as<std::uint8_t>(10), row_.as<std::uint8_t>(11) != 0, time_of(row_.number(12))};
}

PageReader::PageReader(const Database& database)
    : rows_(database.prepare(
          "SELECT q.sequence, q.message, q.qos, q.flags, q.origin, q.size, m.id, m.topic, "
          "m.properties, m.payload, m.qos, m.retain, m.expires_at "
          "FROM queued q LEFT JOIN message m ON m.id = q.message "
          "WHERE q.session = ? AND q.sequence >= ? ORDER BY q.sequence")),
      body_(database.prepare(
          "SELECT id, topic, properties, payload, qos, retain, expires_at FROM message "
          "WHERE id = ?")) {}

void PageReader::read(const std::vector<MessageId>& ids, std::size_t bytes, Page& page) {
  std::size_t read = 0;
  for (const MessageId id : ids) {
    if (read >= bytes) return;
    bool is_there = false;
    body_.with(id);
    while (body_.step()) {
      is_there = true;
      page.entries.push_back({0, {.message = id}, body_of(body_)});
      read += page.entries.back().body.payload.size();
    }
    if (!is_there) page.lost.push_back(id);
  }
}

void PageReader::read(std::int64_t session, std::uint64_t first, Window window,
                      const std::function<void(const QueuedRow&)>& take) {
  rows_.with(session, first);
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (count < window.messages && bytes < window.bytes && rows_.step()) {
    const QueuedRow row(rows_);
    ++count;
    bytes += row.size();
    take(row);
  }
  rows_.reset();
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
      "SELECT session, max(sequence), count(*), sum(size) FROM queued GROUP BY session");
  while (totals.step()) {
    const Tail total{0, totals.as<std::uint64_t>(1) + 1, totals.as<std::size_t>(2),
                     totals.as<std::size_t>(3)};
    if (auto* session = loader.find(totals.number(0))) {
      load_queue(reader, totals.number(0), budget.queue, snapshot, *session, total);
    }
  }
  snapshot.last_message = static_cast<MessageId>(database.number("SELECT max(id) FROM message"));
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

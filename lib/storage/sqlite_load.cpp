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
      snapshot.messages.emplace_hint(
          snapshot.messages.end(), row.as<MessageId>(0),
          Body{std::string(row.text(1)), copy_of(row.bytes(2)), copy_of(row.bytes(3)),
               row.as<std::uint8_t>(4), row.as<std::uint8_t>(5) != 0, time_of(row.number(6))});
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
  void load_retained(Statement row) {
    while (row.step()) {
      const auto message = row.as<MessageId>(1);
      if (!snapshot.messages.contains(message)) continue;
      snapshot.retained.emplace_hint(snapshot.retained.end(), row.text(0), message);
    }
  }

  Snapshot::Session* find(std::int64_t id) const {
    const auto found = sessions.find(id);
    return found == sessions.end() ? nullptr : found->second;
  }
};

struct Table {
  const char* sql;
  void (Loader::*load)(Statement);
};

constexpr std::array<Table, 7> kTables{{
    {"SELECT id, client_id, expiry_interval, asleep_since FROM session", &Loader::load_sessions},
    {"SELECT session, topic, properties, payload, qos, retain, delay FROM will",
     &Loader::load_wills},
    {"SELECT session, filter, identifier, options FROM subscription ORDER BY session, filter",
     &Loader::load_subscriptions},
    {"SELECT id, topic, properties, payload, qos, retain, expires_at FROM message ORDER BY id",
     &Loader::load_messages},
    {"SELECT session, sequence, message, qos, flags, origin FROM queued ORDER BY session, sequence",
     &Loader::load_queues},
    {"SELECT session, packet_id FROM incoming", &Loader::load_incoming},
    {"SELECT topic, message FROM retained ORDER BY topic", &Loader::load_retained},
}};

}  // namespace

void load_all(const Database& database, Snapshot& snapshot) {
  Loader loader{snapshot};
  for (const Table& table : kTables) (loader.*table.load)(database.prepare(table.sql));
}

void load_some(const Database& database, Snapshot& snapshot) {
  Loader loader{snapshot};
  for (const Table& table : kTables) {
    try {
      (loader.*table.load)(database.prepare(table.sql));
    } catch (const DatabaseError&) {  // the rest of this table is lost
    }
  }
}

}  // namespace mq::storage

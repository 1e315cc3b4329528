#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "storage/chunk.hpp"
#include "storage/database.hpp"
#include "storage/store.hpp"

/// What the rows of the tables mean.
namespace mq::storage {

/// Of a row of message: id, topic, properties, payload, qos, retain, expires_at.
inline Body body_in(const Statement& row) {
  return {std::string(row.text(1)),     row.copy(2),     row.copy(3), row.as<std::uint8_t>(4),
          row.as<std::uint8_t>(5) != 0, row.wall_time(6)};
}

inline Snapshot::Queued queued_of(const ChunkEntry& entry) {
  return {entry.fate == Fate::owed ? entry.message : 0, entry.qos, entry.flags, entry.origin};
}

inline constexpr const char* kBody =
    "SELECT id, topic, properties, payload, qos, retain, expires_at FROM message WHERE id = ?";

inline constexpr const char* kAllRetained =
    "SELECT topic, message, expires_at, listener, user_name, client_id FROM retained "
    "ORDER BY topic";

inline Snapshot::Retained retained_of(const Statement& row) {
  return {row.as<MessageId>(1),
          row.wall_time(2),
          {row.as<std::uint16_t>(3), std::string(row.text(4)), std::string(row.text(5))}};
}

/// Reads the tables in an order in which what is referred to is there.
struct RowLoader {
  Snapshot& snapshot;
  std::map<std::int64_t, Snapshot::Session*> sessions{};

  void load_sessions(Statement& row) {
    while (row.step()) {
      auto& session = snapshot.sessions[std::string(row.text(1))];
      session.expiry_interval = row.as<std::uint32_t>(2);
      session.asleep_since = row.wall_time(3);
      session.fresh_from = row.as<std::uint64_t>(4);
      sessions[row.number(0)] = &session;
    }
  }
  void load_wills(Statement& row) {
    while (row.step()) {
      Snapshot::Session* session = find(row.number(0));
      if (session == nullptr) continue;
      session->will = Will{
          std::string(row.text(1)),     row.copy(2),           row.copy(3), row.as<std::uint8_t>(4),
          row.as<std::uint8_t>(5) != 0, Seconds(row.number(6))};
    }
  }
  void load_subscriptions(Statement& row) {
    while (row.step()) {
      Snapshot::Session* session = find(row.number(0));
      if (session == nullptr) continue;
      session->subscriptions[std::string(row.text(1))] = {row.as<std::uint32_t>(2),
                                                          row.as<std::uint8_t>(3)};
    }
  }
  void load_incoming(Statement& row) {
    while (row.step()) {
      if (auto* session = find(row.number(0))) session->incoming.insert(row.as<std::uint16_t>(1));
    }
  }
  Snapshot::Session* find(std::int64_t id) const {
    const auto found = sessions.find(id);
    return found == sessions.end() ? nullptr : found->second;
  }
};

}  // namespace mq::storage

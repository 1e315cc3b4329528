#include "storage/inspect.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include "storage/chunk.hpp"
#include "storage/database.hpp"
#include "storage/sqlite.hpp"

// Every look is one read transaction: a moment of the file, however much the broker writes
// meanwhile. The file is opened for writing all the same, and nothing is written: who may only read
// would leave the companions of the file behind, and they would be in the broker's way.

namespace mq::storage {
namespace {

/// Opens the file and lets `look` work within one moment of it.
template <class Look>
auto look_at(const std::string& path, Look look)
    -> std::expected<decltype(look(std::declval<const Database&>())), Error> {
  try {
    if (access(path.c_str(), F_OK) != 0) {
      return std::unexpected(Error{path + ": " + std::strerror(errno)});
    }
    const Database database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
    sqlite3_busy_timeout(database.handle(), 5000);
    if (auto known = Sqlite::identify(database); !known.empty()) {
      return std::unexpected(Error{path + " " + known});
    }
    database.run("PRAGMA query_only = ON; BEGIN");
    return look(database);
  } catch (const DatabaseError& error) {
    return std::unexpected(Error{path + ": " + error.words});
  }
}

/// A fault and how to count it.
using Check = std::pair<const char*, const char*>;

constexpr Check kChecks[] = {
    {"retained messages without a body",
     "SELECT count(*) FROM retained WHERE message NOT IN (SELECT id FROM message)"},
    {"subscriptions without a session",
     "SELECT count(*) FROM subscription WHERE session NOT IN (SELECT id FROM session)"},
    {"wills without a session",
     "SELECT count(*) FROM will WHERE session NOT IN (SELECT id FROM session)"},
    {"QoS 2 packet ids without a session",
     "SELECT count(*) FROM incoming WHERE session NOT IN (SELECT id FROM session)"},
};

/// The chunks of all queues, in order.
constexpr const char* kChunks =
    "SELECT client_id, first, entries, fates, bodies, c.messages, c.bytes, c.newest, p.messages, "
    "p.bytes, p.newest, s.id FROM chunk c LEFT JOIN progress p ON p.chunk = c.id "
    "LEFT JOIN session s ON s.id = c.session ORDER BY c.session, first";

std::vector<ChunkEntry> entries_in(const Statement& chunk) {
  return entries_of(chunk.as<std::uint64_t>(1), chunk.bytes(2), chunk.bytes(3));
}

/// Looks at every chunk, and then at the messages that they refer to.
class QueueCheck {
 public:
  explicit QueueCheck(const Database& database)
      : database_(database),
        size_(database.prepare("SELECT length(payload) FROM message WHERE id = ?")) {}

  void look_at_chunks() {
    Statement row = database_.prepare(kChunks);
    while (row.step()) {
      try {
        look_at(row);
      } catch (const DatabaseError&) {
        ++unreadable_;
      }
    }
  }
  /// After the chunks.
  void look_at_messages() {
    Statement row = database_.prepare(
        "SELECT id, uses - ifnull(n, 0) FROM message LEFT JOIN "
        "(SELECT message, count(*) AS n FROM retained GROUP BY message) ON message = id");
    while (row.step()) {
      const auto used = uses_.find(row.as<MessageId>(0));
      if (row.number(1) != (used == uses_.end() ? 0 : used->second)) ++wrong_uses_;
    }
  }
  void tell(const std::function<void(const char*, std::int64_t)>& take) const {
    take("queued messages without a body", without_body_);
    take("queued messages without a session", without_session_);
    take("queued messages whose size is wrong", wrong_size_);
    take("chunks of queues whose sums are wrong", wrong_sums_);
    take("chunks of queues that make no sense", unreadable_);
    take("messages whose number of uses is wrong", wrong_uses_);
  }

 private:
  void look_at(const Statement& row) {
    const ByteView fates = row.bytes(3);
    if (sums_at(row, 5) != ChunkSums::of(entries_of(0, row.bytes(2), {}))) ++wrong_sums_;
    const auto entries = entries_in(row);
    if (!fates.empty() && sums_at(row, 8) != ChunkSums::of(entries)) ++wrong_sums_;
    for (const ChunkEntry& entry : entries) {
      if (entry.fate == Fate::gone) continue;
      if (row.number(11) == 0) ++without_session_;
      if (entry.fate == Fate::owed) look_at(entry, row.bytes(4));
    }
  }
  void look_at(const ChunkEntry& entry, ByteView bodies) {
    std::size_t size = 0;
    if (entry.has_own_body()) {
      size = body_of(entry, bodies).payload.size();
    } else {
      ++uses_[entry.message];
      if (!size_.with(entry.message).step()) {
        ++without_body_;
        return;
      }
      size = size_.as<std::size_t>(0);
    }
    if (size != entry.size) ++wrong_size_;
  }
  static ChunkSums sums_at(const Statement& row, int column) {
    return {row.as<std::uint64_t>(column), row.as<std::uint64_t>(column + 1),
            row.as<MessageId>(column + 2)};
  }

  const Database& database_;
  Statement size_;
  std::unordered_map<MessageId, std::int64_t> uses_;  ///< rows of queues that refer to it
  std::int64_t without_body_ = 0;
  std::int64_t without_session_ = 0;
  std::int64_t wrong_size_ = 0;
  std::int64_t wrong_sums_ = 0;
  std::int64_t unreadable_ = 0;
  std::int64_t wrong_uses_ = 0;
};

}  // namespace

std::expected<std::vector<std::string>, Error> verify(const std::string& path) {
  return look_at(path, [](const Database& database) {
    std::vector<std::string> faults;
    Statement integrity = database.prepare("PRAGMA integrity_check");
    while (integrity.step()) {
      if (integrity.text(0) != "ok") faults.emplace_back(integrity.text(0));
    }
    if (!faults.empty()) return faults;
    const auto tell = [&faults](const char* words, std::int64_t count) {
      if (count > 0) faults.push_back(std::string(words) + ": " + std::to_string(count));
    };
    QueueCheck queues(database);
    queues.look_at_chunks();
    queues.look_at_messages();
    queues.tell(tell);
    for (const auto& [words, sql] : kChecks) tell(words, database.number(sql));
    return faults;
  });
}

std::expected<FileStats, Error> stats_of(const std::string& path) {
  return look_at(path, [](const Database& database) {
    FileStats stats;
    Statement row = database.prepare(
        "SELECT client_id, expiry_interval, asleep_since, "
        "(SELECT count(*) FROM subscription WHERE session = s.id), ifnull(q.n, 0), "
        "ifnull(q.bytes, 0) FROM session s LEFT JOIN "
        "(SELECT session, sum(ifnull(p.messages, c.messages)) AS n, "
        "sum(ifnull(p.bytes, c.bytes)) AS bytes FROM chunk c "
        "LEFT JOIN progress p ON p.chunk = c.id GROUP BY session) q "
        "ON q.session = s.id ORDER BY client_id");
    while (row.step()) {
      stats.sessions.push_back({std::string(row.text(0)), row.as<std::uint32_t>(1),
                                row.wall_time(2), row.as<std::size_t>(3), row.as<std::size_t>(4),
                                row.as<std::size_t>(5)});
    }
    const auto number = [&database](const char* sql) {
      return static_cast<std::size_t>(database.number(sql));
    };
    stats.messages = number("SELECT count(*) FROM message");
    stats.message_bytes = number("SELECT ifnull(sum(length(payload)), 0) FROM message");
    Statement chunk = database.prepare(kChunks);
    while (chunk.step()) {
      for (const ChunkEntry& entry : entries_in(chunk)) {
        if (entry.fate != Fate::owed || !entry.has_own_body()) continue;
        ++stats.messages;
        stats.message_bytes += entry.size;
      }
    }
    stats.retained = number("SELECT count(*) FROM retained");
    stats.file_bytes = number("PRAGMA page_count") * number("PRAGMA page_size");
    return stats;
  });
}

std::expected<void, Error> dump(const std::string& path,
                                const std::function<void(const Change&)>& take) {
  auto done = look_at(path, [&take](const Database& database) {
    Statement row = database.prepare(
        "SELECT client_id, expiry_interval, asleep_since, fresh_from FROM session "
        "ORDER BY client_id");
    while (row.step()) {
      take(PutSession{std::string(row.text(0)), row.as<std::uint32_t>(1), row.wall_time(2),
                      row.as<std::uint64_t>(3)});
    }
    row = database.prepare(
        "SELECT client_id, topic, properties, payload, qos, retain, delay FROM will w "
        "JOIN session s ON s.id = w.session ORDER BY client_id");
    while (row.step()) {
      take(PutWill{std::string(row.text(0)),
                   {std::string(row.text(1)), row.copy(2), row.copy(3), row.as<std::uint8_t>(4),
                    row.number(5) != 0, Seconds(row.number(6))}});
    }
    row = database.prepare(
        "SELECT client_id, filter, identifier, options FROM subscription b "
        "JOIN session s ON s.id = b.session ORDER BY client_id, filter");
    while (row.step()) {
      take(PutSubscription{std::string(row.text(0)), std::string(row.text(1)),
                           row.as<std::uint32_t>(2), row.as<std::uint8_t>(3)});
    }
    row = database.prepare(
        "SELECT id, topic, properties, payload, qos, retain, expires_at FROM message ORDER BY id");
    while (row.step()) {
      take(PutMessage{row.as<MessageId>(0),
                      {std::string(row.text(1)), row.copy(2), row.copy(3), row.as<std::uint8_t>(4),
                       row.number(5) != 0, row.wall_time(6)}});
    }
    row = database.prepare(kChunks);
    while (row.step()) {
      if (row.number(11) == 0) continue;
      for (const ChunkEntry& entry : entries_in(row)) {
        if (entry.fate == Fate::gone) continue;
        const bool is_owed = entry.fate == Fate::owed;
        if (is_owed && entry.has_own_body()) {
          take(PutMessage{entry.message, body_of(entry, row.bytes(4))});
        }
        take(PutQueued{std::string(row.text(0)), entry.sequence, is_owed ? entry.message : 0,
                       entry.qos, entry.flags, entry.origin, is_owed ? entry.size : 0});
      }
    }
    row = database.prepare(
        "SELECT client_id, packet_id FROM incoming i JOIN session s ON s.id = i.session "
        "ORDER BY client_id, packet_id");
    while (row.step()) {
      take(PutIncoming{std::string(row.text(0)), row.as<std::uint16_t>(1)});
    }
    row = database.prepare(
        "SELECT topic, message, expires_at, listener, user_name, client_id FROM retained "
        "ORDER BY topic");
    while (row.step()) {
      take(PutRetained{
          std::string(row.text(0)),
          row.as<MessageId>(1),
          row.wall_time(2),
          {row.as<std::uint16_t>(3), std::string(row.text(4)), std::string(row.text(5))}});
    }
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return {};
}

std::expected<void, Error> back_up(const std::string& path, const std::string& to) {
  if (access(to.c_str(), F_OK) == 0) {
    return std::unexpected(Error{to + " is there already: name a new file"});
  }
  const std::string unfinished = to + ".unfinished";
  std::remove(unfinished.c_str());
  const mode_t usual = umask(0077);  // as secret as what it is a copy of
  auto done = look_at(path, [&](const Database& database) -> std::optional<Error> {
    const Database copy(unfinished,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX);
    sqlite3_backup* backup = sqlite3_backup_init(copy.handle(), "main", database.handle(), "main");
    if (backup == nullptr) return Error{unfinished + ": " + sqlite3_errmsg(copy.handle())};
    sqlite3_backup_step(backup, -1);
    if (sqlite3_backup_finish(backup) != SQLITE_OK) {
      return Error{unfinished + ": " + sqlite3_errmsg(copy.handle())};
    }
    return std::nullopt;
  });
  umask(usual);
  std::optional<Error> error = done ? *done : std::optional(done.error());
  if (!error && link(unfinished.c_str(), to.c_str()) != 0) {
    error = Error{to + ": " + std::strerror(errno)};
  }
  std::remove(unfinished.c_str());
  if (error) return std::unexpected(*error);
  return {};
}

}  // namespace mq::storage

#include "storage/sqlite.hpp"

#include <array>
#include <fstream>
#include <utility>

#include "storage/chunk.hpp"
#include "storage/database.hpp"
#include "storage/queue_commit.hpp"
#include "storage/salvage.hpp"
#include "storage/sqlite_commit.hpp"
#include "storage/sqlite_load.hpp"

namespace mq::storage {
namespace {

using Failure = Sqlite::Failure;

constexpr std::int64_t kApplicationId = 0x6D717374;  // "mqst"
constexpr std::int64_t kFormat = 4;

constexpr const char* kSchema = R"(
  CREATE TABLE session (id INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE,
    expiry_interval INTEGER NOT NULL, asleep_since INTEGER NOT NULL, fresh_from INTEGER NOT NULL);
  CREATE TABLE will (session INTEGER PRIMARY KEY, topic TEXT NOT NULL, properties BLOB NOT NULL,
    payload BLOB NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL, delay INTEGER NOT NULL);
  CREATE TABLE subscription (session INTEGER NOT NULL, filter TEXT NOT NULL,
    identifier INTEGER NOT NULL, options INTEGER NOT NULL,
    PRIMARY KEY (session, filter)) WITHOUT ROWID;
  CREATE TABLE message (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, properties BLOB NOT NULL,
    payload BLOB NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, uses INTEGER NOT NULL);
  CREATE TABLE incoming (session INTEGER NOT NULL, packet_id INTEGER NOT NULL,
    PRIMARY KEY (session, packet_id)) WITHOUT ROWID;
  CREATE TABLE retained (topic TEXT PRIMARY KEY, message INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, listener INTEGER NOT NULL, user_name TEXT NOT NULL,
    client_id TEXT NOT NULL) WITHOUT ROWID;
)";

/// Beside a chunk's row is what of it one needs to know without reading its messages.
constexpr const char* kQueues = R"(
  CREATE TABLE chunk (id INTEGER PRIMARY KEY, session INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, messages INTEGER NOT NULL, bytes INTEGER NOT NULL,
    newest INTEGER NOT NULL, entries BLOB NOT NULL, bodies BLOB NOT NULL);
  CREATE INDEX chunk_order ON chunk (session, first, last, messages, bytes, newest);
  CREATE TABLE progress (chunk INTEGER PRIMARY KEY, messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL, newest INTEGER NOT NULL, fates BLOB NOT NULL);
)";

/// What format 1 lacks.
constexpr const char* kFromFormat1 = R"(
  ALTER TABLE retained ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 9223372036854775807;
  ALTER TABLE retained ADD COLUMN listener INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE retained ADD COLUMN user_name TEXT NOT NULL DEFAULT '';
  ALTER TABLE retained ADD COLUMN client_id TEXT NOT NULL DEFAULT '';
  UPDATE retained SET expires_at = m.expires_at FROM message m WHERE m.id = message;
)";

/// What formats 1 to 3 lack.
constexpr const char* kFromFormat3 =
    "ALTER TABLE session ADD COLUMN fresh_from INTEGER NOT NULL DEFAULT 9223372036854775807";

/// In format 2 every message of a queue was a row.
void make_chunks(const Database& database) {
  Statement put = database.prepare(kPutChunk);
  Statement row = database.prepare(
      "SELECT session, sequence, message, qos, flags, origin, size FROM queued "
      "ORDER BY session, sequence");
  Chunk chunk;
  std::int64_t session = 0;
  const auto write = [&] {
    if (!chunk.is_empty()) put_chunk(put, session, chunk);
    chunk.clear();
  };
  while (row.step()) {
    const auto sequence = row.as<std::uint64_t>(1);
    if (row.number(0) != session || !chunk.has_room_for(sequence)) write();
    session = row.number(0);
    chunk.add({.sequence = sequence,
               .message = row.as<MessageId>(2),
               .origin = row.as<std::uint32_t>(5),
               .size = row.as<std::uint32_t>(6),
               .qos = row.as<std::uint8_t>(3),
               .flags = row.as<std::uint8_t>(4)},
              nullptr);
  }
  write();
}

Failure failure_of(const std::string& path, const DatabaseError& error) {
  return {error.is_damage() ? Failure::Kind::damaged : Failure::Kind::unusable,
          Error{path + ": " + error.words}};
}

/// Waits until the write-ahead log is on the disk.
int sync_log(sqlite3* database) {
  sqlite3_file* log = nullptr;
  const int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER,
                                        static_cast<void*>(&log));
  if (code != SQLITE_OK || log == nullptr || log->pMethods == nullptr) return code;
  return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}

void set_format(const Database& database) {
  database.run(("PRAGMA user_version = " + std::to_string(kFormat)).c_str());
}

/// Brings a file of ours to this format, if it is in one that is known.
void upgrade(const Database& database) {
  if (database.number("PRAGMA application_id") != kApplicationId) return;
  const auto format = database.number("PRAGMA user_version");
  if (format < 1 || format >= kFormat) return;
  database.run("BEGIN IMMEDIATE");
  if (format < 2) database.run(kFromFormat1);
  if (format < 3) {
    database.run(kQueues);
    make_chunks(database);
    database.run("DROP TABLE queued");
  }
  database.run(kFromFormat3);
  set_format(database);
  database.run("COMMIT");
}

/// Settings of the connection, and the tables of a file that has none.
std::expected<void, Failure> prepare(const std::string& path, const Database& database) {
  const bool is_new = database.number("SELECT count(*) FROM sqlite_schema") == 0;
  if (!is_new) {
    upgrade(database);
    if (const std::string objection = Sqlite::identify(database); !objection.empty()) {
      const bool is_ours = database.number("PRAGMA application_id") == kApplicationId;
      return std::unexpected(Failure{is_ours ? Failure::Kind::unusable : Failure::Kind::damaged,
                                     Error{path + " " + objection}});
    }
  }
  database.run("PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (!is_new) return {};
  database.run("BEGIN IMMEDIATE");
  database.run(kSchema);
  database.run(kQueues);
  database.run(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
  set_format(database);
  database.run("COMMIT");
  return {};
}

}  // namespace

std::string Sqlite::identify(const Database& database) {
  if (database.number("PRAGMA application_id") != kApplicationId) {
    return "is an SQLite file of some other program";
  }
  const auto format = database.number("PRAGMA user_version");
  if (format == kFormat) return {};
  if (format > 0 && format < kFormat) {
    return "is in format " + std::to_string(format) +
           ": mqbroker brings it to this version's when it uses it";
  }
  return "is in format " + std::to_string(format) + ", and this version knows format " +
         std::to_string(kFormat) + " only: use the version that wrote it, or another directory";
}

struct Sqlite::State {
  State(std::string name, Database file)
      : path(std::move(name)),
        database(std::move(file)),
        committer(database),
        page_reader(database) {}

  /// For who reads and writes; damage is marked.
  Error failed(const DatabaseError& error) {
    if (!error.is_damage()) return {path + ": " + error.words};
    mark(error);
    return {path + " is damaged (" + error.words +
            "); when the broker is started anew it goes on with what can be read"};
  }
  /// Where that is not possible, the next start may find the damage by itself.
  void mark(const DatabaseError& damage) {
    if (std::exchange(is_marked, true)) return;
    std::ofstream(Sqlite::damage_mark(path)) << damage.words << '\n';
  }

  std::string path;
  bool is_marked = false;
  Database database;
  Committer committer;
  PageReader page_reader;
};

std::expected<Sqlite, Failure> Sqlite::open(const std::string& path) {
  try {
    Database database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX);
    sqlite3_busy_timeout(database.handle(), 1000);  // for who reads it beside us
    if (auto done = prepare(path, database); !done) return std::unexpected(done.error());
    return Sqlite(std::make_unique<State>(path, std::move(database)));
  } catch (const DatabaseError& error) {
    return std::unexpected(failure_of(path, error));
  }
}

Sqlite::Sqlite(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sqlite::Sqlite(Sqlite&&) noexcept = default;
Sqlite::~Sqlite() = default;

std::expected<Snapshot, Failure> Sqlite::load(const Budget& budget) {
  try {
    Snapshot snapshot;
    load_all(state_->database, budget, snapshot);
    return snapshot;
  } catch (const DatabaseError& error) {
    return std::unexpected(failure_of(state_->path, error));
  }
}

std::expected<Page, Error> Sqlite::read(const Load& load) {
  try {
    Page page{load.number, load.client_id, {}};
    if (!load.bodies.empty()) {
      state_->page_reader.read(load.bodies, load.window.bytes, page);
    } else {
      state_->page_reader.read(
          state_->committer.id_of(load.client_id), load.first, load.window,
          [&page](const QueuedMessage& message) {
            auto body = message.queued.message == 0 ? Body() : message.body();
            if (!body) return;
            page.entries.push_back({message.sequence, message.queued, *std::move(body)});
          });
    }
    if (const auto damage = state_->page_reader.take_damage()) state_->mark(*damage);
    return page;
  } catch (const DatabaseError& error) {
    return std::unexpected(state_->failed(error));
  }
}

std::expected<void, Error> Sqlite::commit(const Batch& batch) {
  try {
    state_->committer.commit(batch);
    return {};
  } catch (const DatabaseError& error) {
    return std::unexpected(state_->failed(error));
  }
}

std::expected<void, Error> Sqlite::use(SyncPolicy::Kind kind) {
  constexpr std::array kPragmas{"PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL",
                                "PRAGMA synchronous = OFF"};
  try {
    state_->database.run(kPragmas[static_cast<std::size_t>(kind)]);
    return {};
  } catch (const DatabaseError& error) {
    return std::unexpected(state_->failed(error));
  }
}

std::expected<void, Error> Sqlite::checkpoint() {
  sqlite3* database = state_->database.handle();
  int frames = 0;
  int moved = 0;
  int code =
      sqlite3_wal_checkpoint_v2(database, nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
  // Beside somebody who reads, SQLite may have had nothing to move, and so no reason to sync.
  if (code == SQLITE_BUSY || (code == SQLITE_OK && moved != frames)) code = sync_log(database);
  if (code == SQLITE_OK) return {};
  return std::unexpected(Error{state_->path + ": " + sqlite3_errstr(code)});
}

std::expected<Salvaged, Error> Sqlite::salvage(const std::string& path) {
  Salvaged salvaged;
  try {
    const Database database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
    const auto format = database.number("PRAGMA user_version");
    const bool is_ours = database.number("PRAGMA application_id") == kApplicationId;
    if (is_ours && format >= 1 && format <= kFormat) load_some(database, format, salvaged);
  } catch (const DatabaseError& error) {
    if (!error.is_damage()) return std::unexpected(failure_of(path, error).error);
  }
  return salvaged;
}

}  // namespace mq::storage

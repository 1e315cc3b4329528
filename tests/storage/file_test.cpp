#include "storage/file.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "storage/database.hpp"
#include "temporary.hpp"

using namespace mq;
using namespace mq::storage;
using support::TemporaryTree;

namespace {

constexpr WallTime kThen{std::chrono::seconds(1'700'000'000)};

void fill(const std::string& path, int sessions) {
  auto file = open_file(path, kUnlimited, kThen);
  REQUIRE(file);
  Batch batch{.ticket = 1, .changes = {}};
  for (int i = 0; i < sessions; ++i) {
    const std::string id = "session " + std::to_string(i);
    batch.changes.emplace_back(PutSession{id, 1, kAwake});
    batch.changes.emplace_back(PutSubscription{id, std::string(100, 'f'), 0, 1});
  }
  REQUIRE(file->content.commit(batch));
  REQUIRE(file->content.checkpoint());
}

constexpr int kRetained = 1000;
constexpr std::uint64_t kQueued = 2000;

/// A queue, ten messages a batch, and retained messages: each on several pages.
void fill_pages(const std::string& path) {
  auto file = open_file(path, kUnlimited, kThen);
  REQUIRE(file);
  Batch batch{.ticket = 1, .changes = {PutSession{"s", 1, kAwake}}};
  MessageId id = 0;
  const auto put = [&](std::string topic, std::size_t size) {
    batch.changes.emplace_back(PutMessage{
        ++id,
        {.topic = std::move(topic), .properties = {}, .payload = std::vector<Byte>(size, 'x')}});
  };
  for (int i = 0; i < kRetained; ++i) {
    const std::string topic = "retained/" + std::string(100, 'r') + std::to_string(i);
    put(topic, 1000);
    batch.changes.emplace_back(PutRetained{topic, id, kDoesNotExpire, {}});
  }
  for (std::uint64_t i = 1; i <= kQueued; ++i) {
    put("queued", 100);
    batch.changes.emplace_back(PutQueued{"s", i, id, 1, 0, 0, 100});
    if (i % 10 != 0) continue;
    REQUIRE(file->content.commit(batch));
    batch.changes.clear();
  }
}

/// Makes nonsense of a page in the middle of a table, or of an index.
void damage(const std::string& path, const std::string& table) {
  std::int64_t page = 0;
  {
    const Database database(path, SQLITE_OPEN_READWRITE);
    const std::string leaves = " FROM dbstat WHERE name = '" + table + "' AND pagetype = 'leaf'";
    const auto count = database.number("SELECT count(*)" + leaves);
    REQUIRE(count > 0);
    page = database.number("SELECT pageno" + leaves + " ORDER BY path LIMIT 1 OFFSET " +
                           std::to_string(count / 2));
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp((page - 1) * 16'384);
  file << std::string(16'384, '\xFF');
  REQUIRE(file.good());
}

void overwrite(const std::string& path, std::streamoff at, const std::string& text) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file << text;
  REQUIRE(file.good());
}

}  // namespace

TEST_CASE("a file that is no database is moved aside, and a new one begun") {
  const TemporaryTree directory;
  const std::string path = directory / "a.db";
  for (const std::string& content : {std::string(8192, '\0'), std::string("not a database\n"),
                                     std::string("SQLite format 3") + std::string(5000, 'x')}) {
    std::ofstream(path) << content;
    const auto file = open_file(path, kUnlimited, kThen);
    REQUIRE(file);
    CHECK(file->state == Snapshot());
    CHECK(file->damage.contains(path + ".damaged-1700000000"));
    CHECK(std::filesystem::file_size(path + ".damaged-1700000000") == content.size());
  }
}

TEST_CASE("a database of some other program is moved aside") {
  const TemporaryTree directory;
  Database(directory / "a.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
      .run("CREATE TABLE cats (name)");
  const auto file = open_file(directory / "a.db", kUnlimited, kThen);
  REQUIRE(file);
  CHECK(file->damage.contains("some other program"));
}

TEST_CASE("of a torn file, what can be read is there again") {
  const TemporaryTree directory;
  const std::string path = directory / "a.db";
  fill(path, 1000);
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  overwrite(path, size / 2, std::string(4096, '\xAA'));
  {
    const auto file = open_file(path, kUnlimited, kThen);
    REQUIRE(file);
    REQUIRE(!file->damage.empty());
    CHECK(!file->state.sessions.empty());
  }
  const auto again = open_file(path, kUnlimited, kThen);
  REQUIRE(again);
  CHECK(again->damage.empty());
  CHECK(!again->state.sessions.empty());
}

TEST_CASE("a salvage that is cut off begins anew, or is gone on with, and nothing more is lost") {
  const TemporaryTree directory;
  const std::string path = directory / "a.db";
  fill(path, 1000);
  SUBCASE("where there is no room for it") {
    const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
    overwrite(path, size / 2, std::string(4096, '\xAA'));
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit narrow{.rlim_cur = 32'768, .rlim_max = before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &narrow) == 0);
    const bool is_open = open_file(path, kUnlimited, kThen).has_value();
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK_FALSE(is_open);
  }
  SUBCASE("when the damaged file has been moved, and not all of it") {
    std::filesystem::rename(path, path + ".salvaged");
    std::ofstream(path + "-wal") << "of the damaged one";
  }
  const auto again = open_file(path, kUnlimited, kThen);
  REQUIRE(again);
  CHECK_FALSE(again->damage.empty());
  CHECK_FALSE(again->state.sessions.empty());
  CHECK_FALSE(std::filesystem::exists(path + ".salvaged"));
}

TEST_CASE(
    "what is on a damaged page is lost, and nothing else, when it is read and at the next start") {
  const TemporaryTree directory;
  const std::string path = directory / "a.db";
  fill_pages(path);
  std::size_t lost_queued = 0;
  std::size_t lost_retained = 0;
  SUBCASE("of bodies") {
    damage(path, "message");
    std::vector<MessageId> ids;
    for (MessageId id = 1; id <= kRetained; ++id) ids.push_back(id);
    auto file = Sqlite::open(path);
    REQUIRE(file);
    const auto page = file->read({.number = 1, .client_id = "s", .bodies = ids});
    REQUIRE(page);
    lost_retained = page->lost.size();
    CHECK(lost_retained > 0);
    CHECK(lost_retained < 20);
    CHECK(page->entries.size() == kRetained - lost_retained);
  }
  SUBCASE("of queues") {
    damage(path, "chunk");
    auto file = Sqlite::open(path);
    REQUIRE(file);
    const auto page = file->read({.number = 1, .client_id = "s", .first = 1});
    REQUIRE(page);
    lost_queued = kQueued - page->entries.size();
    CHECK(lost_queued > 0);
    CHECK(lost_queued < 200);
    CHECK(page->entries.front().sequence == 1);
    CHECK(page->entries.back().sequence == kQueued);
  }
  {
    const auto file = open_file(path, {{10, 10}, 1}, kThen);  // which would not come so far
    REQUIRE(file);
    CHECK(
        file->damage.contains("known to be lost: queued messages: " + std::to_string(lost_queued) +
                              ", retained: " + std::to_string(lost_retained)));
  }
  const auto file = open_file(path, kUnlimited, kThen);
  REQUIRE(file);
  CHECK(file->damage.empty());
  CHECK(file->state.sessions.at("s").queue.size() == kQueued - lost_queued);
  CHECK(file->state.retained.size() == kRetained - lost_retained);
}

TEST_CASE("of a table that is read from both ends, what is on a damaged page is lost") {
  const TemporaryTree directory;
  const std::string path = directory / "a.db";
  fill_pages(path);
  damage(path, "retained");
  damage(path, "chunk_order");  // all of it: its table knows the same
  const auto file = open_file(path, kUnlimited, kThen);
  REQUIRE(file);
  CHECK_FALSE(file->damage.empty());
  CHECK(file->state.retained.size() > kRetained / 2);
  CHECK(file->state.retained.size() < kRetained);
  CHECK(file->state.sessions.at("s").queue.size() == kQueued);
}

TEST_CASE("a damaged file of an older format is read by its own columns") {
  const TemporaryTree directory;
  const std::string path = directory / "a.db";
  fill_pages(path);
  Database(path, SQLITE_OPEN_READWRITE).run(R"(
    DROP TABLE chunk; DROP TABLE progress;
    CREATE TABLE queued (session INTEGER NOT NULL, sequence INTEGER NOT NULL,
      message INTEGER NOT NULL, qos INTEGER NOT NULL, flags INTEGER NOT NULL,
      origin INTEGER NOT NULL, size INTEGER NOT NULL,
      PRIMARY KEY (session, sequence)) WITHOUT ROWID;
    INSERT INTO queued VALUES (1, 5, 1, 1, 1, 3, 1000), (1, 6, 0, 2, 0, 0, 0);
    ALTER TABLE session DROP COLUMN fresh_from;
    ALTER TABLE retained DROP COLUMN expires_at; ALTER TABLE retained DROP COLUMN listener;
    ALTER TABLE retained DROP COLUMN user_name; ALTER TABLE retained DROP COLUMN client_id;
    PRAGMA user_version = 1;)");
  damage(path, "message");
  const auto file = open_file(path, kUnlimited, kThen);
  REQUIRE(file);
  CHECK_FALSE(file->damage.empty());
  CHECK(file->state.retained.size() > kRetained - 20);
  CHECK(file->state.retained.begin()->second.expires_at == kDoesNotExpire);
  const auto& session = file->state.sessions.at("s");
  CHECK(session.fresh_from == kAnythingSent);
  CHECK(session.queue.at(5) == Snapshot::Queued{1, 1, 1, 3});
  CHECK(session.queue.at(6) == Snapshot::Queued{0, 2, 0, 0});
}

TEST_CASE("a batch that comes upon damage says what to do, and the next start does its part") {
  const TemporaryTree directory;
  const std::string path = directory / "a.db";
  fill_pages(path);
  damage(path, "message");
  {
    auto file = Sqlite::open(path);
    REQUIRE(file);
    Batch batch{.ticket = 1, .changes = {}};
    for (int i = 0; i < kRetained; ++i) {
      batch.changes.emplace_back(
          DropRetained{"retained/" + std::string(100, 'r') + std::to_string(i)});
    }
    const auto done = file->commit(batch);
    REQUIRE_FALSE(done);
    CHECK(done.error().message.contains("a.db is damaged (database disk image is malformed)"));
    CHECK(done.error().message.contains("started anew"));
  }
  for (const bool is_first : {true, false}) {
    const auto file = open_file(path, {{10, 10}, 1}, kThen);
    REQUIRE(file);
    CHECK(file->damage.empty() != is_first);
  }
}

TEST_CASE("what is left of a salvage is not taken for the state when the file is deleted later") {
  const TemporaryTree directory;
  const std::string path = directory / "a.db";
  fill(path, 3);
  std::filesystem::copy_file(path, path + ".salvaged");
  CHECK(open_file(path, kUnlimited, kThen)->state.sessions.size() == 3);
  std::filesystem::remove(path);
  std::ofstream(path + ".damaged") << "of the deleted one\n";
  const auto file = open_file(path, kUnlimited, kThen);
  REQUIRE(file);
  CHECK(file->damage.empty());
  CHECK(file->state.sessions.empty());
  CHECK_FALSE(std::filesystem::exists(path + ".damaged"));
}

TEST_CASE("a second process is refused, and told the first one's id") {
  const TemporaryTree directory;
  const auto mine = open_file(directory / "a.db", kUnlimited, kThen);
  REQUIRE(mine);
  const std::string expected = "in use by the process " + std::to_string(getpid());
  const pid_t child = fork();
  if (child == 0) {
    const auto file = open_file(directory / "a.db", kUnlimited, kThen);
    _exit(!file && file.error().message.contains(expected) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a directory that is not there is an error that names the file") {
  const auto file = open_file("/nowhere/at/all/a.db", kUnlimited, kThen);
  REQUIRE(!file);
  CHECK(file.error().message.contains("/nowhere/at/all/a.db"));
  CHECK(file.error().message.contains("No such file or directory"));
}

TEST_CASE(
    "a file of mosquitto's that is cut off is refused, named with the place, and left alone") {
  const TemporaryTree directory;
  const std::string path = directory / "mosquitto.db";
  const std::string content =
      std::string("\0\xB5\0mosquitto db\0\0\0\0\0\0\0\6", 23) + "xxxxxxxxxx";
  std::ofstream(path, std::ios::binary) << content;
  const auto file = open_file(path, kUnlimited, kThen);
  REQUIRE(!file);
  CHECK(file.error().message.contains("mosquitto.db: the part at byte 23 is cut off"));
  CHECK(std::filesystem::file_size(path) == content.size());
  CHECK_FALSE(std::filesystem::exists(directory / "mqbroker.db"));
}

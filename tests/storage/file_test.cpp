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

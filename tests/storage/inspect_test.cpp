#include "storage/inspect.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "everything.hpp"
#include "storage/database.hpp"
#include "storage/sqlite.hpp"
#include "temporary.hpp"

using namespace mq;
using namespace mq::storage;
using support::everything;
using support::TemporaryTree;

namespace {

Sqlite opened(const std::string& path) {
  auto file = Sqlite::open(path);
  REQUIRE(file);
  return std::move(*file);
}

/// A file with these changes.
void make(const std::string& path, std::vector<Change> changes) {
  REQUIRE(opened(path).commit({.ticket = 1, .changes = std::move(changes)}));
}

void run(const std::string& path, const char* sql) {
  Database(path, SQLITE_OPEN_READWRITE).run(sql);
}

}  // namespace

TEST_CASE("what is dumped makes the same file out of nothing") {
  const TemporaryTree directory;
  make(directory / "a", everything());
  std::vector<Change> dumped;
  REQUIRE(dump(directory / "a", [&](const Change& change) { dumped.push_back(change); }));
  CHECK(dumped.size() == everything().size());
  make(directory / "b", std::move(dumped));
  CHECK(*opened(directory / "b").load() == *opened(directory / "a").load());
}

TEST_CASE("a file is looked at while somebody else writes it") {
  const TemporaryTree directory;
  auto file = opened(directory / "a");
  REQUIRE(file.commit({.ticket = 1, .changes = everything()}));
  REQUIRE(verify(directory / "a"));
  CHECK(verify(directory / "a")->empty());
  REQUIRE(file.commit({.ticket = 2, .changes = {PutSession{"another", 1, kAwake}}}));
  CHECK(stats_of(directory / "a")->sessions.size() == 3);
}

TEST_CASE("the numbers of a file") {
  const TemporaryTree directory;
  make(directory / "a", everything());
  const auto stats = stats_of(directory / "a");
  REQUIRE(stats);
  REQUIRE(stats->sessions.size() == 2);
  const auto& bond = stats->sessions[0];
  CHECK(bond.client_id == "james bond");
  CHECK(bond.expiry_interval == 3600);
  CHECK(bond.subscriptions == 1);
  CHECK(bond.queued == 3);
  CHECK(bond.queued_bytes == 13);
  CHECK(stats->sessions[1].asleep_since == WallTime(std::chrono::microseconds(99)));
  CHECK(stats->messages == 3);
  CHECK(stats->message_bytes == 13);
  CHECK(stats->retained == 1);
  CHECK(stats->file_bytes > 1000);
}

TEST_CASE("what does not fit together is named and counted") {
  const TemporaryTree directory;
  const auto faults_after = [&](const char* sql) {
    std::filesystem::remove(directory / "a");
    make(directory / "a", everything());
    run(directory / "a", sql);
    const auto faults = verify(directory / "a");
    REQUIRE(faults);
    std::string all;
    for (const auto& fault : *faults) all += fault + "; ";
    return all;
  };
  CHECK(faults_after("DELETE FROM message WHERE id = 1") ==
        "queued messages without a body: 1; retained messages without a body: 1; ");
  CHECK(faults_after("UPDATE chunk SET bodies = x'00'") ==
        "chunks of queues that make no sense: 1; ");
  CHECK(faults_after("UPDATE chunk SET entries = x'00'") ==
        "chunks of queues that make no sense: 3; messages whose number of uses is wrong: 2; ");
  CHECK(faults_after("UPDATE chunk SET messages = 9 WHERE last = 6") ==
        "chunks of queues whose sums are wrong: 1; ");
  CHECK(faults_after("UPDATE message SET uses = 9 WHERE id = 2") ==
        "messages whose number of uses is wrong: 1; ");
  CHECK(faults_after("UPDATE message SET payload = x'00' WHERE id = 1") ==
        "queued messages whose size is wrong: 1; ");
  CHECK(faults_after("DELETE FROM session WHERE client_id = 'james bond'") ==
        "queued messages without a session: 3; subscriptions without a session: 1; "
        "wills without a session: 1; QoS 2 packet ids without a session: 1; ");
}

TEST_CASE("a copy is as the file is, and takes nobody's place") {
  const TemporaryTree directory;
  make(directory / "a", everything());
  REQUIRE(back_up(directory / "a", directory / "copy"));
  CHECK(*opened(directory / "copy").load() == *opened(directory / "a").load());
  const auto permissions = std::filesystem::status(directory / "copy").permissions();
  CHECK(permissions == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  const auto again = back_up(directory / "a", directory / "copy");
  REQUIRE(!again);
  CHECK(again.error().message.contains("is there already"));
  CHECK(!back_up(directory / "a", directory / "nowhere/copy"));
}

TEST_CASE("what is no broker's file is refused by its name") {
  const TemporaryTree directory;
  std::ofstream(directory / "text") << std::string(5000, 'x');
  Database(directory / "cats", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
      .run("CREATE TABLE cats (name)");
  for (const auto* name : {"nothing", "text", "cats"}) {
    CAPTURE(name);
    const auto faults = verify(directory / name);
    REQUIRE(!faults);
    CHECK(faults.error().message.starts_with(directory / name));
    CHECK(!stats_of(directory / name));
    CHECK(!dump(directory / name, [](const Change&) {}));
    CHECK(!back_up(directory / name, directory / "copy"));
    CHECK(!std::filesystem::exists(directory / "copy"));
  }
}

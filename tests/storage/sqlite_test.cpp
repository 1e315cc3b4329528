#include "storage/sqlite.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "base/prng.hpp"
#include "everything.hpp"
#include "storage/database.hpp"
#include "storage/memory.hpp"
#include "support/chance.hpp"
#include "temporary.hpp"

using namespace mq;
using namespace mq::storage;
using support::bytes;
using support::everything;
using support::TemporaryTree;

namespace {

void commit(Memory& memory, Sqlite& file, Batch batch) {
  REQUIRE(file.commit(batch));
  memory.submit(std::move(batch));
  memory.commit();
}

/// Bodies by their ids.
void check_bodies(Memory& memory, Sqlite& file) {
  const Load load{.number = 8, .client_id = "a", .bodies = {1, 2, 3, 4, 5, 6, 7, 8, 9}};
  memory.load(load);
  memory.answer_loads();
  const Page expected = memory.take_pages().at(0);
  const auto page = file.read(load);
  REQUIRE(page);
  CHECK(page->lost == expected.lost);
  REQUIRE(page->entries.size() == expected.entries.size());
  for (std::size_t i = 0; i < page->entries.size(); ++i) {
    CHECK(page->entries[i].queued.message == expected.entries[i].queued.message);
    CHECK(page->entries[i].body == expected.entries[i].body);
  }
}

/// What is within a window, and the page behind it.
void check_windows(Memory& memory, Sqlite& file) {
  for (const Window window : {Window{3, SIZE_MAX}, Window{SIZE_MAX, 5}}) {
    const Budget budget{window, 2};
    const auto cut = file.load(budget);
    REQUIRE(cut);
    const Snapshot expected = memory.load(budget);
    CHECK(*cut == expected);
    for (const auto& [client_id, session] : expected.sessions) {
      const Load load{7, client_id, session.tail.first, {}, window};
      memory.load(load);
      memory.answer_loads();
      const Page expected_page = memory.take_pages().at(0);
      const auto page = file.read(load);
      REQUIRE(page);
      CHECK(page->number == 7);
      CHECK(page->client_id == client_id);
      REQUIRE(page->entries.size() == expected_page.entries.size());
      for (std::size_t i = 0; i < page->entries.size(); ++i) {
        CHECK(page->entries[i].sequence == expected_page.entries[i].sequence);
        CHECK(page->entries[i].queued == expected_page.entries[i].queued);
        CHECK(page->entries[i].body == expected_page.entries[i].body);
      }
    }
  }
}

}  // namespace

TEST_CASE("what was committed is read back, every field of it, after the file was closed") {
  const TemporaryTree directory;
  Memory memory;
  {
    auto file = Sqlite::open(directory / "a.db");
    REQUIRE(file);
    commit(memory, *file, {.ticket = 1, .changes = everything()});
    CHECK(*file->load() == memory.load());
  }
  auto file = Sqlite::open(directory / "a.db");
  REQUIRE(file);
  CHECK(*file->load() == memory.load());
  CHECK(memory.load().sessions.at("james bond").queue.size() == 2);
}

TEST_CASE("a thousand batches of chance leave what they leave in memory") {
  const TemporaryTree directory;
  Memory memory;
  auto file = Sqlite::open(directory / "a.db");
  REQUIRE(file);
  REQUIRE(file->set_synced(false));
  Chance chance(7);
  for (Ticket ticket = 1; ticket <= 1000; ++ticket) {
    commit(memory, *file, chance.batch(ticket));
    if (ticket % 50 != 0) continue;
    REQUIRE(*file->load() == memory.load());
    check_windows(memory, *file);
    check_bodies(memory, *file);
  }
  CHECK(memory.load().retained.size() > 1);
  CHECK(memory.load().messages.size() > 1);
}

TEST_CASE("what a batch queues and drops again is never written") {
  const TemporaryTree directory;
  auto file = Sqlite::open(directory / "a.db");
  REQUIRE(file);
  REQUIRE(file->commit({.ticket = 1, .changes = {PutSession{"a", 1, kAwake}}}));
  const Database reader(directory / "a.db", SQLITE_OPEN_READWRITE);
  const auto version = reader.number("PRAGMA data_version");
  const auto body = Body{.topic = "t", .properties = {}, .payload = {}};
  REQUIRE(file->commit(
      {.ticket = 2,
       .changes = {PutMessage{1, body}, PutQueued{"a", 7, 1, 2, 0, 0}, PutIncoming{"a", 3},
                   ReleaseQueued{"a", 7}, DropQueued{"a", 7}, DropIncoming{"a", 3}}}));
  CHECK(reader.number("PRAGMA data_version") == version);
  REQUIRE(
      file->commit({.ticket = 3, .changes = {PutMessage{2, body}, PutQueued{"a", 8, 2, 1, 0, 0}}}));
  CHECK(reader.number("PRAGMA data_version") != version);
}

TEST_CASE("a file of an unknown format is refused and stays as it is") {
  const TemporaryTree directory;
  REQUIRE(Sqlite::open(directory / "a.db"));
  Database(directory / "a.db", SQLITE_OPEN_READWRITE).run("PRAGMA user_version = 99");
  const auto file = Sqlite::open(directory / "a.db");
  REQUIRE(!file);
  CHECK(file.error().kind == Sqlite::Failure::Kind::unusable);
  CHECK(file.error().error.message.contains("is in format 99"));
  const Database reader(directory / "a.db", SQLITE_OPEN_READWRITE);
  CHECK(reader.number("PRAGMA user_version") == 99);
}

TEST_CASE("a file of format 1 is brought to this one, and keeps what it holds") {
  const TemporaryTree directory;
  const WallTime end(std::chrono::microseconds(77));
  {
    auto file = Sqlite::open(directory / "a.db");
    REQUIRE(file);
    REQUIRE(file->commit(
        {.ticket = 1,
         .changes = {
             PutMessage{1, {.topic = "t", .properties = {}, .payload = {}, .expires_at = end}},
             PutRetained{"t", 1, end, {1, "u", "c"}}}}));
    for (const char* column : {"expires_at", "listener", "user_name", "client_id"}) {
      Database(directory / "a.db", SQLITE_OPEN_READWRITE)
          .run((std::string("ALTER TABLE retained DROP COLUMN ") + column).c_str());
    }
    Database(directory / "a.db", SQLITE_OPEN_READWRITE).run("PRAGMA user_version = 1");
  }
  auto file = Sqlite::open(directory / "a.db");
  REQUIRE(file);
  const auto state = file->load();
  REQUIRE(state);
  CHECK(state->retained.at("t") == Snapshot::Retained{1, end, {}});
  REQUIRE(file->commit({.ticket = 2, .changes = {PutRetained{"u", 1, end, {1, "u", "c"}}}}));
}

#include "storage/sqlite.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

#include "base/prng.hpp"
#include "everything.hpp"
#include "storage/database.hpp"
#include "storage/inspect.hpp"
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
    auto cut = file.load(budget);
    REQUIRE(cut);
    const Snapshot expected = memory.load(budget);
    for (const auto& [client_id, session] : expected.sessions) {
      // Of where a tail begins and ends, only limits are told.
      Tail& tail = cut->sessions[client_id].tail;
      CHECK(tail.first <= session.tail.first);
      CHECK(tail.end >= session.tail.end);
      tail.first = session.tail.first;
      tail.end = session.tail.end;
    }
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
  CHECK(memory.load().sessions.at("james bond").queue.size() == 3);
}

TEST_CASE("a thousand batches of chance leave what they leave in memory") {
  const TemporaryTree directory;
  Memory memory;
  auto file = Sqlite::open(directory / "a.db");
  REQUIRE(file);
  REQUIRE(file->use(SyncPolicy::Kind::off));
  Chance chance(7);
  for (Ticket ticket = 1; ticket <= 1000; ++ticket) {
    commit(memory, *file, chance.batch(ticket));
    if (ticket % 50 != 0) continue;
    REQUIRE(*file->load() == memory.load());
    check_windows(memory, *file);
    check_bodies(memory, *file);
    const auto faults = verify(directory / "a.db");
    REQUIRE(faults);
    REQUIRE(*faults == std::vector<std::string>());
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

TEST_CASE("a retained message is queued by the batch with which it stops being retained") {
  const TemporaryTree directory;
  Memory memory;
  auto file = Sqlite::open(directory / "a.db");
  REQUIRE(file);
  const auto body = Body{.topic = "t", .properties = {}, .payload = bytes("x")};
  const PutRetained retained{"t", 1, kDoesNotExpire, {}};
  commit(memory, *file, {1, {PutSession{"a", 1, kAwake}, PutMessage{1, body}, retained}});
  SUBCASE("dropped") {
    commit(memory, *file, {2, {DropRetained{"t"}, PutQueued{"a", 1, 1, 1, 0, 0, 1}}});
  }
  SUBCASE("replaced") {
    commit(memory, *file,
           {2,
            {PutMessage{2, body}, PutRetained{"t", 2, kDoesNotExpire, {}},
             PutQueued{"a", 1, 1, 1, 0, 0, 1}}});
  }
  CHECK(*file->load() == memory.load());
  CHECK(memory.load().messages.at(1) == body);
}

TEST_CASE("the sequence numbers of messages that are gone are used again") {
  const TemporaryTree directory;
  Memory memory;
  auto file = Sqlite::open(directory / "a.db");
  REQUIRE(file);
  MessageId id = 0;
  Batch first{.ticket = 1, .changes = {PutSession{"a", 1, kAwake}}};
  const auto put = [&id](Batch& batch, std::uint64_t sequence) {
    batch.changes.emplace_back(
        PutMessage{++id, {.topic = "t", .properties = {}, .payload = bytes("x")}});
    batch.changes.emplace_back(PutQueued{"a", sequence, id, 2, 0, 0, 1});
  };
  for (const std::uint64_t sequence : {1, 2, 3, 4}) put(first, sequence);
  commit(memory, *file, std::move(first));
  commit(memory, *file, {.ticket = 2, .changes = {DropQueued{"a", 3}, DropQueued{"a", 4}}});
  Batch third{.ticket = 3, .changes = {}};
  for (const std::uint64_t sequence : {3, 4, 5}) put(third, sequence);
  commit(memory, *file, std::move(third));
  CHECK(*file->load() == memory.load());
  commit(memory, *file,
         {.ticket = 4, .changes = {DropQueued{"a", 2}, DropQueued{"a", 3}, ReleaseQueued{"a", 4}}});
  CHECK(*file->load() == memory.load());
  CHECK(memory.load().sessions.at("a").queue.size() == 3);
  commit(memory, *file, {.ticket = 5, .changes = {DropSession{"a"}}});
  CHECK(Database(directory / "a.db", SQLITE_OPEN_READWRITE)
            .number("SELECT (SELECT count(*) FROM chunk) + (SELECT count(*) FROM progress)") == 0);
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

TEST_CASE("a file of format 3 is brought to this one, and nobody knows what was sent") {
  const TemporaryTree directory;
  Memory memory;
  {
    auto file = Sqlite::open(directory / "a.db");
    REQUIRE(file);
    commit(memory, *file, {.ticket = 1, .changes = everything()});
    Database(directory / "a.db", SQLITE_OPEN_READWRITE)
        .run("ALTER TABLE session DROP COLUMN fresh_from; PRAGMA user_version = 3");
  }
  Snapshot expected = memory.load(kUnlimited);
  for (auto& [id, session] : expected.sessions) session.fresh_from = kAnythingSent;
  auto file = Sqlite::open(directory / "a.db");
  REQUIRE(file);
  CHECK(file->load() == expected);
}

TEST_CASE("files of formats 1 and 2 are brought to this one, and keep what they hold") {
  for (const int format : {1, 2}) {
    CAPTURE(format);
    const TemporaryTree directory;
    const WallTime end(std::chrono::microseconds(77));
    const Source source = format == 1 ? Source() : Source{1, "u", "c"};
    REQUIRE(Sqlite::open(directory / "a.db"));
    {
      const Database old(directory / "a.db", SQLITE_OPEN_READWRITE);
      old.run(R"(
        ALTER TABLE session DROP COLUMN fresh_from;
        DROP TABLE chunk; DROP TABLE progress;
        CREATE TABLE queued (session INTEGER NOT NULL, sequence INTEGER NOT NULL,
          message INTEGER NOT NULL, qos INTEGER NOT NULL, flags INTEGER NOT NULL,
          origin INTEGER NOT NULL, size INTEGER NOT NULL,
          PRIMARY KEY (session, sequence)) WITHOUT ROWID;
        INSERT INTO session VALUES (1, 'a', 9, 0), (2, 'b', 9, 0);
        INSERT INTO message VALUES (7, 't', x'', x'3132', 1, 0, 77, 3), (8, 'u', x'', x'', 2, 1, 9, 1);
        INSERT INTO queued VALUES (1, 5, 7, 1, 1, 3, 2), (1, 6, 0, 2, 0, 0, 0), (2, 5, 7, 1, 0, 0, 2),
          (2, 9, 8, 2, 0, 0, 0);
        INSERT INTO retained VALUES ('t', 7, 77, 1, 'u', 'c');)");
      if (format == 1) {
        for (const char* column : {"expires_at", "listener", "user_name", "client_id"}) {
          old.run((std::string("ALTER TABLE retained DROP COLUMN ") + column).c_str());
        }
      }
      old.run(("PRAGMA user_version = " + std::to_string(format)).c_str());
    }
    auto file = Sqlite::open(directory / "a.db");
    REQUIRE(file);
    const auto state = file->load();
    REQUIRE(state);
    CHECK(state->retained.at("t") == Snapshot::Retained{7, end, source});
    const auto& a = state->sessions.at("a").queue;
    const auto& b = state->sessions.at("b").queue;
    CHECK(a == std::map<std::uint64_t, Snapshot::Queued>{{5, {7, 1, 1, 3}}, {6, {0, 2, 0, 0}}});
    CHECK(b == std::map<std::uint64_t, Snapshot::Queued>{{5, {7, 1, 0, 0}}, {9, {8, 2, 0, 0}}});
    CHECK(state->messages.at(7).payload == bytes("12"));
    CHECK(state->last_message == 8);
    CHECK(verify(directory / "a.db")->empty());
    REQUIRE(file->commit({.ticket = 2, .changes = {DropSession{"b"}, DropQueued{"a", 5}}}));
    CHECK(file->load()->messages.size() == 1);
    CHECK(verify(directory / "a.db")->empty());
  }
}

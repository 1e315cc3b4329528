#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>

#include "storage/database.hpp"
#include "storage/memory.hpp"
#include "storage/salvage.hpp"
#include "storage/sqlite.hpp"
#include "support/chance.hpp"
#include "support/disk.hpp"

// SQLite itself, on a disk that loses its power or fails.

namespace mq::storage {

namespace {

constexpr const char* kPath = "/a.db";

/// The state after this batch, too.
Snapshot with(Memory& memory, const Batch& batch) {
  memory.submit(batch);
  memory.commit();
  return memory.load();
}

std::uint64_t crash_points() {
  const char* wanted = std::getenv("MQ_CRASH_POINTS");
  return wanted == nullptr ? 1000 : std::strtoull(wanted, nullptr, 10);
}

}  // namespace

TEST_CASE("whenever the power is cut, what commit() has returned for is there, and nothing half") {
  const std::uint64_t wanted = crash_points();
  std::uint64_t cuts = 0;
  std::uint64_t cuts_in_commit = 0;
  for (std::uint64_t seed = 1; cuts < wanted; ++seed) {
    Prng prng(seed);
    Disk disk;
    Chance chance(seed);
    Memory memory;
    Snapshot kept;                   // what was promised
    std::optional<Snapshot> either;  // what a batch in the middle of its commit would make of it
    // Life after life on the same disk: also opening it, and recovering, is cut off.
    for (int life = 0; life < 20; ++life) {
      disk.fail_at(1 + prng.below(prng.chance(1, 4) ? 8 : 200), SQLITE_IOERR, UINT64_MAX);
      {
        auto file = Sqlite::open(kPath);
        REQUIRE((file || disk.has_failed()));  // it can always be opened
        if (file) {
          const auto found = file->load();
          REQUIRE((found || disk.has_failed()));
          if (found) {
            const bool is_kept = *found == kept;
            REQUIRE((is_kept || (either && *found == *either)));
            if (!is_kept) kept = *either;
            either.reset();
            memory = Memory::holding(kept);
          }
          while (found && !disk.has_failed()) {
            const Batch batch = chance.batch(1);
            const Snapshot next = with(memory, batch);
            if (!file->commit(batch)) {
              either = next;
              ++cuts_in_commit;
              break;
            }
            kept = next;
            if (prng.chance(1, 10)) (void)file->checkpoint();
          }
        }
        disk.fail_at(1, SQLITE_IOERR, UINT64_MAX);  // nor does closing it write anything
      }
      disk.cut_power(prng);
      ++cuts;
    }
  }
  MESSAGE(cuts, " cuts, ", cuts_in_commit, " of them in a commit");
  CHECK(cuts_in_commit > cuts / 4);
}

TEST_CASE("a write, sync or truncation that fails costs the batch nothing but another try") {
  for (const int code : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC}) {
    std::uint64_t failures = 0;
    bool has_failed = true;
    for (std::uint64_t call = 1; has_failed; ++call) {
      Disk disk;
      Chance chance(3);
      Memory memory;
      auto file = Sqlite::open(kPath);
      REQUIRE(file);
      disk.fail_at(call, code, 1 + call % 3);
      for (Ticket ticket = 1; ticket <= 12; ++ticket) {
        const Batch batch = chance.batch(ticket);
        const Snapshot expected = with(memory, batch);
        for (int tries = 0; !file->commit(batch); ++tries) REQUIRE(tries < 5);
        if (ticket % 4 == 0) (void)file->checkpoint();
        const auto found = file->load();
        REQUIRE(found);
        REQUIRE(*found == expected);
      }
      has_failed = disk.has_failed();
      if (has_failed) ++failures;
    }
    CHECK(failures > 50);
  }
}

TEST_CASE("a checkpoint brings to the disk what was committed, also beside somebody who reads") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Disk disk;
    {
      auto file = Sqlite::open(kPath);
      REQUIRE(file);
      REQUIRE(file->use(SyncPolicy::Kind::interval));
      const Database reader(kPath, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
      reader.run("BEGIN");
      CHECK(reader.number("SELECT count(*) FROM session") == 0);
      for (const char* id : {"a", "b"}) {
        REQUIRE(file->commit({.ticket = 1, .changes = {PutSession{id, 1, kAwake}}}));
        REQUIRE(file->checkpoint());
      }
      disk.fail_at(1, SQLITE_IOERR, UINT64_MAX);
    }
    Prng prng(seed);
    disk.cut_power(prng);
    auto file = Sqlite::open(kPath);
    REQUIRE(file);
    CHECK(file->load()->sessions.size() == 2);
  }
}

TEST_CASE("what the disk does not give is not taken for lost by who saves what can be read") {
  Disk disk;
  Chance chance(3);
  REQUIRE(Sqlite::open(kPath)->commit(chance.batch(1)));
  disk.fail_reads(100);
  const auto salvaged = Sqlite::salvage(kPath);
  REQUIRE_FALSE(salvaged);
  CHECK(salvaged.error().message.contains("/a.db: disk I/O error"));
}

}  // namespace mq::storage

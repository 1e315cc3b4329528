#include "storage/writer.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

#include "storage/database.hpp"
#include "support/disk.hpp"
#include "temporary.hpp"

using namespace mq;
using namespace mq::storage;
using support::TemporaryTree;

namespace {

Batch with_session(Ticket ticket, std::string id) {
  return {.ticket = ticket, .changes = {PutSession{std::move(id), 1, kAwake}}};
}

Sqlite opened(const std::string& path) {
  auto file = Sqlite::open(path);
  REQUIRE(file);
  return std::move(*file);
}

/// A writer, and what it tells.
class Told {
 public:
  explicit Told(const std::string& path, SyncPolicy policy = {})
      : writer(
            opened(path), policy,
            [this] {
              const std::lock_guard lock(mutex_);
              changed_.notify_one();
            },
            now) {}

  static Instant now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return Instant(std::chrono::duration_cast<Millis>(since));
  }

  void wait_until(const std::function<bool()>& is_so) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(20), is_so));
  }
  void wait_until_stored(Ticket ticket) {
    wait_until([&] { return writer.stored() >= ticket; });
  }
  void wait_for_trouble() {
    wait_until([&] { return !writer.trouble().empty(); });
  }
  void wait_until_all_is_well() {
    wait_until([&] { return writer.trouble().empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;

 public:
  Writer writer;
};

constexpr const char* kOnDisk = "/a.db";

}  // namespace

TEST_CASE("batches are stored in order, and the last ticket is told") {
  const TemporaryTree directory;
  for (const auto kind :
       {SyncPolicy::Kind::always, SyncPolicy::Kind::interval, SyncPolicy::Kind::off}) {
    const std::string path = directory / ("a" + std::to_string(static_cast<int>(kind)));
    Told told(path, {kind, Seconds(1)});
    for (Ticket ticket = 1; ticket <= 3; ++ticket) {
      told.writer.submit(with_session(ticket, "s" + std::to_string(ticket)));
    }
    told.wait_until_stored(3);
    CHECK(told.writer.close().empty());
    auto state = opened(path).load();
    REQUIRE(state);
    CHECK(state->sessions.size() == 3);
  }
}

TEST_CASE("closing stores what is on its way") {
  const TemporaryTree directory;
  {
    Writer writer(opened(directory / "a"), {}, nullptr, Told::now);
    for (Ticket ticket = 1; ticket <= 100; ++ticket) {
      writer.submit(with_session(ticket, "s" + std::to_string(ticket)));
    }
    CHECK(writer.close().empty());
    CHECK(writer.stored() == 100);
  }
  CHECK(opened(directory / "a").load()->sessions.size() == 100);
}

TEST_CASE("what the disk refuses is told, and tried again") {
  Disk disk;
  Told told(kOnDisk);
  disk.fail_at(1, SQLITE_FULL, 1);
  told.writer.submit(with_session(1, "a"));
  told.wait_for_trouble();
  CHECK(told.writer.trouble().contains("full"));
  CHECK(told.writer.stored() == 0);
  CHECK(told.writer.close().empty());
  CHECK(told.writer.stored() == 1);
}

TEST_CASE("closing gives up what the disk goes on to refuse, and says why") {
  Disk disk;
  Told told(kOnDisk);
  disk.fail_at(1, SQLITE_IOERR, UINT64_MAX);
  told.writer.submit(with_session(1, "a"));
  told.writer.submit(with_session(2, "b"));
  told.wait_for_trouble();
  CHECK(told.writer.close().contains("I/O error"));
  CHECK(told.writer.stored() == 0);
}

TEST_CASE("queues are read behind what was stored, also when nothing can be stored any more") {
  Disk disk;
  Told told(kOnDisk);
  told.writer.submit({.ticket = 1,
                      .changes = {PutSession{"a", 1, kAwake},
                                  PutMessage{1, {.topic = "t", .properties = {}, .payload = {}}},
                                  PutQueued{"a", 1, 1, 1, 0, 0}}});
  told.wait_until_stored(1);
  disk.fail_at(1, SQLITE_FULL, UINT64_MAX);
  told.writer.submit(with_session(2, "b"));
  told.wait_for_trouble();
  told.writer.load({.number = 7, .client_id = "a", .first = 1});
  std::vector<Page> pages;
  told.wait_until([&] {
    pages = told.writer.take_pages();
    return !pages.empty();
  });
  REQUIRE(pages.size() == 1);
  CHECK(pages[0].number == 7);
  REQUIRE(pages[0].entries.size() == 1);
  CHECK(pages[0].entries[0].body.topic == "t");
}

TEST_CASE("a checkpoint moves into the main file what is committed; one that fails is told") {
  Disk disk;
  Told told(kOnDisk);
  told.writer.submit(with_session(1, "a"));
  told.wait_until_stored(1);
  disk.fail_at(1, SQLITE_FULL, 1);
  told.writer.request_checkpoint();
  told.wait_for_trouble();
  told.writer.request_checkpoint();
  told.wait_until_all_is_well();
}

TEST_CASE("a read that fails is told, tried again, and the trouble is over") {
  Disk disk;
  {
    Told told(kOnDisk);
    told.writer.submit({.ticket = 1,
                        .changes = {PutSession{"a", 1, kAwake},
                                    PutMessage{1, {.topic = "t", .properties = {}, .payload = {}}},
                                    PutQueued{"a", 1, 1, 1, 0, 0}}});
    told.wait_until_stored(1);
  }
  Told told(kOnDisk);
  told.writer.submit(with_session(2, "b"));
  told.wait_until_stored(2);  // it waits for us, and has read nothing of the queue yet
  disk.fail_reads(1);
  told.writer.load({.number = 5, .client_id = "a", .first = 1});
  told.wait_for_trouble();
  CHECK(told.writer.trouble().contains("I/O error"));
  std::vector<Page> pages;
  told.wait_until([&] { return !(pages = told.writer.take_pages()).empty(); });
  CHECK(pages.at(0).entries.size() == 1);
  CHECK(told.writer.trouble().empty());
}

TEST_CASE("what is committed comes to the disk in time, also when there is work without end") {
  Disk disk;
  {
    Told told(kOnDisk, {SyncPolicy::Kind::interval, Seconds(1)});
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);
    for (Ticket ticket = 1; std::chrono::steady_clock::now() < end; ++ticket) {
      told.writer.submit(with_session(ticket, ticket == 1 ? "first" : "other"));
      told.wait_until_stored(ticket);
    }
    disk.fail_at(1, SQLITE_IOERR, UINT64_MAX);
  }
  Prng prng(1);
  disk.cut_power(prng);
  CHECK(opened(kOnDisk).load()->sessions.contains("first"));
}

TEST_CASE("a queue that cannot be read keeps nobody waiting") {
  const TemporaryTree directory;
  const std::string path = directory / "a.db";
  Told told(path);
  told.writer.submit({.ticket = 1,
                      .changes = {PutSession{"a", 1, kAwake},
                                  PutMessage{1, {.topic = "t", .properties = {}, .payload = {}}},
                                  PutQueued{"a", 1, 1, 1, 0, 0}}});
  told.wait_until_stored(1);
  Database(path, SQLITE_OPEN_READWRITE).run("UPDATE chunk SET entries = x'00'");
  told.writer.load({.number = 5, .client_id = "a", .first = 1, .bodies = {}, .window = {10, 10}});
  std::vector<Page> pages;
  told.wait_until([&] { return !(pages = told.writer.take_pages()).empty(); });
  CHECK(pages.at(0).entries.empty());
  told.writer.submit(with_session(2, "b"));
  told.wait_until_stored(2);
  CHECK(told.writer.trouble().empty());
}

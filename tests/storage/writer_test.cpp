#include "storage/writer.hpp"

#include <doctest/doctest.h>

#include <future>
#include <string>

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

}  // namespace

TEST_CASE("batches are stored in order, and the last ticket is told") {
  const TemporaryTree directory;
  for (const auto kind :
       {SyncPolicy::Kind::always, SyncPolicy::Kind::interval, SyncPolicy::Kind::off}) {
    const std::string path = directory / ("a" + std::to_string(static_cast<int>(kind)));
    std::promise<void> done;
    Writer* told = nullptr;
    std::promise<void> made;
    const auto is_made = made.get_future().share();
    Writer writer(opened(path), {kind, Seconds(1)}, [&] {
      is_made.wait();
      if (told->stored() == 3) done.set_value();
    });
    told = &writer;
    made.set_value();
    for (Ticket ticket = 1; ticket <= 3; ++ticket) {
      writer.submit(with_session(ticket, "s" + std::to_string(ticket)));
    }
    REQUIRE(done.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    CHECK(writer.close().empty());
    auto state = opened(path).load();
    REQUIRE(state);
    CHECK(state->sessions.size() == 3);
  }
}

TEST_CASE("closing stores what is on its way") {
  const TemporaryTree directory;
  {
    Writer writer(opened(directory / "a"), {}, nullptr);
    for (Ticket ticket = 1; ticket <= 100; ++ticket) {
      writer.submit(with_session(ticket, "s" + std::to_string(ticket)));
    }
    CHECK(writer.close().empty());
    CHECK(writer.stored() == 100);
  }
  CHECK(opened(directory / "a").load()->sessions.size() == 100);
}

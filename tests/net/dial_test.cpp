#include "net/dial.hpp"

#include <doctest/doctest.h>

#include <future>
#include <optional>
#include <string>

#include "loopback.hpp"

using namespace mq;
using namespace mq::net;
using support::LoopbackListener;

namespace {

/// What comes of an attempt: "connected", or the words of the failure.
std::string outcome(const client::Endpoint& endpoint) {
  Loop loop;
  std::string words;
  std::optional<Dial> dial;
  dial.emplace(loop, endpoint, [&](std::expected<LinkPtr, Error> result) {
    words = result ? "connected" : result.error().message;
    dial.reset();
  });
  loop.run();
  return words;
}

/// A port that nobody listens on.
std::uint16_t free_port() {
  return LoopbackListener().port();
}

}  // namespace

TEST_CASE("an address is connected to without asking a resolver") {
  const LoopbackListener listener;
  CHECK(outcome({.host = "127.0.0.1", .port = listener.port(), .unix_path = {}}) == "connected");
}

TEST_CASE("localhost is this machine, by whichever of its addresses answers") {
  const LoopbackListener listener;  // on 127.0.0.1 only
  CHECK(outcome({.host = "localhost", .port = listener.port(), .unix_path = {}}) == "connected");
}

TEST_CASE("a name is resolved") {
  const LoopbackListener listener;
  // What looks like an address is a name to all but the resolver, and no network is asked.
  CHECK(outcome({.host = "127.1", .port = listener.port(), .unix_path = {}}) == "connected");
}

TEST_CASE("a refused connection names host, port, the addresses tried and the reason") {
  const auto port = free_port();
  const std::string number = std::to_string(port);
  CHECK(outcome({.host = "127.0.0.1", .port = port, .unix_path = {}}) ==
        "cannot connect to 127.0.0.1 port " + number + ": connection refused");
  CHECK(outcome({.host = "localhost", .port = port, .unix_path = {}}) ==
        "cannot connect to localhost port " + number + " (127.0.0.1, ::1): connection refused");
  CHECK(outcome({.host = "127.1", .port = port, .unix_path = {}}) ==
        "cannot connect to 127.1 port " + number + " (127.0.0.1): connection refused");
}

TEST_CASE(
    "an address to connect from that is not ours is the reason, whatever else there is to try") {
  CHECK(
      outcome(
          {.host = "localhost", .port = free_port(), .unix_path = {}, .bind_address = "192.0.2.1"})
          .ends_with("(127.0.0.1, ::1) from 192.0.2.1: address not available"));
}

TEST_CASE("a name that cannot be resolved is named") {
  const std::string words = outcome({.host = "not..a..name", .port = 1883, .unix_path = {}});
  CHECK(words.starts_with("cannot connect to not..a..name port 1883: "));
  const std::string long_name(300, 'x');
  CHECK(outcome({.host = long_name, .port = 1, .unix_path = {}})
            .starts_with("cannot connect to " + long_name));
}

TEST_CASE("a Unix socket is connected to; one that is not there is named") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "socket";
  CHECK(outcome({.unix_path = path}) ==
        "cannot connect to Unix socket " + path + ": no such file or directory");
  const support::Socket server(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  REQUIRE(bind(server.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(listen(server.descriptor(), 1) == 0);
  CHECK(outcome({.unix_path = path}) == "connected");
  CHECK(outcome({.unix_path = std::string(200, 'x')}).contains("name too long"));
}

TEST_CASE("who is done does not wait for what cannot be cancelled") {
  std::promise<void> end;
  Loop loop;
  uv_work_t work{};
  work.data = &end;
  uv_queue_work(
      loop.handle(), &work,
      [](uv_work_t* request) {
        static_cast<std::promise<void>*>(request->data)->get_future().wait();
      },
      [](uv_work_t*, int) {});
  CHECK_FALSE(loop.run_until([] { return true; }));
  end.set_value();
  CHECK(loop.run_until([] { return false; }));
}

TEST_CASE("an attempt can be abandoned at any moment, and then says nothing") {
  const LoopbackListener listener;
  for (const auto* host : {"127.0.0.1", "localhost", "127.1"}) {
    Loop loop;
    bool is_answered = false;
    std::optional<Dial> dial;
    dial.emplace(loop, client::Endpoint{.host = host, .port = listener.port(), .unix_path = {}},
                 [&](const std::expected<LinkPtr, Error>&) { is_answered = true; });
    SUBCASE("before the loop has begun") {
      dial.reset();
    }
    SUBCASE("while it resolves or connects") {
      uv_run(loop.handle(), UV_RUN_NOWAIT);
      dial.reset();
    }
    const bool was_answered = is_answered;
    loop.run();
    CHECK(is_answered == was_answered);
  }
}

#include "net/client_driver.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "loopback.hpp"
#include "wire/encode.hpp"

using namespace mq;
using namespace mq::net;
using support::LoopbackListener;
using support::Socket;

namespace {

constexpr std::array<Byte, 4> kConnack{0x20, 2, 0, 0};
constexpr std::array<Byte, 2> kDisconnect{0xE0, 0};

/// An application that is told every event and ends when the core has.
class Application final : public client::Application {
 public:
  using Handler = std::function<void(const client::Event&, Now)>;
  Application(client::Core& core, Handler handler) : core_(core), handler_(std::move(handler)) {}

  void on_events(Now now) override {
    while (const auto event = core_.next_event(now)) {
      const auto* lost = std::get_if<client::Lost>(&*event);
      is_done_ = is_done_ || std::holds_alternative<client::Ended>(*event) ||
                 (lost != nullptr && lost->retry_at == kNever);
      handler_(*event, now);
    }
  }
  void on_interrupt(int, Now now) override {
    core_.disconnect(wire::ReasonCode::normal_disconnection, now);
  }
  bool is_done() const override { return is_done_; }

 private:
  client::Core& core_;
  Handler handler_;
  bool is_done_ = false;
};

/// Interrupts a driver from the loop as soon as it is told to.
class Interruption {
 public:
  Interruption(Loop& loop, ClientDriver& driver)
      : driver_(driver), descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    MQ_CHECK(uv_poll_init(loop.handle(), &poll_, descriptor_) == 0);
    poll_.data = this;
    uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
      auto& self = *static_cast<Interruption*>(poll->data);
      self.driver_.interrupt(SIGINT);
      uv_close(reinterpret_cast<uv_handle_t*>(poll), nullptr);
    });
  }
  ~Interruption() { close(descriptor_); }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  void come() { MQ_CHECK(eventfd_write(descriptor_, 1) == 0); }

 private:
  ClientDriver& driver_;
  uv_poll_t poll_{};
  int descriptor_;
};

/// Whether the only TCP connection of a loop can be written to.
bool has_room_to_send(Loop& loop) {
  pollfd connection{.fd = -1, .events = POLLOUT, .revents = 0};
  uv_walk(
      loop.handle(),
      [](uv_handle_t* handle, void* descriptor) {
        if (handle->type == UV_TCP) uv_fileno(handle, static_cast<int*>(descriptor));
      },
      &connection.fd);
  return poll(&connection, 1, 0) == 1;
}

/// Publishes at the end of a turn, and only when all that it published before has gone out.
class OneByOne final : public client::Application {
 public:
  OneByOne(client::Core& core, int count) : core_(core), left_(count) {}

  void on_events(Now now) override {
    while (const auto event = core_.next_event(now)) {
      const auto* lost = std::get_if<client::Lost>(&*event);
      is_done_ = is_done_ || lost != nullptr || std::holds_alternative<client::Ended>(*event);
      if (std::holds_alternative<client::Settled>(*event)) is_under_way_ = false;
    }
  }
  void on_turn_end(Now now) override {
    if (!core_.is_connected() || is_under_way_ || left_ < 0) return;
    if (left_-- == 0) return core_.disconnect(wire::ReasonCode::normal_disconnection, now);
    is_under_way_ = core_.publish({.topic = "a", .properties = {}, .payload = {}}, now).has_value();
  }
  bool is_done() const override { return is_done_; }

 private:
  client::Core& core_;
  int left_;
  bool is_under_way_ = false;
  bool is_done_ = false;
};

/// Of all events only the end has a name.
Application::Handler tell_end_to(std::string& story) {
  return [&story](const client::Event& event, Now) {
    story += std::holds_alternative<client::Ended>(event) ? "ended" : "something ";
  };
}

client::Endpoint at(std::uint16_t port) {
  return {.host = "127.0.0.1", .port = port, .unix_path = {}};
}

void expect_connect(const Socket& peer) {
  const auto connect = peer.read();
  MQ_CHECK(!connect.empty() && connect[0] == 0x10);
  peer.write(kConnack);
}

void publish(client::Core& core, std::string_view payload, Now now) {
  const auto ticket =
      core.publish({.topic = "a", .properties = {}, .payload = bytes_of(payload)}, now);
  MQ_CHECK(ticket.has_value());
}

}  // namespace

TEST_CASE(
    "what is published arrives in full before the goodbye, also what no socket holds at once") {
  const LoopbackListener listener;
  std::vector<Byte> received;
  std::jthread server([&] {
    const Socket peer = listener.accept();
    expect_connect(peer);
    received = peer.read_to_end();
  });
  client::Settings settings;
  settings.queued_bytes_max = 100U << 20U;
  client::Core core(settings, Prng(1));
  const std::string payload(5U << 20U, 'x');
  Application application(core, [&](const client::Event& event, Now now) {
    if (!std::holds_alternative<client::Connected>(event)) return;
    for (int i = 0; i < 5; ++i) publish(core, payload, now);
    core.disconnect(wire::ReasonCode::normal_disconnection, now);
  });
  Loop loop;
  ClientDriver driver(loop, core, application, at(listener.port()));
  driver.start();
  loop.run();
  server.join();
  CHECK(application.is_done());
  const std::size_t packet = 1 + 4 + 3 + payload.size();
  CHECK(received.size() == 5 * packet + kDisconnect.size());
  CHECK(std::equal(kDisconnect.begin(), kDisconnect.end(), received.end() - 2));
}

TEST_CASE("who publishes more when there is room is asked again as soon as there is") {
  const LoopbackListener listener;
  std::vector<Byte> received;
  std::jthread server([&] {
    const Socket peer = listener.accept();
    expect_connect(peer);
    received = peer.read_to_end();
  });
  client::Core core({}, Prng(1));
  OneByOne application(core, 100);
  Loop loop;
  ClientDriver driver(loop, core, application, at(listener.port()));
  driver.start();
  loop.run();
  server.join();
  const std::size_t packet = 1 + 1 + 3;
  CHECK(received.size() == 100 * packet + kDisconnect.size());
}

TEST_CASE("a server that does not close after the goodbye is waited for, but not for ever") {
  const LoopbackListener listener;
  std::jthread server;
  client::Core core({}, Prng(1));
  Application application(core, [&](const client::Event& event, Now now) {
    if (std::holds_alternative<client::Connected>(event)) {
      core.disconnect(wire::ReasonCode::normal_disconnection, now);
    }
  });
  Loop loop;
  ClientDriver driver(loop, core, application, at(listener.port()));
  std::optional<Socket> held;
  server = std::jthread([&] {
    held.emplace(listener.accept());
    expect_connect(*held);
  });
  const Instant start = loop.now().steady;
  driver.start();
  loop.run();
  CHECK(application.is_done());
  CHECK(loop.now().steady - start < Seconds(10));
}

TEST_CASE("a large message is read in full") {
  const LoopbackListener listener;
  const std::string payload(5U << 20U, 'y');
  std::jthread server([&] {
    const Socket peer = listener.accept();
    expect_connect(peer);
    std::vector<Byte> bytes;
    wire::encode(wire::Publish{.topic = "a", .properties = {}, .payload = bytes_of(payload)},
                 wire::Version::v311, bytes);
    for (int i = 0; i < 3; ++i) peer.write(bytes);
    peer.read_to_end();
  });
  client::Core core({}, Prng(1));
  int arrived = 0;
  Application application(core, [&](const client::Event& event, Now now) {
    const auto* message = std::get_if<client::Arrived>(&event);
    if (message == nullptr) return;
    CHECK(text_of(message->message.payload) == payload);
    if (++arrived == 3) core.disconnect(wire::ReasonCode::normal_disconnection, now);
  });
  Loop loop;
  ClientDriver driver(loop, core, application, at(listener.port()));
  driver.start();
  loop.run();
  CHECK(arrived == 3);
}

TEST_CASE("after a loss the driver dials again when the core wants it") {
  const LoopbackListener listener;
  std::jthread server([&] {
    for (int i = 0; i < 3; ++i) {
      const Socket peer = listener.accept();
      expect_connect(peer);
      if (i == 2) peer.read_to_end();
    }
  });
  client::Settings settings;
  settings.retry_first = settings.retry_max = Millis(1);
  client::Core core(settings, Prng(1));
  std::string story;
  Application application(core, [&](const client::Event& event, Now now) {
    if (std::holds_alternative<client::Connected>(event)) {
      story += "connected ";
      if (story == "connected lost connected lost connected ") {
        core.disconnect(wire::ReasonCode::normal_disconnection, now);
      }
    }
    if (std::holds_alternative<client::Lost>(event)) story += "lost ";
    if (std::holds_alternative<client::Ended>(event)) story += "ended";
  });
  Loop loop;
  ClientDriver driver(loop, core, application, at(listener.port()));
  driver.start();
  loop.run();
  CHECK(story == "connected lost connected lost connected ended");
}

TEST_CASE("several connections share a loop") {
  const LoopbackListener listener;
  std::jthread server([&] {
    std::vector<Socket> peers;
    for (int i = 0; i < 3; ++i) peers.push_back(listener.accept());
    for (const auto& peer : peers) expect_connect(peer);
    for (const auto& peer : peers) peer.read_to_end();
  });
  Loop loop;
  std::vector<std::unique_ptr<client::Core>> cores;
  std::vector<std::unique_ptr<Application>> applications;
  std::vector<std::unique_ptr<ClientDriver>> drivers;
  for (int i = 0; i < 3; ++i) {
    client::Core& core =
        *cores.emplace_back(std::make_unique<client::Core>(client::Settings{}, Prng(1)));
    applications.push_back(
        std::make_unique<Application>(core, [&core](const client::Event& event, Now now) {
          if (std::holds_alternative<client::Connected>(event)) {
            core.disconnect(wire::ReasonCode::normal_disconnection, now);
          }
        }));
    drivers.push_back(
        std::make_unique<ClientDriver>(loop, core, *applications.back(), at(listener.port())));
    drivers.back()->start();
  }
  loop.run();
  for (const auto& application : applications) CHECK(application->is_done());
}

TEST_CASE("a first connection that fails ends the loop") {
  client::Core core({}, Prng(1));
  std::string words;
  Application application(core, [&](const client::Event& event, Now) {
    if (const auto* lost = std::get_if<client::Lost>(&event)) words = lost->words;
  });
  const std::uint16_t port = LoopbackListener().port();
  Loop loop;
  ClientDriver driver(loop, core, application, at(port));
  driver.start();
  loop.run();
  CHECK(words.ends_with("connection refused"));
}

TEST_CASE("a driver can go while it is connected, and while it dials") {
  const LoopbackListener listener;
  for (const bool is_connected : {false, true}) {
    client::Core core({}, Prng(1));
    Application application(core, [](const client::Event&, Now) {});
    Loop loop;
    ClientDriver driver(loop, core, application, at(listener.port()));
    driver.start();
    for (int turns = 0; is_connected && core.next_deadline() != kNever && turns < 5; ++turns) {
      uv_run(loop.handle(), UV_RUN_NOWAIT);
    }
    CHECK_FALSE(application.is_done());
  }
}

TEST_CASE("an interrupt in the moment of being connected is no start") {
  const LoopbackListener listener;
  client::Core core({}, Prng(1));
  std::string story;
  Application application(core, tell_end_to(story));
  Loop loop;
  ClientDriver driver(loop, core, application, at(listener.port()));
  Interruption interruption(loop, driver);
  interruption.come();
  driver.start();
  loop.run();
  CHECK(story == "ended");
}

TEST_CASE("an interrupt ends a CONNECT that no socket holds at once, in the middle") {
  client::Settings settings;
  settings.version = wire::Version::v5;
  const std::string value(60'000, 'v');
  for (int i = 0; i < 400; ++i) settings.properties.add_user("key", value);
  for (const bool is_interrupted_first : {false, true}) {
    const LoopbackListener listener;
    client::Core core(settings, Prng(1));
    std::string story;
    Application application(core, tell_end_to(story));
    Loop loop;
    ClientDriver driver(loop, core, application, at(listener.port()));
    Interruption interruption(loop, driver);
    driver.start();
    while (!core.has_output()) uv_run(loop.handle(), UV_RUN_ONCE);
    const Socket peer = listener.accept();
    for (int turns = 0; turns < 5; ++turns) uv_run(loop.handle(), UV_RUN_NOWAIT);
    REQUIRE(core.has_output());
    if (is_interrupted_first) interruption.come();
    std::size_t received = 0;
    while (!has_room_to_send(loop)) received += peer.read().size();
    if (!is_interrupted_first) interruption.come();
    loop.run();
    CHECK(story == "ended");
    received += peer.read_to_end().size();
    CHECK(received > 0);
    CHECK(received < 400 * value.size());
  }
}

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "loopback.hpp"
#include "net/broker_driver.hpp"
#include "net/machine.hpp"
#include "storage/memory.hpp"
#include "wire/decode.hpp"
#include "wire/encode.hpp"
#include "wire/framer.hpp"

using namespace mq;
using net::BrokerDriver;

namespace {

struct Broker {
  broker::Core core;
  broker::ConnectionId newest{};  ///< who has come in
  BrokerDriver driver{core, [this](const broker::Fact& fact, const std::string&) { hear(fact); },
                      nullptr};

  explicit Broker(const broker::Config& config = {}) : core(config, net::now()) {}

 private:
  void hear(const broker::Fact& fact) {
    if (const auto* came = std::get_if<broker::fact::Connected>(&fact)) newest = came->connection;
  }
};

/// It reads nobody who has sent what is not stored.
struct KeepingBroker {
  broker::Core core;
  BrokerDriver driver{core, nullptr, nullptr};
  storage::Memory store;  ///< commits when it is told to
  std::uint16_t port = 0;

  explicit KeepingBroker(Millis persistence_delay = broker::Config().persistence_delay)
      : core(config_with(persistence_delay), net::now()) {
    driver.keep_in(store, [](const std::string&) {});
    const auto bound = driver.listen(0, "127.0.0.1", 0);
    REQUIRE(bound.has_value());
    port = bound->front().port;
  }

 private:
  static broker::Config config_with(Millis persistence_delay) {
    broker::Config config;
    config.persistence = true;
    config.persistence_delay = persistence_delay;
    config.max_unstored_bytes = 1;
    return config;
  }
};

/// MQTT 3.1.1, of a client id of one letter.
std::array<Byte, 15> connect_as(Byte id, bool is_clean = true) {
  return {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, is_clean ? Byte{2} : Byte{0}, 0, 0, 0, 1, id};
}

/// What has come since, and whether the other side has ended the connection in whatever way.
bool take(const support::Socket& client, std::vector<Byte>& received, std::size_t most = SIZE_MAX) {
  std::array<Byte, 60'000> room{};
  ssize_t size = 1;
  for (std::size_t taken = 0; taken < most && size > 0; taken += room.size()) {
    size = recv(client.descriptor(), room.data(), room.size(), MSG_DONTWAIT);
    if (size > 0) received.insert(received.end(), room.data(), room.data() + size);
  }
  return size == 0 || (size < 0 && errno != EAGAIN);
}

/// Of MQTT 3.1.1, to what the broker itself tells.
std::vector<Byte> subscribe_to_much() {
  std::vector<Byte> bytes;
  wire::Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.subscriptions = {{"$SYS/broker/much", {}}};
  wire::encode(subscribe, wire::Version::v311, bytes);
  return bytes;
}
constexpr std::size_t kAnswers = 4 + 5;  // CONNACK and SUBACK

std::vector<Byte> published(wire::Version version, std::size_t size) {
  const std::vector<Byte> payload(size);
  std::vector<Byte> bytes;
  wire::encode(wire::Publish{.topic = "t", .properties = {}, .payload = payload}, version, bytes);
  return bytes;
}

}  // namespace

TEST_CASE("a listener for this machine has the same port on each of its addresses") {
  Broker broker;
  for (int i = 0; i < 20; ++i) {
    const auto bound = broker.driver.listen_loopback(0, 0);
    REQUIRE(bound.has_value());
    REQUIRE_FALSE(bound->empty());
    CHECK(bound->front().address == "127.0.0.1");
    CHECK(bound->front().port != 0);
    CHECK(bound->back().port == bound->front().port);
  }
}

TEST_CASE("a port in use is named, with the way out, and nothing of the listener stays open") {
  Broker first;
  net::ListenOptions v6{.family = net::Family::ipv6};
  const auto taken = first.driver.listen_loopback(0, 0, v6);
  if (!taken) return;  // no IPv6 here
  Broker second;
  const auto port = taken->front().port;
  const auto refused = second.driver.listen_loopback(0, port);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.starts_with("cannot listen on ::1 port " + std::to_string(port) +
                                            ": address already in use (is another"));
  Broker third;
  CHECK(third.driver.listen_loopback(0, port, {.family = net::Family::ipv4}).has_value());
}

TEST_CASE("a listener of one family has no address of the other") {
  Broker broker;
  const auto bound = broker.driver.listen(0, "localhost", 0, {.family = net::Family::ipv4});
  REQUIRE(bound.has_value());
  REQUIRE(bound->size() == 1);
  CHECK(bound->front().address == "127.0.0.1");
  const auto none = broker.driver.listen(0, "127.0.0.1", 0, {.family = net::Family::ipv6});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message ==
        "cannot listen on 127.0.0.1: that is no ipv6 address (see socket_domain)");
}

TEST_CASE("a host that is nobody's is named") {
  Broker broker;
  const auto bound = broker.driver.listen(0, "no.such.host.invalid", 0);
  REQUIRE_FALSE(bound.has_value());
  CHECK(bound.error().message.starts_with("cannot listen on no.such.host.invalid: "));
}

TEST_CASE("above max_unstored_bytes clients are not read until the store has caught up") {
  KeepingBroker broker;
  auto& [core, driver, store, port] = broker;
  const auto client = support::dial_loopback(port);
  client.write(connect_as('p'));
  const auto publish = [&client](Byte id) {
    client.write(std::array<Byte, 8>{0x33, 6, 0, 1, 't', 0, id, 'x'});
  };
  publish(1);
  int turns = 0;
  std::uint64_t read_meanwhile = 0;
  driver.every(Millis(1), [&] {
    const auto read = core.stats().publish_received;
    if (read == 0) return;
    if (++turns == 1) publish(2);
    if (turns < 50) return;
    if (turns == 50) read_meanwhile = read;
    while (store.commit()) driver.on_store_news();
    if (read == 2 || turns == 5000) driver.stop();
  });
  driver.run();
  CHECK(read_meanwhile == 1);
  CHECK(core.stats().publish_received == 2);
}

TEST_CASE("who is not read because of the store is heard before another gets its client id") {
  KeepingBroker broker;
  auto& [core, driver, store, port] = broker;
  constexpr std::array<Byte, 6> kPublish{0x31, 4, 0, 1, 't', 'x'};
  const auto older = support::dial_loopback(port);
  older.write(connect_as('p'));
  older.write(kPublish);
  const auto newer = support::dial_loopback(port);
  int turns = 0;
  driver.every(Millis(1), [&] {
    if (core.stats().publish_received == 0) return;
    if (++turns == 1) {
      older.write(kPublish);
      newer.write(connect_as('p'));
    }
    if (turns < 10) return;
    while (store.commit()) driver.on_store_news();
    if (core.stats().publish_received == 2 || turns == 5000) driver.stop();
  });
  driver.run();
  CHECK(core.stats().publish_received == 2);
}

TEST_CASE("who is not read because of the store is read again when nothing is to be stored") {
  KeepingBroker broker(Seconds(60));
  auto& [core, driver, store, port] = broker;
  const auto subscriber = support::dial_loopback(port);
  subscriber.write(connect_as('s', false));
  subscriber.write(std::array<Byte, 8>{0x82, 6, 0, 1, 0, 1, 't', 1});
  const auto publisher = support::dial_loopback(port);
  int turns = 0;
  bool has_published = false;
  bool is_acknowledged = false;
  driver.every(Millis(1), [&] {
    while (store.commit()) driver.on_store_news();
    const auto& stats = core.stats();
    if (core.subscription_count() == 1 && !std::exchange(has_published, true)) {
      publisher.write(connect_as('p'));
      publisher.write(std::array<Byte, 8>{0x32, 6, 0, 1, 't', 0, 1, 'x'});
    }
    if (stats.publish_received == 1 && !std::exchange(is_acknowledged, true)) {
      publisher.write(std::array<Byte, 6>{0x30, 4, 0, 1, 't', 'y'});
      subscriber.write(std::array<Byte, 4>{0x40, 2, 0, 1});
    }
    if (stats.publish_received == 2 || ++turns == 5000) driver.stop();
  });
  driver.run();
  CHECK(core.stats().publish_received == 2);
}

TEST_CASE("what was not read of somebody with much to say is told when another gets its id") {
  broker::Config config;
  config.listeners[0].max_publish_rate = 1;
  broker::Core core(config, net::now());
  std::uint64_t unread = 0;
  bool is_taken_over = false;
  BrokerDriver driver(
      core,
      [&](const broker::Fact& fact, const std::string&) {
        if (const auto* told = std::get_if<broker::fact::Unread>(&fact)) unread += told->bytes;
        const auto* ended = std::get_if<broker::fact::Ended>(&fact);
        is_taken_over =
            is_taken_over || (ended != nullptr && ended->end == broker::fact::End::taken_over);
      },
      nullptr);
  const auto bound = driver.listen(0, "127.0.0.1", 0);
  REQUIRE(bound.has_value());
  const auto older = support::dial_loopback(bound->front().port);
  older.write(connect_as('p'));
  constexpr std::array<Byte, 5> kPublish{0x30, 3, 0, 1, 't'};
  std::vector<Byte> messages(600'000 * kPublish.size());
  for (std::size_t i = 0; i < messages.size(); ++i) messages[i] = kPublish[i % kPublish.size()];
  std::jthread flood([&] { older.write(messages); });
  const auto newer = support::dial_loopback(bound->front().port);
  int turns = 0;
  int turns_heard = 0;
  driver.every(Millis(1), [&] {
    if (core.stats().publish_received > 0 && ++turns_heard == 50) newer.write(connect_as('p'));
    if (is_taken_over || ++turns == 5000) driver.stop();
  });
  driver.run();
  shutdown(older.descriptor(), SHUT_RDWR);
  CHECK(is_taken_over);
  CHECK(unread > 0);
}

TEST_CASE("a password that is being verified when things change is verified again") {
  broker::Config config;
  config.listeners[0].has_passwords = true;
  broker::Core core(config, net::now());
  BrokerDriver driver(core, nullptr, nullptr);
  std::latch is_running(1);
  std::latch has_changed(1);
  std::atomic<int> verified = 0;
  driver.verify_with([&](const broker::Verification&) {
    return [&] {
      const bool is_first = ++verified == 1;
      if (is_first) is_running.count_down();
      has_changed.wait();
      return is_first;
    };
  });
  bool is_refused = false;
  const auto tell = [&](const broker::Fact& fact, const std::string&) {
    is_refused = is_refused || std::holds_alternative<broker::fact::Refused>(fact);
    driver.stop();
  };
  driver.tell(tell, nullptr);
  const auto bound = driver.listen(0, "127.0.0.1", 0);
  REQUIRE(bound.has_value());
  const auto client = support::dial_loopback(bound->front().port);
  client.write(std::array<Byte, 18>{0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 4, 0x82, 0, 0, 0, 1, 'p', 0,
                                    1, 'u'});
  driver.every(Millis(1), [&] {
    if (!is_running.try_wait() || has_changed.try_wait()) return;
    driver.verify_again();
    has_changed.count_down();
  });
  driver.run();
  CHECK(verified == 2);
  CHECK(is_refused);
}

TEST_CASE("who is gone before it is let in is told by its address") {
  Broker broker;
  std::string told;
  const auto tell = [&](const broker::Fact&, const std::string& peer) {
    told = peer;
    broker.driver.stop();
  };
  broker.driver.tell(tell, nullptr);
  const auto bound = broker.driver.listen(0, "127.0.0.1", 0);
  REQUIRE(bound.has_value());
  const std::string port = std::to_string(bound->front().port);
  {
    const auto client = support::dial_loopback(bound->front().port);
    const linger at_once{.l_onoff = 1, .l_linger = 0};  // as HAProxy ends its health checks
    setsockopt(client.descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  broker.driver.run();
  CHECK(told.starts_with("127.0.0.1:"));
  CHECK(told.ends_with(" on port " + port));
}

TEST_CASE("without any file descriptor who is there is served, and who waits comes in later") {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{.rlim_cur = 3, .rlim_max = limit.rlim_max};
  for (const bool is_leaving : {false, true}) {
    CAPTURE(is_leaving);
    Broker broker;
    const auto bound = broker.driver.listen(0, "127.0.0.1", 0);
    REQUIRE(bound.has_value());
    std::string story;
    broker.driver.tell_shortage([&](BrokerDriver::Shortage shortage) {
      story += shortage == BrokerDriver::Shortage::begins ? "begins " : "ends";
    });
    const auto older = support::dial_loopback(bound->front().port);
    older.write(connect_as('a'));
    const support::Socket newer(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    std::vector<Byte> received;
    std::vector<Byte> late;
    bool is_served = false;
    bool is_gone = false;
    broker.driver.every(Millis(1), [&] {
      is_gone = take(older, received) || is_gone;
      if (story.empty() && received.size() == 4) {
        received.clear();
        setrlimit(RLIMIT_NOFILE, &none);
        support::connect_loopback(newer, bound->front().port);
        newer.write(connect_as('b'));
      } else if (story == "begins " && !is_served && received.empty()) {
        older.write(std::array<Byte, 2>{0xC0, 0});
      } else if (!is_served && received.size() >= 2) {
        is_served = true;
        if (is_leaving) older.write(std::array<Byte, 2>{0xE0, 0});
      } else if (is_served && is_gone == is_leaving) {
        setrlimit(RLIMIT_NOFILE, &limit);
        if (take(newer, late) || late.size() == 4) broker.driver.stop();
      }
    });
    broker.driver.run();
    setrlimit(RLIMIT_NOFILE, &limit);
    CHECK(story == "begins ends");
    CHECK(is_served);
    CHECK(late.size() == 4);
  }
}

TEST_CASE("not more of those above their rate have to go at once than make some room") {
  broker::Config config;
  config.listeners[0].max_publish_rate = 1;
  Broker broker(config);
  const auto bound = broker.driver.listen(0, "127.0.0.1", 0);
  REQUIRE(bound.has_value());
  std::string story;
  broker.driver.tell_shortage([&](BrokerDriver::Shortage shortage) {
    story += shortage == BrokerDriver::Shortage::begins ? "begins " : "ends";
  });
  const int little = 1 << 15;
  std::vector<support::Socket> fast;
  std::vector<support::Socket> newcomers;
  for (Byte id = 'a'; id < 'k'; ++id) {
    fast.push_back(support::dial_loopback(bound->front().port));
    setsockopt(fast.back().descriptor(), SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
    fast.back().write(connect_as(id));
    newcomers.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  std::vector<Byte> messages;
  for (int i = 0; i < 10'000; ++i) messages.insert(messages.end(), {0x30, 3, 0, 1, 't'});
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  bool is_short = false;
  std::ptrdiff_t gone = 0;
  std::ptrdiff_t turned_away = 0;
  std::vector<Byte> received;
  const auto is_over = [&](const support::Socket& client) { return take(client, received); };
  broker.driver.every(Millis(1), [&] {
    gone = std::ranges::count_if(fast, is_over);
    if (is_short) {
      turned_away = std::ranges::count_if(newcomers, is_over);
      if (gone + turned_away >= 10) broker.driver.stop();
      return;
    }
    for (const auto& client : fast) {
      while (send(client.descriptor(), messages.data(), messages.size(),
                  MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
        is_short = true;
      }
    }
    is_short = !is_short && received.size() >= 4 * fast.size();
    if (!is_short) return;
    const int free = dup(0);
    close(free);
    const rlimit full{.rlim_cur = static_cast<rlim_t>(free), .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &full);
    for (const auto& client : newcomers) support::connect_loopback(client, bound->front().port);
  });
  broker.driver.run();
  setrlimit(RLIMIT_NOFILE, &limit);
  CHECK(gone == 1);
  CHECK(turned_away == 9);
  CHECK(story == "begins ");
}

TEST_CASE("who takes what he is sent but slowly is read now and then") {
  broker::Config config;
  config.max_unread_bytes = 1'000'000;
  Broker broker(config);
  const support::TemporaryDirectory directory;
  REQUIRE(broker.driver.listen_unix(0, directory / "socket").has_value());
  const auto client = support::dial_unix(directory / "socket");
  client.write(connect_as('s'));
  client.write(subscribe_to_much());
  const std::string message(600, 'x');
  std::vector<Byte> received;
  int pings = 0;
  int patience = 3000;
  broker.driver.every(Millis(1), [&] {
    take(client, received, 60'000);
    if (received.size() < kAnswers) return;
    for (int i = 0; i < (pings == 0 ? 3000 : 300); ++i) {
      broker.core.tell_sys("much", message, net::now());
    }
    const bool owes_much =
        broker.core.owed_bytes(broker.newest).value_or(0) > config.max_unread_bytes;
    if (owes_much && pings < 20) {
      ++pings;
      client.write(std::array<Byte, 2>{0xC0, 0});
      if (pings == 20) client.write(published(wire::Version::v311, 1));
    }
    const bool is_read = broker.core.stats().publish_received > 0;
    if (is_read || --patience == 0) broker.driver.stop();
  });
  broker.driver.run();
  CHECK(pings == 20);
  CHECK(broker.core.stats().publish_received == 1);
}

TEST_CASE("what has left for a client before the end arrives, though it is not read") {
  broker::Config config;
  config.listeners[0].max_publish_rate = 1;
  Broker broker(config);
  const auto bound = broker.driver.listen(0, "127.0.0.1", 0);
  REQUIRE(bound.has_value());
  const auto client = support::dial_loopback(bound->front().port);
  const int little = 131'072;
  setsockopt(client.descriptor(), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
  client.write(connect_as('s'));
  client.write(subscribe_to_much());
  const std::string much(1'000'000, 'x');  // less than a socket takes, more than the other has
  std::vector<Byte> received;
  bool is_told = false;
  bool is_unread = false;
  bool is_stopping = false;
  int patience = 3000;
  broker.driver.every(Millis(1), [&] {
    if (--patience == 0) broker.driver.stop();
    if (!is_told) {
      take(client, received);
      is_told = received.size() == kAnswers;
      if (is_told) broker.core.tell_sys("much", much, net::now());
    } else if (is_stopping) {
      if (take(client, received)) shutdown(client.descriptor(), SHUT_RDWR);
    } else if (!broker.core.is_above_rate(broker.newest)) {
      client.write(published(wire::Version::v311, 1));
    } else if (!std::exchange(is_unread, true)) {
      client.write(published(wire::Version::v311, 1));
    } else {
      is_stopping = true;
      CHECK(broker.core.owed_bytes(broker.newest) == 0);
      broker.driver.stop();
    }
  });
  broker.driver.run();
  take(client, received);
  REQUIRE(is_stopping);
  CHECK(received.size() > much.size());
}

TEST_CASE("who is not read when his connection ends is read into nothing") {
  constexpr std::size_t kMegabyte = 1'000'000;
  broker::Config config;
  config.listeners[0].max_publish_rate = 1;
  Broker broker(config);
  const support::TemporaryDirectory directory;
  REQUIRE(broker.driver.listen_unix(0, directory / "socket").has_value());
  const auto client = support::dial_unix(directory / "socket");
  std::vector<Byte> connect;
  wire::encode(wire::Connect{.version = wire::Version::v5, .client_id = "p"}, wire::Version::v5,
               connect);
  client.write(connect);
  const auto message = published(wire::Version::v5, 10'000);
  ByteView rest;
  int refused = 0;
  std::optional<std::size_t> taken;  // since the broker has been told to stop
  broker.driver.every(Millis(1), [&] {
    while (true) {
      if (rest.empty()) rest = message;
      const auto size =
          send(client.descriptor(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size <= 0) break;
      rest = rest.subspan(static_cast<std::size_t>(size));
      refused = 0;
      if (taken) *taken += static_cast<std::size_t>(size);
      if (taken > kMegabyte) return static_cast<void>(shutdown(client.descriptor(), SHUT_RDWR));
    }
    if (++refused == 20 && !taken) {
      taken = 0;
      broker.driver.stop();
    }
  });
  broker.driver.run();
  CHECK(taken > kMegabyte);
}

TEST_CASE("what is left to be sent now and then does not wait for something else") {
  using Clock = std::chrono::steady_clock;
  constexpr Millis kPause(1000);
  Broker broker;
  const auto bound = broker.driver.listen(0, "127.0.0.1", 0);
  REQUIRE(bound.has_value());
  const auto client = support::dial_loopback(bound->front().port);
  client.write(connect_as('s'));
  client.write(subscribe_to_much());
  Clock::time_point came_at;
  const std::jthread reader([&] {
    std::size_t size = 0;
    while (size <= kAnswers) size += client.read().size();
    came_at = Clock::now();
    shutdown(client.descriptor(), SHUT_RDWR);
  });
  Clock::time_point told_at;
  broker.driver.every(kPause, [&] {
    if (told_at != Clock::time_point()) return broker.driver.stop();
    told_at = Clock::now();
    broker.core.tell_sys("much", "now", net::now());
  });
  broker.driver.run();
  CHECK(came_at - told_at < kPause / 2);
}

TEST_CASE("what is on its way to the socket when a connection is ended is not sent again") {
  const support::TemporaryDirectory directory;
  Broker broker;
  REQUIRE(broker.driver.listen_unix(0, directory / "socket").has_value());
  const auto client = support::dial_unix(directory / "socket");
  client.write(connect_as('s'));
  client.write(subscribe_to_much());

  std::vector<Byte> received;
  const std::string much(300'000, 'x');  // takes the socket more than one turn, and less than two
  bool is_ended = false;
  int patience = 10'000;
  broker.driver.every(Millis(1), [&] {
    if (take(client, received) || --patience == 0) return broker.driver.stop();
    if (received.size() == kAnswers) {
      broker.core.tell_sys("much", much, net::now());
    } else if (received.size() > kAnswers && !std::exchange(is_ended, true)) {
      // In the next turn there is room for the rest, and this: a PINGREQ with a wrong flag.
      client.write(std::array<Byte, 2>{0xC1, 0});
    }
  });
  broker.driver.run();
  std::vector<Byte> message;
  wire::encode(
      wire::Publish{.topic = "$SYS/broker/much", .properties = {}, .payload = bytes_of(much)},
      wire::Version::v311, message);
  REQUIRE(received.size() == kAnswers + message.size());
  CHECK(std::ranges::equal(std::span(received).subspan(kAnswers), message));
}

TEST_CASE("what a connection is still owed when it is ended arrives as it was") {
  Broker broker;
  const auto bound = broker.driver.listen(0, "127.0.0.1", 0);
  REQUIRE(bound.has_value());
  std::vector<Byte> sent;
  wire::encode(wire::Connect{.version = wire::Version::v5, .client_id = "p"}, wire::Version::v5,
               sent);
  wire::Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.subscriptions = {{"t", {}}};
  wire::encode(subscribe, wire::Version::v5, sent);
  // Written anew for QoS 0, in more memory than a turn keeps.
  wire::PropertyList properties;
  for (char name = 'a'; name < 'f'; ++name) {
    properties.add_user(std::string(1, name), std::string(60'000, name));
  }
  constexpr std::uint16_t kMessages = 40;
  for (std::uint16_t id = 1; id <= kMessages; ++id) {
    wire::encode(wire::Publish{.qos = wire::QoS::at_least_once,
                               .topic = "t",
                               .packet_id = id,
                               .properties = properties.view(),
                               .payload = bytes_of("x")},
                 wire::Version::v5, sent);
  }
  sent.insert(sent.end(), {0xC1, 0});  // a PINGREQ with a wrong flag
  const auto client = support::dial_loopback(bound->front().port);
  std::vector<Byte> received;
  std::atomic<bool> is_over = false;
  const std::jthread conversation([&] {
    client.write(sent);
    received = client.read_to_end();
    is_over = true;
  });
  int turns = 0;
  broker.driver.every(Millis(1), [&] {
    if (is_over || ++turns == 5000) broker.driver.stop();
  });
  broker.driver.run();
  REQUIRE(is_over);
  wire::Framer framer;
  framer.feed(received);
  int messages = 0;
  std::optional<wire::ReasonCode> goodbye;
  while (const auto frame = *framer.next(wire::kMaximumPacketSize)) {
    if ((*frame)[0] >> 4U == static_cast<unsigned>(wire::PacketType::publish)) {
      const auto publish = wire::decode_publish(*frame, wire::Version::v5);
      REQUIRE(publish);
      CHECK(std::ranges::equal(publish->properties.encoded(), properties.view().encoded()));
      ++messages;
    } else if ((*frame)[0] >> 4U == static_cast<unsigned>(wire::PacketType::disconnect)) {
      goodbye = static_cast<wire::ReasonCode>((*frame)[2]);
    }
  }
  CHECK(messages == kMessages);
  CHECK(goodbye == wire::ReasonCode::malformed_packet);
}

TEST_CASE("two seeds differ") {
  CHECK(net::random_seed() != net::random_seed());
}

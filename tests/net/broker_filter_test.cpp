#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/filter.hpp"
#include "loopback.hpp"
#include "net/broker_driver.hpp"
#include "net/machine.hpp"

using namespace mq;

namespace {

/// Its handshake takes long, and does not end.
class Laborious final : public Filter {
 public:
  explicit Laborious(int& handshakes) : handshakes_(handshakes) {}

  void on_received(ByteView) override {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + Millis(30);
    while (Clock::now() < end) continue;
    ++handshakes_;
  }
  std::size_t read(std::span<Byte>) override { return 0; }
  void write(ByteView) override {}
  void close() override {}
  void take_output(std::vector<Byte>&) override {}
  bool has_output() const override { return false; }
  State state() const override { return State::opening; }
  const std::string& trouble() const override { return trouble_; }

 private:
  int& handshakes_;
  std::string trouble_;
};

/// Has much to say to whatever it hears, and nothing of it is for the core.
class Talkative final : public Filter {
 public:
  explicit Talkative(std::size_t& heard) : heard_(heard) {}

  void on_received(ByteView bytes) override {
    heard_ += bytes.size();
    out_.resize(out_.size() + 20 * bytes.size());
  }
  std::size_t read(std::span<Byte>) override { return 0; }
  void write(ByteView) override {}
  void close() override {}
  void take_output(std::vector<Byte>& out) override {
    out.insert(out.end(), out_.begin(), out_.end());
    out_.clear();
  }
  bool has_output() const override { return !out_.empty(); }
  State state() const override { return State::open; }
  const std::string& trouble() const override { return trouble_; }

 private:
  std::size_t& heard_;
  std::vector<Byte> out_;
  std::string trouble_;
};

}  // namespace

TEST_CASE("who does not take what the filter answers is not read without end") {
  constexpr std::size_t kMegabyte = 1'000'000;
  constexpr int kQuiet = 200;  // milliseconds in which nothing more was read
  std::size_t heard = 0;
  broker::Core core(broker::Config{}, net::now());
  net::BrokerDriver driver(core, nullptr, nullptr);
  const auto place = driver.listen(
      0, "127.0.0.1", 0, {.make_filter = [&] { return std::make_unique<Talkative>(heard); }});
  REQUIRE(place.has_value());
  const auto client = support::dial_loopback(place->front().port);
  std::jthread writer([&client] {
    const std::vector<Byte> some(kMegabyte);
    for (int i = 0; i < 50; ++i) {
      if (send(client.descriptor(), some.data(), some.size(), MSG_NOSIGNAL) <= 0) return;
    }
  });
  std::size_t before = 0;
  int quiet = 0;
  driver.every(Millis(1), [&] {
    quiet = heard > 0 && heard == before ? quiet + 1 : 0;
    before = heard;
    if (quiet < kQuiet) return;
    shutdown(client.descriptor(), SHUT_RDWR);
    driver.stop();
  });
  driver.run();
  CHECK(heard < 5 * kMegabyte);
}

TEST_CASE("what the filter has put out and the socket has not taken is unread") {
  broker::Config config;
  config.global_max_unread_bytes = 1000;
  std::size_t heard = 0;
  broker::Core core(config, net::now());
  net::BrokerDriver driver(core, nullptr, nullptr);
  const auto place = driver.listen(
      0, "127.0.0.1", 0, {.make_filter = [&] { return std::make_unique<Talkative>(heard); }});
  REQUIRE(place.has_value());
  std::optional client = support::dial_loopback(place->front().port);
  const std::vector<Byte> some(1'000'000);
  send(client->descriptor(), some.data(), some.size(), MSG_DONTWAIT);
  bool was_counted = false;
  int patience = 10'000;
  driver.every(Millis(1), [&] {
    const bool is_counted = core.must_know_heap();
    if (is_counted && !std::exchange(was_counted, true)) client.reset();
    if ((was_counted && !is_counted) || --patience == 0) driver.stop();
  });
  driver.run();
  CHECK(was_counted);
  CHECK_FALSE(core.must_know_heap());
}

TEST_CASE("who is connected does not wait for everybody's handshake") {
  constexpr int kCrowd = 10;
  int handshakes = 0;
  int handshakes_before = kCrowd;
  broker::Core core(broker::Config{}, net::now());
  net::BrokerDriver driver(
      core,
      [&](const broker::Fact& fact, const std::string&) {
        if (std::holds_alternative<broker::fact::Connected>(fact)) handshakes_before = handshakes;
      },
      nullptr);
  const auto slow = driver.listen(
      0, "127.0.0.1", 0, {.make_filter = [&] { return std::make_unique<Laborious>(handshakes); }});
  const auto plain = driver.listen(0, "127.0.0.1", 0);
  REQUIRE((slow.has_value() && plain.has_value()));

  std::vector<support::Socket> crowd;
  for (int i = 0; i < kCrowd; ++i) {
    crowd.push_back(support::dial_loopback(slow->front().port));
    crowd.back().write(std::array<Byte, 1>{0x16});
  }
  const auto client = support::dial_loopback(plain->front().port);
  client.write(std::array<Byte, 15>{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 1, 'p'});
  driver.every(Millis(1), [&] {
    if (handshakes == kCrowd) driver.stop();
  });
  driver.run();
  CHECK(handshakes_before <= 2);
  CHECK(handshakes == kCrowd);
}

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "broker/core.hpp"
#include "broker_client.hpp"
#include "storage/memory.hpp"

// A broker, its store and its clients, between whom bytes go the way that net::BrokerDriver has
// them go. No deadline stays due, and what is counted comes to nothing when there is nothing.

namespace mq::fuzz {

/// A connection, as a driver sees it.
struct Connection {
  broker::ConnectionId id;
  std::uint16_t listener = 0;
  std::unique_ptr<Client> client{};
  std::vector<Byte> said{};  ///< and not read yet
  bool has_left = false;
  bool is_filtered = false;  ///< its bytes pass through something: it is not read into tails
  bool is_proved = false;
  bool is_reading = true;
  bool is_throttled = false;
  bool is_held_back = false;
  bool is_verified = true;    ///< or need not be
  bool is_framed = true;      ///< it has said packets only
  std::size_t read_size = 0;  ///< so much of it is read at once; 0: all
  std::size_t takes = 0;      ///< so much does it take in a step; 0: all
  std::size_t room = 0;       ///< what is left of that
};

class Driver {
 public:
  explicit Driver(broker::Config config)
      : config_(std::move(config)), now_{Instant(Seconds(1000)), WallTime(Seconds(1'700'000'000))} {
    start();
  }

  broker::Core& core() { return *core_; }
  const broker::Config& config() const { return config_; }
  Now now() const { return now_; }
  const std::vector<std::unique_ptr<Connection>>& connections() const { return connections_; }
  /// Of passwords that are not verified yet.
  std::vector<broker::ConnectionId>& verifications() { return verifications_; }

  Connection* find(broker::ConnectionId id) {
    const auto found = std::ranges::find_if(connections_, [id](const auto& connection) {
      return connection->id == id && !connection->has_left;
    });
    return found == connections_.end() ? nullptr : found->get();
  }

  bool is_owed(const Connection& connection) {
    const auto* queue = core_->output(connection.id);
    return queue != nullptr && !queue->empty();
  }

  Connection& open(std::uint16_t listener) {
    auto& connection = *connections_.emplace_back(std::make_unique<Connection>());
    connection.listener = listener;
    connection.id = core_->on_open(listener, now_);
    connection.room = SIZE_MAX;
    return connection;
  }

  void on_verified(broker::ConnectionId id, broker::Verdict verdict) {
    if (Connection* connection = find(id)) {
      connection->is_verified = true;
      if (verdict == broker::Verdict::right) connection->client->verified();
    }
    core_->on_verified(id, verdict, now_);
  }

  void advance(Millis step) {
    now_.steady += step;
    now_.wall += step;
    core_->on_deadline(now_);
  }

  void use_rules(std::uint16_t listener, std::shared_ptr<const broker::AccessRules> rules) {
    rules_[listener] = std::move(rules);
    core_->use_rules(listener, rules_[listener]);
    for (auto& connection : connections_) {
      if (connection->listener != listener) continue;
      if (is_owed(*connection)) connection->client->expect_older();
      connection->client->obey(rules_[listener]);
    }
  }
  const std::shared_ptr<const broker::AccessRules>& rules(std::uint16_t listener) const {
    return rules_[listener];
  }

  void use_config(broker::Config config) {
    config.seed = config_.seed;
    config_ = std::move(config);
    core_->use_config(config_, now_);
  }

  void crash() {
    store_.crash();
    connections_.clear();
    turn_.clear();
    verifications_.clear();
    start();
  }

  /// It says goodbye, what the disk keeps up with is stored, and another process goes on.
  void restart() {
    core_->shut_down(now_);
    MQ_CHECK(core_->connection_count() == 0);
    turn();
    MQ_CHECK(std::ranges::all_of(connections_, &Connection::has_left));
    while (store()) {
    }
    crash();
  }

  void stop_storing_or_go_on() { is_storing_ = !is_storing_; }
  void trouble(bool is_in_trouble) {
    is_in_trouble_ = is_in_trouble;
    core_->on_store_trouble(is_in_trouble);
  }

  /// Nobody acknowledges what he has not read: what storing brings about is read, too.
  void settle() {
    for (auto& connection : connections_) {
      if (!connection->has_left) read(*connection);
    }
    int turns = 0;
    do {
      MQ_CHECK(++turns < kManyTurns);
      turn();
    } while (store() || core_->has_dirty() || heed_deadlines());
    std::erase_if(connections_, [](const auto& connection) { return connection->has_left; });
    check_counts();
  }

  void turn() {
    submit();
    if (submitted_ <= store_.stored()) read_on();
    for (const auto& asked : core_->take_verifications()) verify(asked);
    for (const auto id : core_->take_throttled()) set_throttled(id, true);
    for (const auto id : core_->take_released()) set_throttled(id, false);
    for (auto& connection : connections_) {
      if (is_owed(*connection)) write(*connection);
    }
    for (int round = 0; round < 4 && core_->has_dirty(); ++round) {
      for (const auto id : core_->take_dirty()) {
        if (Connection* connection = find(id)) write(*connection);
      }
    }
    core_->take_facts();
    for (auto& closing : core_->take_closing()) {
      Connection* connection = find(closing.connection);
      if (connection == nullptr) continue;
      connection->has_left = true;
      connection->room = SIZE_MAX;
      if (connection->is_reading) take(*connection, closing.rest);
    }
    core_->end_turn();
    turn_.clear();
  }

 private:
  /// So often does a turn have more to do at once, or something is wrong.
  static constexpr int kManyTurns = 1000;

  void start() {
    ++config_.seed;  // no process gives a client id that another one has given
    core_ = std::make_unique<broker::Core>(config_, now_, store_.load(config_.budget()));
    submitted_ = 0;
    for (std::uint16_t i = 0; i < rules_.size(); ++i) core_->use_rules(i, rules_[i]);
    core_->on_store_trouble(is_in_trouble_);
  }

  /// Returns whether something was due. What is due is so no more when the turn is over, unless
  /// there is more of it than a turn has room for.
  bool heed_deadlines() {
    if (core_->next_deadline() > now_.steady) return false;
    core_->on_deadline(now_);
    return true;
  }

  bool may_read(const Connection& connection) const {
    return !connection.is_throttled && !connection.is_held_back && connection.is_verified &&
           core_->owed_bytes(connection.id).value_or(0) <= core_->unread_max();
  }

  void set_held_back(Connection& connection, bool is_held_back) {
    connection.is_held_back = is_held_back;
    core_->hold_back(connection.id, is_held_back, now_);
  }

  /// What is on its way to the store no longer counts, but it may be what they wait for.
  void read_on() {
    if (core_->is_store_behind()) return;
    for (auto& connection : connections_) {
      if (connection->is_held_back) set_held_back(*connection, false);
    }
  }

  /// What was handed over stays where it is until the turn ends.
  void read(Connection& connection) {
    auto& said = connection.said;
    for (int i = 0; i < 4 && !said.empty() && may_read(connection); ++i) {
      auto size =
          connection.read_size == 0 ? said.size() : std::min(connection.read_size, said.size());
      const auto tail = connection.is_filtered ? std::span<Byte>() : core_->tail(connection.id);
      if (!tail.empty()) {
        size = std::min(size, tail.size());
        std::copy_n(said.begin(), size, tail.begin());
        core_->on_tail(connection.id, size, now_);
      } else {
        const auto& kept = *turn_.emplace_back(std::make_unique<std::vector<Byte>>(
            said.begin(), said.begin() + static_cast<std::ptrdiff_t>(size)));
        core_->on_bytes(connection.id, kept, now_);
      }
      said.erase(said.begin(), said.begin() + static_cast<std::ptrdiff_t>(size));
      if (core_->is_store_behind()) set_held_back(connection, true);
    }
  }

  void verify(const broker::Verification& asked) {
    Connection* connection = find(asked.connection);
    if (connection == nullptr) return;
    MQ_CHECK(connection->listener == asked.listener);
    connection->is_verified = false;
    verifications_.push_back(asked.connection);
  }

  void set_throttled(broker::ConnectionId id, bool is_throttled) {
    if (Connection* connection = find(id)) connection->is_throttled = is_throttled;
  }

  void write(Connection& connection) {
    auto* queue = core_->output(connection.id);
    if (queue == nullptr) return;
    if (connection.is_reading) take(connection, *queue);
    if (!queue->empty()) return;
    connection.client->heard_all();
    core_->on_drained(connection.id, now_);
  }

  static void take(Connection& connection, broker::SendQueue& queue) {
    std::array<ByteView, 1> piece;
    while (connection.room > 0 && queue.gather(piece) > 0) {
      const auto part = piece[0].first(std::min(piece[0].size(), connection.room));
      connection.client->hear(part);
      if (connection.room != SIZE_MAX) connection.room -= part.size();
      queue.sent(part.size());
    }
  }

  /// The store gets one batch at a time.
  void submit() {
    for (auto& load : core_->take_loads()) store_.load(std::move(load));
    if (submitted_ > store_.stored()) return;
    auto batch = core_->take_batch();
    if (!batch) return;
    submitted_ = batch->ticket;
    store_.submit(std::move(*batch));
  }

  /// Returns whether the store has done anything.
  bool store() {
    if (!is_storing_) return false;
    submit();
    store_.answer_loads();
    const auto pages = store_.take_pages();
    for (const auto& page : pages) core_->on_loaded(page, now_);
    const bool is_more_stored = store_.commit();
    if (is_more_stored) {
      core_->on_stored(store_.stored(), now_);
      submit();
      read_on();
    }
    return is_more_stored || !pages.empty();
  }

  void check_counts() const {
    MQ_CHECK(core_->connected_count() <= core_->connection_count());
    if (core_->session_count() > 0 || core_->retained_count() > 0) return;
    MQ_CHECK(core_->stored().count == 0 && core_->stored().bytes == 0);
    MQ_CHECK(core_->subscription_count() == 0);
  }

  broker::Config config_;
  Now now_;
  storage::Memory store_;
  storage::Ticket submitted_ = 0;
  std::array<std::shared_ptr<const broker::AccessRules>, 2> rules_;  ///< by listener
  std::unique_ptr<broker::Core> core_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<std::vector<Byte>>> turn_;  ///< what was handed over in it
  std::vector<broker::ConnectionId> verifications_;
  bool is_storing_ = true;
  bool is_in_trouble_ = false;
};

}  // namespace mq::fuzz

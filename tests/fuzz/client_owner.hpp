#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "base/check.hpp"
#include "client/event.hpp"
#include "client_server.hpp"

namespace mq::fuzz {

/// Whoever a client works for: it remembers what it has asked for, and is told
/// the outcome once.
class Owner {
 public:
  explicit Owner(const Server& server) : server_(server) {}

  void published(client::Ticket ticket, std::size_t number, wire::QoS qos) {
    const bool is_new = messages_.emplace(ticket, Message{number, qos}).second;
    MQ_CHECK(is_new);
  }
  void requested(client::Ticket ticket) {
    const bool is_new = requests_.insert(ticket).second;
    MQ_CHECK(is_new);
  }
  void hear(const client::Event& event) {
    MQ_CHECK(!is_over_);
    std::visit([this](const auto& e) { on(e); }, event);
  }

  /// Messages of QoS 1 and 2 whose outcome it has not heard.
  std::size_t unsettled() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        messages_, [](const auto& message) { return !is_unacknowledged(message.second); }));
  }
  /// The client has come to its end.
  bool is_over() const { return is_over_; }

 private:
  struct Message {
    std::size_t number;
    wire::QoS qos;
  };

  static bool is_unacknowledged(const Message& message) {
    return message.qos == wire::QoS::at_most_once;
  }

  void on(const client::Connected& connected) {
    MQ_CHECK(connected.is_first == !std::exchange(was_connected_, true));
    MQ_CHECK(!connected.session_present || !server_.is_clean());
  }
  void on(const client::Arrived& arrived) {
    const auto& message = arrived.message;
    const auto number = server_.sent.check(message.topic, message.payload);
    if (!number || message.qos != wire::QoS::exactly_once) return;
    MQ_CHECK(arrived_.insert(*number).second);  // [MQTT-4.3.3-10]
  }
  void on(const client::Settled& settled) {
    MQ_CHECK(settled.count > 0);
    for (std::uint64_t i = 0; i < settled.count; ++i) {
      const auto message = messages_.find(settled.ticket + i);
      MQ_CHECK(message != messages_.end());
      check(settled.outcome, message->second);
      messages_.erase(message);
    }
  }
  void check(client::Outcome outcome, const Message& message) const {
    if (outcome == client::Outcome::refused) return;
    const bool is_acknowledged = outcome == client::Outcome::acknowledged;
    MQ_CHECK(is_acknowledged != is_unacknowledged(message));
    MQ_CHECK(!is_acknowledged || server_.may_have(message.number));
  }
  void on(const client::Subscribed& subscribed) { settle_request(subscribed.ticket); }
  void on(const client::Unsubscribed& unsubscribed) { settle_request(unsubscribed.ticket); }
  void on(const client::Refused& refused) { lose(refused.retry_at == kNever); }
  void on(const client::Lost& lost) { lose(lost.retry_at == kNever); }
  void on(const client::Ended&) { lose(true); }

  void settle_request(client::Ticket ticket) { MQ_CHECK(requests_.erase(ticket) == 1); }

  void lose(bool is_over) {
    requests_.clear();
    MQ_CHECK(unsettled() == messages_.size());
    is_over_ = is_over;
  }

  const Server& server_;
  std::map<client::Ticket, Message> messages_;  ///< that are not settled
  std::set<client::Ticket> requests_;
  std::set<std::size_t> arrived_;  ///< numbers of QoS 2 messages
  bool was_connected_ = false;
  bool is_over_ = false;
};

}  // namespace mq::fuzz

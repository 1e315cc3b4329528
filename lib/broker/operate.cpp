#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "broker/core.hpp"
#include "broker/incoming.hpp"

// What the operator changes while the broker runs, and what the broker tells on topics of its own.

namespace mq::broker {

using wire::PropertyId;
using wire::QoS;
using wire::ReasonCode;

namespace {

/// Who does not take an event within so many seconds need not hear of it.
constexpr std::uint32_t kEventExpiry = 20;

}  // namespace

void Core::use_config(Config config, Now now) {
  now_ = now;
  MQ_CHECK(config.listeners.size() >= config_.listeners.size());
  config.version = config_.version;
  config.seed = config_.seed;
  config.persistence = config_.persistence;
  config.queue_window = config_.queue_window;
  config_ = std::move(config);
  limit_unread();
  rules_.resize(config_.listeners.size());
  sys_topics_.use_interval(config_.sys_interval, *this);
  const auto pause = config_.retain_expiry_interval;
  sweep_at_ = pause > Seconds(0) ? now.steady + pause : kNever;
  for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
    Connection* connection = connections_[slot].get();
    if (connection == nullptr || connection->session == nullptr) continue;
    const ListenerConfig& listener = config_.listeners[connection->listener];
    const bool is_unproved = listener.has_passwords && !connection->session->user_name.empty();
    if (connection->is_anonymous && (!listener.allow_anonymous || is_unproved)) {
      disconnect(*connection, ReasonCode::administrative_action, fact::End::expelled);
    } else {
      throttle(*connection);
    }
  }
}

void Core::put_sys(std::string_view topic, std::string_view value, Now now) {
  now_ = now;
  if (config_.sys_interval == Seconds(0)) return;
  publish_own(topic, value, true, {});
}

void Core::tell_sys(std::string_view topic, std::string_view text, Now now) {
  now_ = now;
  wire::PropertyList properties;
  properties.add(PropertyId::message_expiry_interval, kEventExpiry);
  publish_own(topic, text, false, properties.view());
}

void Core::publish_own(std::string_view topic, std::string_view text, bool retain,
                       wire::Properties properties) {
  const std::string whole = std::string(kOwnTopics) + std::string(topic);
  Incoming incoming{.packet = {.qos = QoS::exactly_once,
                               .dup = false,
                               .retain = retain,
                               .topic = whole,
                               .packet_id = 0,
                               .properties = properties,
                               .payload = bytes_of(text)}};
  // Receivers get a copy that lasts.
  const Message message = incoming.shared(now_.steady);
  incoming.packet.topic = message.topic();
  incoming.packet.properties = message.properties();
  incoming.packet.payload = message.payload();
  incoming.owner = message.block();
  publish(incoming);
}

std::vector<Core::Subscription> Core::subscriptions() const {
  std::vector<Subscription> all;
  all.reserve(subscription_count());
  for (const auto& session : sessions_) {
    if (session == nullptr) continue;
    for (const auto filter : session->subscriptions) {
      const auto subscribers = subscriptions_.subscribers(filter);
      const auto own = std::ranges::find(subscribers, session->index, &topic::Subscriber::owner);
      all.push_back(
          {subscriptions_.text(filter), session->client_id, GrantedOptions::of(own->options).qos});
    }
  }
  std::ranges::sort(all, {}, [](const Subscription& s) { return std::tie(s.filter, s.client_id); });
  return all;
}

}  // namespace mq::broker

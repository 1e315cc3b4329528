#include "sim/judge.hpp"

#include <algorithm>
#include <utility>

namespace mq::sim {

using wire::QoS;

namespace {

std::string words_of(const Numbered& message) {
  return message.topic + " number " + std::to_string(message.number);
}

}  // namespace

void Judge::published(const std::string& topic, std::uint64_t number, QoS qos) {
  topics_[topic] = {qos, number};
}

void Judge::acknowledged(const std::string& topic, std::uint64_t number) {
  acknowledged_.insert({topic, number});
}

void Judge::subscribed(const std::string& name, QoS qos) {
  Subscriber& subscriber = subscribers_[name];
  subscriber.qos = qos;
  subscriber.is_subscribed = true;
  for (const auto& [topic, state] : topics_) subscriber.covered_after[topic] = state.last;
}

void Judge::connected(const std::string& client, bool session_present) {
  if (session_present || !subscribers_.contains(client)) return;
  complain(client + " was told that it is subscribed, and its session is gone");
}

void Judge::arrived(const std::string& name, const std::string& topic, std::uint64_t number) {
  ++arrived_count_;
  Subscriber& subscriber = subscribers_[name];
  const Numbered message{topic, number};
  const QoS qos = topics_[topic].qos;
  auto& newest = subscriber.newest[topic];
  if (++subscriber.arrivals[message] == 1) {
    const auto covered = subscriber.covered_after.find(topic);
    // What it missed at QoS 0, or before it subscribed, may come late when it is published again.
    const bool is_promised =
        subscriber.qos != QoS::at_most_once && subscriber.is_subscribed &&
        (covered == subscriber.covered_after.end() || number > covered->second);
    if (is_promised && number < newest) {
      complain(name + " got " + words_of(message) + " out of order");
    }
    newest = std::max(newest, number);
  } else if (qos != QoS::at_least_once && (qos == QoS::at_most_once || subscriber.qos == qos)) {
    complain(name + " got " + words_of(message) + " again, at QoS " +
             std::to_string(static_cast<int>(qos)));
  }
}

void Judge::retained(const std::string& topic, std::uint64_t number) {
  retained_[topic] = number;
}

std::vector<std::string> Judge::complaints() {
  for (const auto& [name, subscriber] : subscribers_) check_subscriber(name, subscriber);
  for (const auto& [topic, state] : topics_) {
    if (!topic.starts_with("retained/")) continue;
    const auto kept = retained_.find(topic);
    if (kept == retained_.end()) {
      complain("nothing is retained on " + topic);
    } else if (kept->second != state.last) {
      complain("retained on " + topic + " is " + std::to_string(kept->second) + ", not the last, " +
               std::to_string(state.last));
    }
  }
  return std::exchange(complaints_, {});
}

void Judge::check_subscriber(const std::string& name, const Subscriber& subscriber) {
  for (const auto& message : acknowledged_) {
    const QoS qos = std::min(topics_[message.topic].qos, subscriber.qos);
    const auto covered = subscriber.covered_after.find(message.topic);
    const auto after = covered == subscriber.covered_after.end() ? 0 : covered->second;
    if (qos == QoS::at_most_once || message.number <= after) continue;
    if (!subscriber.arrivals.contains(message)) {
      complain(name + " never got " + words_of(message) + ", which was acknowledged");
    }
  }
}

}  // namespace mq::sim

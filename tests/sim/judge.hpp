#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "wire/version.hpp"

namespace mq::sim {

/// A numbered message of one publisher on one topic.
struct Numbered {
  std::string topic;
  std::uint64_t number = 0;
  auto operator<=>(const Numbered&) const = default;
};

/// Keeps what was said and done, apart from those who did it, and complains about broken promises.
class Judge {
 public:
  void published(const std::string& topic, std::uint64_t number, wire::QoS qos);
  void acknowledged(const std::string& topic, std::uint64_t number);
  /// SUBACK has come: whatever is published from now on is for this subscriber.
  void subscribed(const std::string& subscriber, wire::QoS qos);
  void connected(const std::string& client, bool session_present);
  void arrived(const std::string& subscriber, const std::string& topic, std::uint64_t number);
  /// What a newcomer was sent as retained, in the end.
  void retained(const std::string& topic, std::uint64_t number);

  /// After everything has come to rest. Empty: every promise was kept.
  std::vector<std::string> complaints();
  std::size_t acknowledged_count() const { return acknowledged_.size(); }
  std::size_t arrived_count() const { return arrived_count_; }

 private:
  struct Topic {
    wire::QoS qos{};
    std::uint64_t last = 0;
  };
  struct Subscriber {
    wire::QoS qos{};
    bool is_subscribed = false;
    std::map<std::string, std::uint64_t> covered_after;
    std::map<Numbered, std::uint64_t> arrivals;
    std::map<std::string, std::uint64_t> newest;
  };

  void complain(std::string words) { complaints_.push_back(std::move(words)); }
  void check_subscriber(const std::string& name, const Subscriber& subscriber);

  std::map<std::string, Topic> topics_;
  std::set<Numbered> acknowledged_;
  std::map<std::string, Subscriber> subscribers_;
  std::map<std::string, std::uint64_t> retained_;
  std::size_t arrived_count_ = 0;
  std::vector<std::string> complaints_;
};

}  // namespace mq::sim

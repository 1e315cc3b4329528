#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "broker/access.hpp"
#include "broker/config.hpp"
#include "script.hpp"

/// What the operator of the broker's fuzzer chooses from.
namespace mq::fuzz {

/// Of those who come in through the second listener, where passwords are verified.
inline constexpr std::string_view kMount = "m/";
inline constexpr std::string_view kUsers[] = {"alice", "bob", "c/d"};

/// Many small choices out of a few bytes.
class Choices {
 public:
  explicit Choices(Script& script) {
    for (int i = 0; i < 6; ++i) bits_ = bits_ << 8U | script.byte();
  }
  bool flag() { return below(2) != 0; }
  /// bound  a power of two
  unsigned below(unsigned bound) {
    const auto choice = static_cast<unsigned>(bits_ % bound);
    bits_ /= bound;
    return choice;
  }

 private:
  std::uint64_t bits_ = 0;
};

inline broker::Config drawn_config(Script& script) {
  Choices choices(script);
  const auto maybe = [&choices](auto limit) { return choices.flag() ? limit : decltype(limit){}; };
  broker::Config config;
  config.persistence = !choices.flag();
  config.sys_interval = maybe(Seconds(1));
  config.max_inflight_messages = choices.flag() ? 2 : 20;
  config.queue_qos0_messages = choices.flag();
  if (choices.flag()) config.queue_window = {2, 20};
  if (choices.flag()) config.retained_memory_limit = 4;
  config.max_packet_size = choices.flag() ? 200'000 : 2000;
  config.max_unread_bytes = choices.flag() ? 300'000 : 1000;
  constexpr std::array kPolicies{broker::QueuePolicy::drop_newest, broker::QueuePolicy::drop_oldest,
                                 broker::QueuePolicy::reject, broker::QueuePolicy::reject};
  config.queue_policy = kPolicies[choices.below(4)];
  config.max_queued_messages = choices.flag() ? 3 : 20;
  config.max_queued_bytes = maybe(std::size_t{300});
  config.max_inflight_bytes = maybe(std::size_t{40});
  config.message_size_limit = maybe(std::size_t{1000});
  config.memory_limit = maybe(std::size_t{1000});
  config.retain_expiry_interval = maybe(Seconds(3));
  config.upgrade_outgoing_qos = choices.flag();
  constexpr std::array kDelays{Millis(2), Millis(0), Millis(300), Millis(0)};
  config.persistence_delay = kDelays[choices.below(4)];
  config.packet_timeout = Seconds(choices.flag() ? 3 : 300);
  config.persistent_client_expiration = maybe(Seconds(7));
  config.max_keepalive = maybe(std::uint16_t{5});
  config.retain_available = !choices.flag();
  config.check_retain_source = !choices.flag();
  config.max_unstored_bytes = choices.flag() ? 2000 : 64U << 20U;
  config.global_max_clients = maybe(std::size_t{3});
  config.global_max_connections = maybe(std::size_t{5});
  config.allow_zero_length_clientid = !choices.flag();

  broker::ListenerConfig plain{.port = 1883};
  plain.has_passwords = choices.flag();
  if (choices.flag()) plain.max_qos = wire::QoS::at_least_once;
  plain.max_topic_alias_broker = 2;
  broker::ListenerConfig mounted{.port = 1884, .has_passwords = true};
  mounted.allow_anonymous = !choices.flag();
  mounted.mount_point = kMount;
  mounted.max_publish_rate = maybe(2U);
  mounted.max_bytes_rate = choices.flag() ? 100 : 0;
  mounted.use_username_as_clientid = choices.flag();
  if (choices.flag()) mounted.versions = {wire::Version::v5};
  config.listeners = {plain, mounted};
  if (choices.flag()) config.work_a_turn = 12;
  if (choices.flag()) config.global_max_unread_bytes = 1500;
  return config;
}

/// Sets of rules between which listeners change. At 0 there are none.
inline std::shared_ptr<const broker::AccessRules> rules_of(unsigned set) {
  using broker::AccessRules;
  constexpr std::uint8_t kDeny = 0;
  constexpr std::uint8_t kRead = 1;
  constexpr std::uint8_t kBoth = 3;
  if (set % 4 == 0) return nullptr;
  auto rules = std::make_shared<AccessRules>();
  rules->file = "rules";
  switch (set % 4) {
    case 1:
      rules->anonymous.add({"#", kBoth, 1});
      rules->anonymous.add({"t/1", kDeny, 2});
      rules->users["alice"].add({"m/#", kBoth, 3});
      rules->users["alice"].add({"m/t/2", kDeny, 4});
      rules->patterns.push_back({"%c/#", kBoth, 5});
      rules->patterns.push_back({"t/%u", kRead, 6});
      break;
    case 2:
      rules->anonymous.add({"t/+", kRead, 1});
      rules->anonymous.add({"u", kBoth, 2});
      rules->users["bob"].add({"#", kBoth, 3});
      rules->patterns.push_back({"+/t/#", kBoth, 4});
      rules->patterns.push_back({"m/t/1/+", kDeny, 5});
      break;
    default:  // nothing at all
      break;
  }
  return rules;
}

}  // namespace mq::fuzz

#include "sim/actor.hpp"

#include <numeric>

namespace mq::sim {

using wire::PropertyId;
using wire::QoS;
using wire::Version;

namespace {

constexpr std::array kNames{"publisher", "subscriber", "member", "mortal", "visitor", "passer-by"};

Version version_for(Role role, Prng& prng) {
  if (role > Role::mortal) return Version::v5;
  return prng.chance(1, 2) ? Version::v5 : Version::v311;
}

/// One that comes back as another process does not remember QoS 2 messages.
QoS qos_for(Role role, Prng& prng) {
  if (role == Role::passer_by) return QoS::at_least_once;
  if (role == Role::member) return static_cast<QoS>(prng.below(2) + 1);
  return static_cast<QoS>(prng.below(role == Role::visitor ? 2 : 3));
}

}  // namespace

Actor::Actor(Role as, std::size_t number, Prng& prng)
    : role(as),
      index(number),
      name(kNames[static_cast<std::size_t>(as)] + std::to_string(number)),
      version(version_for(as, prng)),
      subscribes(qos_for(as, prng)),
      maximum_packet_size(is_reader() && version == Version::v5 && prng.chance(1, 3)
                              ? static_cast<std::uint32_t>(prng.below(3000)) + 2 * kAround
                              : 0),
      has_identifier(version == Version::v5 && prng.chance(1, 2)),
      is_kept(as != Role::publisher || prng.chance(2, 3)),
      share(as == Role::member && prng.chance(1, 4) ? "$share/other" : "$share/group"),
      numbers(kTopicKinds.size(), 0) {}

client::Settings Actor::settings(Prng& prng) {
  client::Settings settings;
  settings.version = version;
  settings.client_id = name;
  settings.clean_start = starts_clean || !is_kept;
  keep_alive = Seconds(prng.chance(1, 2) ? 0 : 5 + prng.below(10));
  settings.keep_alive = static_cast<std::uint16_t>(keep_alive.count());
  settings.retry = client::Retry::always;
  settings.retry_first = Millis(100);
  settings.retry_max = Seconds(3);
  settings.connect_timeout = Seconds(5);
  if (role == Role::publisher) settings.user_name = name;
  if (role == Role::mortal) become_mortal(settings, prng);
  if (version != Version::v5) return settings;
  settings.properties.add(PropertyId::receive_maximum,
                          static_cast<std::uint32_t>(prng.below(10) + 1));
  if (maximum_packet_size > 0) {
    settings.properties.add(PropertyId::maximum_packet_size, maximum_packet_size);
  }
  std::uint32_t expiry = is_kept ? UINT32_MAX : 0;
  if (role == Role::visitor || role == Role::passer_by)
    expiry = static_cast<std::uint32_t>(kVisitorExpiry.count());
  if (role == Role::mortal) expiry = 5;
  settings.properties.add(PropertyId::session_expiry_interval, expiry);
  farewell.reset();
  if (role == Role::visitor && prng.chance(1, 2)) {
    farewell = Seconds(prng.below(2 * kVisitorExpiry.count()));
    settings.goodbye.add(PropertyId::session_expiry_interval,
                         static_cast<std::uint32_t>(farewell->count()));
  }
  return settings;
}

void Actor::become_mortal(client::Settings& settings, Prng& prng) {
  const bool is_back = persons > 0 && prng.chance(1, 2);
  if (!is_back) ++persons;
  settings.client_id += "-" + std::to_string(persons);
  former_will = is_back ? will : "";
  will = prng.chance(1, 3) ? "" : settings.client_id + " in its life " + std::to_string(lives);
  settings.retry = client::Retry::never;
  if (will.empty()) return;
  is_will_retained = prng.chance(1, 2);
  will_qos = static_cast<QoS>(prng.below(3));
  settings.will = client::Will{.topic = "wills/" + will,
                               .payload = will,
                               .qos = will_qos,
                               .retain = is_will_retained,
                               .properties = {}};
  settings.will->properties.add(PropertyId::correlation_data, bytes_of(will));
  const bool has_delay = version == Version::v5 && prng.chance(1, 2);
  will_delay = Seconds(has_delay ? prng.below(3) + 1 : 0);
  if (!has_delay) return;
  settings.will->properties.add(PropertyId::will_delay_interval,
                                static_cast<std::uint32_t>(will_delay.count()));
}

void Actor::be_born(Prng& prng, Now now) {
  ++lives;
  is_up = false;
  starts_clean = role == Role::visitor && prng.chance(1, 4);
  opens_at = kNever;
  core = std::make_unique<client::Core>(settings(prng), Prng(prng.next()));
  core->connect(now);
}

std::string topic_of(const Actor& publisher, std::size_t kind) {
  return kTopicKinds[kind].prefix + publisher.name + "/" + std::to_string(kind);
}

std::string payload_of(const std::string& topic, std::uint64_t number) {
  constexpr std::uint64_t kLongest = 4000;
  constexpr std::size_t kLetters = 26;
  std::string payload = std::to_string(number);
  Prng prng(std::accumulate(topic.begin(), topic.end(), number * 1000));
  if (!prng.chance(1, 20)) return payload;
  const auto size = payload.size() + prng.below(kLongest);
  for (auto i = prng.below(kLetters); payload.size() < size; ++i) {
    payload += static_cast<char>('a' + (i + i / kLetters) % kLetters);
  }
  return payload;
}

}  // namespace mq::sim

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/core.hpp"
#include "client/core.hpp"
#include "sim/judge.hpp"
#include "sim/network.hpp"

namespace mq::sim {

constexpr Seconds kVisitorExpiry{3};

/// What a subscriber thinks of changing/.
enum class Mind : std::uint8_t { without, subscribing, with, unsubscribing };

enum class Role : std::uint8_t {
  publisher,
  subscriber,  ///< its session lasts for ever
  member,      ///< of a share, likewise
  mortal,      ///< leaves a will, or not, and is somebody else the next time, or not
  visitor,     ///< is away for longer than its session lasts, or not
  passer_by,   ///< a member of a share, likewise
};

/// A connection between a client and the broker.
struct Link {
  broker::ConnectionId at_broker;
  Pipe up;
  Pipe down;
  bool is_ended = false;   ///< the broker has closed: what is on its way down still arrives
  Instant ended_at{};      ///< when it did
  bool is_broken = false;  ///< it crashed instead, or did not hear a goodbye
  Instant stalled_until{};
  bool is_owed = false;       ///< the broker has something for it that it did not take
  bool is_throttled = false;  ///< the broker is not to read from it
  bool is_held_back = false;  ///< likewise, because the store is behind
};

/// A process that lives on while another takes its session over.
struct Predecessor {
  std::string name;
  std::string judged_name;
  std::unique_ptr<client::Core> core;
  std::unique_ptr<Link> link;
};

struct Actor {
  struct Sent {
    std::string topic;
    std::uint64_t number;
    wire::QoS qos;
    std::size_t size;  ///< of the payload
    bool is_too_large;
    /// The connection, by when it was opened, on which it comes while it cannot be stored.
    std::optional<Instant> unstorable_on{};
  };

  Actor(Role role, std::size_t index, Prng& prng);

  /// A client core for the next life.
  void be_born(Prng& prng, Now now);
  bool is_there_to_stay() const { return role <= Role::member; }
  bool is_reader() const { return role == Role::subscriber || role == Role::visitor; }
  bool is_member() const { return role == Role::member || role == Role::passer_by; }
  /// The size of a payload, around which a packet has a topic, numbers and properties.
  std::size_t largest_payload() const {
    return maximum_packet_size == 0 ? SIZE_MAX : maximum_packet_size - kAround;
  }
  static constexpr std::size_t kAround = 100;
  /// What the judge knows it by: a visitor, as long as its session lasts.
  std::string judged_name() const {
    return role == Role::visitor ? name + " in its session " + std::to_string(sessions) : name;
  }

  /// With which it subscribes to all but changing/.
  std::optional<std::uint32_t> identifier() const {
    return has_identifier ? std::optional(static_cast<std::uint32_t>(index + 1)) : std::nullopt;
  }
  /// Wants to know of what is below retained/ that it was published as such.
  bool wants_retain_flag() const { return version == wire::Version::v5 && index % 2 == 1; }

  Role role;
  std::size_t index;
  std::string name;
  wire::Version version;
  wire::QoS subscribes;
  /// The size of the packets that a reader accepts; 0: any.
  std::uint32_t maximum_packet_size;
  bool has_identifier;
  bool is_kept;       ///< its session; that of a publisher which is not asks for no QoS 2
  std::string share;  ///< which a member takes part in
  std::unique_ptr<client::Core> core{};
  std::unique_ptr<Link> link{};
  std::size_t lives = 0;
  std::size_t sessions = 0;    ///< of a visitor
  bool is_uncertain = false;   ///< whether the broker has begun another one, and CONNACK was lost
  bool starts_clean = false;   ///< in this life
  bool is_up = false;          ///< CONNACK has come, the connection is there
  bool is_subscribed = false;  ///< SUBACK has come, once
  Mind mind = Mind::without;
  client::Ticket change = 0;  ///< of the request with which it changes its mind
  Instant opens_at = kNever;
  /// A publisher's next message; a subscriber's change of mind; the end, and the next life, of
  /// others.
  Instant acts_at = kNever;
  std::vector<std::uint64_t> numbers{};  ///< a publisher's last one on each of its topics
  std::deque<std::pair<client::Ticket, Sent>> open{};
  std::optional<Instant> left_at{};  ///< a visitor's connection was there until then, at least
  /// And the broker knows that it was gone by then; kNever: it learns so from the next one.
  std::optional<Instant> closed_at{};
  std::optional<Seconds> farewell{};  ///< for how long a visitor's goodbye asks in this life
  Span lasts{kVisitorExpiry, kVisitorExpiry};  ///< its session, after what has ended last
  Instant opened_at{};
  Seconds keep_alive{0};
  std::size_t persons = 0;    ///< that a mortal has been
  std::string will;           ///< what that of this life says, and the judge calls it; empty: none
  std::string former_will{};  ///< of the life before, when a mortal comes back as the same
  Seconds will_delay{0};
  wire::QoS will_qos{};
  bool is_will_retained = false;

 private:
  client::Settings settings(Prng& prng);
  /// As somebody new, or not.
  void become_mortal(client::Settings& settings, Prng& prng);
};

/// A publisher's topics, which keep their QoS, so that their order is promised.
struct TopicKind {
  const char* prefix;
  wire::QoS qos;
};
inline constexpr std::array kTopicKinds{
    TopicKind{"live/", wire::QoS::exactly_once},
    TopicKind{"live/", wire::QoS::at_least_once},
    TopicKind{"retained/", wire::QoS::at_least_once},
    TopicKind{"shared/", wire::QoS::exactly_once},
    TopicKind{"expiring/", wire::QoS::at_least_once},
    TopicKind{"secret/", wire::QoS::at_least_once},
    TopicKind{"live/", wire::QoS::at_most_once},
    TopicKind{"changing/", wire::QoS::at_least_once},
    TopicKind{"expiring/", wire::QoS::exactly_once},
    TopicKind{"limited/", wire::QoS::at_least_once},
    TopicKind{"kept/", wire::QoS::at_least_once},
    TopicKind{"fading/", wire::QoS::at_least_once},
};
std::string topic_of(const Actor& publisher, std::size_t kind);
/// Begins with the number; now and then it is long.
std::string payload_of(const std::string& topic, std::uint64_t number);

}  // namespace mq::sim

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.hpp"
#include "broker/core.hpp"
#include "client/core.hpp"
#include "sim/judge.hpp"
#include "sim/network.hpp"
#include "storage/memory.hpp"

/// A broker and its clients, the real cores, in a world that goes wrong: a network that delays,
/// splits and cuts, a disk that is slow, a broker that crashes and keeps only what was committed.
/// First trouble, then calm, in which everything promised must come true. Everything follows from
/// the seed.
namespace mq::sim {

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);

  /// Returns the judge's complaints, and one of its own when calm does not come.
  std::vector<std::string> run();

  /// Depends on every byte that was delivered, and when.
  std::uint64_t trace() const { return trace_; }
  const Judge& judge() const { return judge_; }
  std::size_t crashes() const { return crashes_; }
  std::size_t pages() const { return pages_; }
  std::size_t cuts() const { return cuts_; }

 private:
  struct Link {
    broker::ConnectionId at_broker;
    Pipe up;
    Pipe down;
    bool is_ended = false;  ///< the broker has closed: what is on its way down still arrives
    broker::SendQueue rest;
  };
  struct Sent {
    std::string topic;
    std::uint64_t number;
  };
  struct Actor {
    std::string name;
    client::Core core;
    wire::QoS subscribes{};
    bool is_publisher = false;
    std::unique_ptr<Link> link;
    Instant opens_at = kNever;
    Instant publishes_at = kNever;
    bool is_subscribed = false;
    std::vector<std::uint64_t> numbers{};  ///< the last one of each of its topics
    std::deque<std::pair<client::Ticket, Sent>> open{};
  };

  void add_actors();
  void step(Instant until);
  Instant next_event() const;
  void make_trouble();
  void crash();
  void cut(Actor& actor);
  void move_bytes(Actor& actor);
  void obey(Actor& actor);
  void hear(Actor& actor);
  void hear_one(Actor& actor, const client::Event& event);
  void publish(Actor& actor);
  void settle_broker();
  void read();
  void commit();
  bool is_calm() const;
  void ask_for_retained();
  void note(ByteView bytes);

  Prng prng_;
  Now now_;
  broker::Config config_;
  storage::Memory store_;
  std::unique_ptr<broker::Core> broker_;
  std::vector<std::unique_ptr<Actor>> actors_;
  std::deque<Instant> reads_;    ///< when the next pages will be read
  std::deque<Instant> commits_;  ///< when each submitted batch will be stored
  Judge judge_;
  bool is_troubled_ = true;
  std::size_t crashes_ = 0;
  std::size_t pages_ = 0;
  std::size_t cuts_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325ULL;
};

}  // namespace mq::sim

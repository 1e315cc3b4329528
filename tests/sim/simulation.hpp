#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.hpp"
#include "broker/core.hpp"
#include "sim/actor.hpp"
#include "sim/faults.hpp"
#include "sim/judge.hpp"
#include "sim/network.hpp"
#include "storage/memory.hpp"

/// A broker and its clients, the real cores, in a world that goes wrong: a network that delays,
/// splits and cuts, a disk that is slow or full, clients that stop reading, a broker that crashes
/// and keeps only what was committed. First trouble, then calm, in which everything promised must
/// come true. Everything follows from the seed.
namespace mq::sim {

/// How long there is trouble, and how much is published meanwhile.
struct Trouble {
  std::uint64_t steps = 8000;  ///< so many at least
  Millis lasts{0};             ///< of the simulated world, at least
  Millis pause{80};            ///< of a publisher between two messages, at most
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed, Trouble trouble = {});

  /// Returns the judge's complaints, and one of its own when calm does not come.
  std::vector<std::string> run();

  struct Figures {
    std::uint64_t steps = 0;
    std::size_t crashes = 0, stops = 0, cuts = 0, vanished = 0, stalls = 0, reloads = 0,
                troubles = 0;
    std::size_t replacements = 0, pages = 0;
    std::uint64_t dropped = 0;  ///< from full queues, and with sessions that ended
    std::size_t limits = 0;     ///< reloads that took a right from readers
    Millis simulated{0};
  };
  const Figures& figures() const { return figures_; }
  const Judge& judge() const { return judge_; }
  /// Depends on every byte that was delivered, and when.
  std::uint64_t trace() const { return trace_; }

 private:
  // simulation.cpp: time, trouble and calm
  void add_actors();
  void step(Instant until);
  Instant next_event() const;
  void hear_ghosts();
  void make_trouble();
  void cut(Actor& actor);
  void vanish(Actor& actor);
  void replace(Actor& publisher);
  bool is_calm() const;
  void act(Actor& actor);
  /// Whether the broker may refuse what is published.
  bool refuses() const;

  // broker_side.cpp: what the broker's driver and its disk do
  void start_broker();
  void crash();
  void stop();
  bool may_crash_now();
  /// What it says that it has dropped, and from whom.
  void hear_facts();
  /// The last ones of this broker, which ends as it should.
  void hear_last_facts();
  /// How many drops it has counted, and not come to say whose they were.
  std::uint64_t untold() const;
  void reload();
  void settle_broker();
  void send_output();
  void drain(Actor& actor);
  Actor* find(broker::ConnectionId id);
  void read();
  void commit();
  void end_disk_trouble();
  void ask_for_retained();
  bool store_at_once();

  // client_side.cpp: what the clients' drivers and their owners do
  void move_bytes(Actor& actor);
  /// unheard_for  the broker will take so long to learn it
  void close(Actor& actor, std::string_view words, Millis unheard_for = Millis(0));
  void obey(Actor& actor);
  void hear(Actor& actor);
  void on_connected(Actor& actor, const client::Connected& connected);
  void on_subscribed(Actor& actor, client::Ticket ticket);
  void on_unsubscribed(Actor& actor, client::Ticket ticket);
  void change_mind(Actor& actor);
  void ask_again(Actor& actor);
  void subscribe(Actor& actor);
  void on_arrived(Actor& actor, const wire::Publish& message);
  void on_settled(Actor& actor, const client::Settled& settled);
  void publish(Actor& actor);
  void note(ByteView bytes);

  Prng prng_;
  Faults faults_;
  Now now_;
  broker::Config config_;
  bool has_rules_ = false;
  bool is_limited_ = false;  ///< by the rules nobody may read below limited/
  storage::Memory store_;
  std::unique_ptr<broker::Core> broker_;
  std::vector<std::unique_ptr<Actor>> actors_;
  /// Connections that only the broker believes in; what was on its way to it still arrives.
  std::vector<Link> ghosts_;
  std::deque<Instant> reads_;      ///< when the next pages will be read
  std::deque<Instant> commits_;    ///< when each submitted batch will be stored
  Instant trouble_ends_ = kNever;  ///< of the disk; kNever: there is none
  Judge judge_;
  bool is_troubled_ = true;
  Trouble trouble_;
  Figures figures_;
  std::uint64_t told_drops_ = 0;    ///< by the broker that runs
  std::uint64_t untold_drops_ = 0;  ///< by those that have crashed
  std::uint64_t trace_ = 0xcbf29ce484222325ULL;
};

}  // namespace mq::sim

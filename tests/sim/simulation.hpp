#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
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
  Millis stay{3000};           ///< of who comes and goes, at most; up to twice as long he is away
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
    std::size_t replacements = 0, takeovers = 0, pages = 0;
    std::size_t unread = 0;     ///< bytes had come, and the broker did not read them yet
    std::uint64_t dropped = 0;  ///< from full queues, and with sessions that ended
    std::size_t shortages = 0;
    std::uint64_t refused = 0;    ///< too large, or when there was no memory
    std::uint64_t too_large = 0;  ///< for who was to read it
    std::size_t last_rounds = 0;  ///< of those who were all there, and stayed
    std::size_t crowds = 0;       ///< connections that were too many
    std::size_t limits = 0;       ///< reloads that took a right from readers
    Millis simulated{0};
  };
  const Figures& figures() const { return figures_; }
  const Judge& judge() const { return judge_; }
  /// Depends on every byte that was delivered, and when.
  std::uint64_t trace() const { return trace_; }

 private:
  /// As much as the broker may use; it is told that it uses nothing, or more.
  static constexpr std::size_t kMemory = 1U << 20U;

  // simulation.cpp: time, trouble and calm
  void add_actors();
  void step(Instant until);
  Instant next_event() const;
  Instant next_event(const Link& link) const;
  void hear_ghosts();
  void hear_predecessors();
  void make_trouble();
  void stall(const Actor& chosen);
  void cut(Actor& actor);
  void vanish(Actor& actor);
  void replace(Actor& publisher);
  void take_over(Actor& actor);
  bool is_calm() const;
  void act(Actor& actor);
  /// Whether the broker may refuse what is published, however short.
  bool refuses() const;
  /// Whether the broker may let wait what has come to it.
  bool reads_late() const;

  // broker_side.cpp: what the broker's driver and its disk do
  void start_broker();
  void crash();
  void stop();
  bool may_crash_now();
  /// What it says that it has dropped, and from whom.
  void hear_facts();
  void hear(const broker::fact::Dropped& dropped);
  /// The last ones of this broker, which ends as it should.
  void hear_last_facts();
  /// How many drops it has counted, and not come to say whose they were.
  std::uint64_t untold() const;
  void reload();
  void settle_broker();
  void send_output();
  void drain(Link& link);
  /// Those at whose other end there is somebody.
  template <class F>
  void for_each_link(F use) {
    for (auto& actor : actors_) {
      if (actor->link != nullptr) use(*actor->link);
    }
    for (auto& former : predecessors_) use(*former.link);
  }
  Link* find(broker::ConnectionId id);
  bool may_read(const Link& link) const;
  void hand_over(Link& link, ByteView bytes);
  void set_held_back(Link& link, bool is_held_back);
  void read_on();
  void heed_throttle();
  void read();
  void commit();
  void end_disk_trouble();
  void end_shortage();
  /// Whether the broker has its disk, and memory.
  bool may_store() const { return trouble_ends_ == kNever && shortage_ends_ == kNever; }
  void ask_for_retained();
  bool store_at_once();

  // client_side.cpp: what the clients' drivers and their owners do
  void move_bytes(Actor& actor);
  void read_up(Link& link);
  /// What has arrived at the client; `hear` takes its events.
  template <class F>
  void read_down(client::Core& core, Link& link, F hear) {
    while (link.stalled_until <= now_.steady && link.down.next() <= now_.steady) {
      const auto bytes = link.down.take(now_.steady);
      note(bytes);
      core.on_bytes(bytes, now_);
      hear();
    }
  }
  void write_up(client::Core& core, Link& link);
  /// unheard_for  the broker will take so long to learn it
  void close(Actor& actor, std::string_view words, Millis unheard_for = Millis(0));
  void note_lifetime(Actor& actor, bool was_goodbye, bool is_heard);
  void obey(Actor& actor);
  void hear(Actor& actor);
  void hear(Predecessor& former);
  void on_connected(Actor& actor, const client::Connected& connected);
  void on_subscribed(Actor& actor, client::Ticket ticket);
  void on_unsubscribed(Actor& actor, client::Ticket ticket);
  void change_mind(Actor& actor);
  void ask_again(Actor& actor);
  void subscribe(Actor& actor);
  void on_arrived(Actor& actor, const wire::Publish& message);
  void check_subscription(const Actor& actor, const wire::Publish& message);
  void check_properties(const wire::Publish& message, std::string_view mark, wire::Version reader);
  std::optional<Numbered> numbered(const wire::Publish& message, wire::Version reader);
  bool is_too_large(std::string_view payload) const;
  void on_settled(Actor& actor, const client::Settled& settled);
  void publish(Actor& actor);
  void publish(Actor& actor, std::size_t kind);
  /// Whether what has just been published reaches the broker before the disk is there again.
  bool comes_in_trouble(const Actor& publisher) const;
  /// When all is quiet, QoS 0 is lost no more than what is acknowledged.
  void publish_last();
  void note(ByteView bytes);

  Prng prng_;
  Faults faults_;
  Now now_;
  broker::Config config_;
  bool has_rules_ = false;
  std::optional<std::size_t> favourite_;  ///< kind of topic, of which there is most
  bool is_limited_ = false;               ///< by the rules nobody may read below limited/
  storage::Memory store_;
  std::unique_ptr<broker::Core> broker_;
  std::vector<std::unique_ptr<Actor>> actors_;
  /// Connections that only the broker believes in; what was on its way to it still arrives.
  std::vector<Link> ghosts_;
  std::vector<Predecessor> predecessors_;
  std::deque<Instant> reads_;       ///< when the next pages will be read
  std::deque<Instant> commits_;     ///< when each submitted batch will be stored
  bool is_next_slow_ = false;       ///< the next batch takes long to be stored
  Instant trouble_ends_ = kNever;   ///< of the disk; kNever: there is none
  Instant shortage_ends_ = kNever;  ///< of memory, likewise
  std::size_t unstored_ = 0;        ///< what waited for the disk when something was last read
  Judge judge_;
  bool is_troubled_ = true;
  Trouble trouble_;
  Figures figures_;
  std::uint64_t told_drops_ = 0;    ///< by the broker that runs
  std::uint64_t untold_drops_ = 0;  ///< by those that have crashed
  std::uint64_t trace_ = 0xcbf29ce484222325ULL;
};

}  // namespace mq::sim

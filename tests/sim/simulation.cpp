#include "sim/simulation.hpp"

#include <algorithm>
#include <map>
#include <utility>

// Time jumps from one event to the next: the arrival of bytes, a deadline of a core, a batch that
// reaches the disk, a publisher's next message. Between two events everything that is owed is
// moved: what cores want to send goes into pipes, what they want of the transport is done.

namespace mq::sim {
namespace {

/// Who had no luck may have thousands of messages left to send, one after the other.
constexpr Millis kCalmAtMost = Seconds(3600);
/// A batch, with what came while the one before it was stored; and through trouble with the disk.
constexpr Millis kCommit(200);
constexpr Millis kSlowCommit(15'000);
/// With less than that to wait for the disk, clients are now and then not read.
constexpr std::size_t kSmallBacklog = 4000;
/// No client id, which is what a will says, is longer.
constexpr std::size_t kSmallestLimit = 100;
/// One that comes when another is still there, and a newcomer.
constexpr std::size_t kCrowd = 2;
/// So long after another nothing is in a message's way, be it through the lowest rate.
constexpr Millis kLastPause = Seconds(10);
/// Wills and sessions that are due come to their end.
constexpr Millis kCalmAtLeast = Seconds(15);

}  // namespace

Simulation::Simulation(std::uint64_t seed, Trouble trouble)
    : prng_(seed),
      faults_(prng_),
      now_{Instant(Millis(1'000'000)), WallTime(std::chrono::seconds(1'700'000'000))},
      judge_({}),
      trouble_(trouble) {
  config_.sys_interval = Seconds(0);
  const bool is_queue_bounded = prng_.chance(1, 4);
  config_.max_queued_messages = is_queue_bounded ? prng_.below(60) + 5 : 0;
  if (is_queue_bounded && prng_.chance(1, 2)) config_.max_queued_bytes = prng_.below(200) + 20;
  if (is_queue_bounded) config_.queue_policy = static_cast<broker::QueuePolicy>(prng_.below(3));
  config_.queue_qos0_messages = prng_.chance(1, 2);
  if (prng_.chance(1, 4)) config_.max_inflight_bytes = prng_.below(4000) + 1;
  if (prng_.chance(1, 2)) config_.max_unread_bytes = prng_.below(4000) + 1;
  config_.max_inflight_messages = static_cast<std::uint16_t>(prng_.below(20) + 1);
  if (prng_.chance(1, 2))
    config_.queue_window = {prng_.below(prng_.below(20) + 1) + 1, prng_.below(2000) + 1};
  if (prng_.chance(1, 2)) config_.retained_memory_limit = prng_.below(30);
  if (prng_.chance(1, 3)) config_.work_a_turn = prng_.below(40) + 1;
  if (prng_.chance(1, 3)) config_.max_unstored_bytes = prng_.below(kSmallBacklog);
  auto& listener = config_.listeners.front();
  if (prng_.chance(1, 6)) {
    listener.max_publish_rate = static_cast<std::uint32_t>(prng_.below(60) + 5);
  }
  if (prng_.chance(1, 6)) listener.max_bytes_rate = prng_.below(10'000) + 500;
  if (prng_.chance(1, 4)) config_.message_size_limit = prng_.below(3000) + kSmallestLimit;
  config_.memory_limit = kMemory;
  config_.connect_timeout = Seconds(prng_.below(5) + 1);
  config_.persistence = true;
  if (prng_.chance(1, 2)) config_.persistence_delay = Millis(prng_.below(100));
  config_.seed = prng_.next();
  has_rules_ = prng_.chance(1, 2);
  const bool is_disk_slow = faults_.slow_commit + faults_.disk_trouble > 0;
  judge_ = Judge({.is_queue_bounded = is_queue_bounded,
                  .refuses = refuses(),
                  .is_clock_wrong = faults_.clock_step > 0,
                  .forgets_goodbyes = faults_.crash > 0 || faults_.vanish > 0,
                  .crashes = faults_.crash > 0,
                  .publish_rate = listener.max_publish_rate,
                  .bytes_rate = listener.max_bytes_rate,
                  .is_short = faults_.shortage > 0,
                  .queues_qos0 = config_.queue_qos0_messages,
                  .reads_late = reads_late(),
                  .commits_within = is_disk_slow ? kSlowCommit : kCommit});
  if (prng_.chance(1, 2)) favourite_ = prng_.below(kTopicKinds.size());
  add_actors();
  if (prng_.chance(1, 2)) config_.global_max_connections = actors_.size() + kCrowd;
  start_broker();
}

void Simulation::add_actors() {
  const auto add = [this](Role role, std::uint64_t count) {
    for (; count > 0; --count) {
      auto& actor = *actors_.emplace_back(std::make_unique<Actor>(role, actors_.size(), prng_));
      // Others could not be told that there is no memory for their message.
      if (role == Role::publisher && faults_.shortage > 0) actor.version = wire::Version::v5;
      actor.be_born(prng_, now_);
      if (actor.is_member()) judge_.expect_share(actor.share, actor.subscribes);
      if (role <= Role::subscriber) actor.acts_at = now_.steady + Millis(prng_.below(500));
    }
  };
  add(Role::publisher, prng_.below(3) + 1);
  add(Role::subscriber, prng_.below(3) + 1);
  if (prng_.chance(1, 2)) {
    add(Role::member, prng_.below(3) + 1);
    add(Role::passer_by, prng_.below(5));
  }
  add(Role::mortal, prng_.below(3));
  add(Role::visitor, prng_.below(3));
}

std::vector<std::string> Simulation::run() {
  const Instant began = now_.steady;
  while (figures_.steps < trouble_.steps || now_.steady < began + trouble_.lasts) step(kNever);
  is_troubled_ = false;
  faults_.delay = faults_.split = 0;
  if (trouble_ends_ != kNever) end_disk_trouble();
  if (shortage_ends_ != kNever) end_shortage();
  for_each_link([this](Link& link) { link.stalled_until = now_.steady; });
  const Instant calm_at_least = now_.steady + kCalmAtLeast;
  const Instant calm_at_most = now_.steady + kCalmAtMost;
  while (now_.steady < calm_at_least) step(calm_at_least);
  while (!is_calm() && now_.steady < calm_at_most) step(calm_at_most);
  if (!is_calm()) judge_.accuse("calm did not come");
  publish_last();
  for (const auto& actor : actors_) {
    if (actor->role == Role::visitor && !actor->is_up) judge_.left(actor->judged_name());
  }
  if (faults_.crash > 0) crash();  // what has come true stays so
  ask_for_retained();
  figures_.simulated = now_.steady - began;
  broker_->shut_down(now_);
  hear_last_facts();
  return judge_.complaints(untold_drops_);
}

void Simulation::publish_last() {
  std::map<const Actor*, Instant> opened_at;
  for (const auto& actor : actors_) {
    if (actor->is_up) opened_at.emplace(actor.get(), actor->opened_at);
  }
  std::vector<Numbered> messages;
  for (auto& actor : actors_) {
    for (std::size_t kind = 0; kind < kTopicKinds.size(); ++kind) {
      const bool is_for_all = std::string_view(kTopicKinds[kind].prefix) == "live/";
      if (actor->role != Role::publisher || !is_for_all) continue;
      const auto before = actor->numbers[kind];
      publish(*actor, kind);
      obey(*actor);
      const Numbered message{topic_of(*actor, kind), actor->numbers[kind]};
      const bool is_published = message.number > before;
      if (is_published && !is_too_large(payload_of(message.topic, message.number))) {
        messages.push_back(message);
      }
      const Instant until = now_.steady + kLastPause;
      while (now_.steady < until) step(until);
    }
  }
  const bool are_all_there = std::ranges::all_of(opened_at, [](const auto& entry) {
    return entry.first->is_up && entry.first->opened_at == entry.second;
  });
  if (!are_all_there) return;  // what was under way is lost with a connection
  ++figures_.last_rounds;
  for (const auto& [actor, since] : opened_at) {
    if (!actor->is_reader() || !actor->is_subscribed) continue;
    for (const auto& message : messages) judge_.check_heard(actor->judged_name(), message);
  }
}

bool Simulation::refuses() const {
  return faults_.disk_trouble + faults_.shortage > 0 ||
         config_.queue_policy == broker::QueuePolicy::reject;
}

bool Simulation::reads_late() const {
  const auto& listener = config_.listeners.front();
  return listener.max_publish_rate > 0 || listener.max_bytes_rate > 0 ||
         config_.max_unstored_bytes < kSmallBacklog;
}

Instant Simulation::next_event() const {
  Instant next = std::min({broker_->next_deadline(), trouble_ends_, shortage_ends_});
  if (!commits_.empty() && trouble_ends_ == kNever) next = std::min(next, commits_.front());
  if (!reads_.empty()) next = std::min(next, reads_.front());
  for (const auto& ghost : ghosts_) {
    if (may_read(ghost)) next = std::min(next, ghost.up.next());
  }
  for (const auto& former : predecessors_) {
    next = std::min({next, former.core->next_deadline(), next_event(*former.link)});
  }
  for (const auto& actor : actors_) {
    next = std::min({next, actor->core->next_deadline(), actor->opens_at});
    if (is_troubled_) next = std::min(next, actor->acts_at);
    if (actor->link != nullptr) next = std::min(next, next_event(*actor->link));
  }
  return next;
}

Instant Simulation::next_event(const Link& link) const {
  const Instant up = !link.is_ended && may_read(link) ? link.up.next() : kNever;
  if (link.stalled_until > now_.steady) return std::min(up, link.stalled_until);
  if (link.is_ended ? link.down.empty() : link.is_owed) return now_.steady;
  return std::min(up, link.down.next());
}

void Simulation::step(Instant until) {
  ++figures_.steps;
  const Instant next = std::clamp(next_event(), now_.steady, until);
  MQ_CHECK(next != kNever);
  now_.wall += next - now_.steady;
  now_.steady = next;
  if (trouble_ends_ <= now_.steady) end_disk_trouble();
  if (shortage_ends_ <= now_.steady) end_shortage();
  if (broker_->next_deadline() <= now_.steady) broker_->on_deadline(now_);
  read();
  commit();
  if (is_troubled_) make_trouble();
  hear_ghosts();
  hear_predecessors();
  for (auto& actor : actors_) {
    if (actor->core->next_deadline() <= now_.steady) actor->core->on_deadline(now_);
    if (is_troubled_ && actor->acts_at <= now_.steady) act(*actor);
    move_bytes(*actor);
    hear(*actor);
    obey(*actor);
    settle_broker();
  }
}

void Simulation::hear_ghosts() {
  std::vector<std::vector<Byte>> heard;  // they stay until the turn is over
  for (auto& ghost : ghosts_) {
    while (may_read(ghost) && !heard.emplace_back(ghost.up.take(now_.steady)).empty()) {
      hand_over(ghost, heard.back());
      heed_throttle();
    }
  }
  unstored_ = broker_->unstored_bytes();
  if (!heard.empty()) settle_broker();
}

/// They live until the broker takes their connections away, and are told why.
void Simulation::hear_predecessors() {
  for (auto& former : predecessors_) {
    Link& link = *former.link;
    if (former.core->next_deadline() <= now_.steady) former.core->on_deadline(now_);
    read_up(link);
    read_down(*former.core, link, [&] { hear(former); });
    if (former.core->transport() == client::Transport::open) {
      write_up(*former.core, link);
    } else {
      if (!link.is_ended) broker_->on_close(link.at_broker, now_);
      link.is_ended = true;
      link.down.clear();
    }
    settle_broker();
  }
  std::erase_if(predecessors_, [](const Predecessor& former) {
    return former.link->is_ended && former.link->down.empty();
  });
}

void Simulation::make_trouble() {
  const auto strikes = [this](std::uint64_t one_in) { return Faults::strike(one_in, prng_); };
  Actor& actor = *actors_[prng_.below(actors_.size())];
  if (strikes(faults_.crash)) crash();
  if (strikes(faults_.stop)) stop();
  if (strikes(faults_.cut)) cut(actor);
  if (strikes(faults_.vanish)) vanish(actor);
  if (strikes(faults_.reload)) reload();
  if (strikes(faults_.stall)) stall(actor);
  if (strikes(faults_.disk_trouble) && trouble_ends_ == kNever) {
    ++figures_.troubles;
    trouble_ends_ = now_.steady + Millis(prng_.below(3000) + 1);
    broker_->on_store_trouble(true);
  }
  if (strikes(faults_.shortage) && shortage_ends_ == kNever) {
    ++figures_.shortages;
    shortage_ends_ = now_.steady + Millis(prng_.below(3000) + 1);
    broker_->on_heap(kMemory + 1);
  }
  if (strikes(faults_.crowd)) {
    for (auto strangers = prng_.below(10); strangers > 0; --strangers) broker_->on_open(0, now_);
  }
  if (strikes(faults_.newcomer) && may_store()) ask_for_retained();
  if (strikes(faults_.clock_step)) {
    now_.wall += prng_.chance(1, 2) ? std::chrono::hours(1) : -std::chrono::hours(1);
  }
}

/// Of a share all, so that what is for it has to wait.
void Simulation::stall(const Actor& chosen) {
  const Instant until = now_.steady + Millis(prng_.below(Faults::kStall.count()));
  const auto is_hit = [&chosen](const Actor& actor) {
    return &actor == &chosen ||
           (chosen.is_member() && actor.is_member() && actor.share == chosen.share);
  };
  for (auto& actor : actors_) {
    if (actor->link == nullptr || !is_hit(*actor)) continue;
    ++figures_.stalls;
    actor->link->stalled_until = until;
    judge_.stalled(actor->judged_name(), until);
  }
}

void Simulation::cut(Actor& actor) {
  if (actor.link == nullptr) return;
  ++figures_.cuts;
  if (!actor.link->is_ended) broker_->on_close(actor.link->at_broker, now_);
  close(actor, "the connection was cut");
}

void Simulation::vanish(Actor& actor) {
  // A CONNECT that came behind the next one would take over from it, which is final.
  if (actor.link == nullptr || !actor.is_up) return;
  if (!actor.is_there_to_stay() && actor.left_at) return;
  // Without a keep alive the broker would never learn that a mortal is dead, whose id is nobody
  // else's.
  if (actor.role == Role::mortal && actor.keep_alive == Seconds(0)) return;
  ++figures_.vanished;
  if (actor.link->is_ended) return close(actor, "the connection vanished");
  ghosts_.push_back(std::move(*actor.link));
  close(actor, "the connection vanished", actor.keep_alive * 3 / 2);
  actor.closed_at = kNever;
}

/// Another process goes on with the session of one that had nothing under way: it gives packet ids
/// out anew.
void Simulation::replace(Actor& publisher) {
  ++figures_.replacements;
  const bool is_there = publisher.is_up && !publisher.link->is_ended;
  if (is_there && prng_.chance(1, 2)) return take_over(publisher);
  cut(publisher);
  publisher.be_born(prng_, now_);
}

/// Another process comes with the client id of one that is there.
void Simulation::take_over(Actor& actor) {
  ++figures_.takeovers;
  predecessors_.push_back(
      {actor.name, actor.judged_name(), std::move(actor.core), std::move(actor.link)});
  actor.left_at = now_.steady;
  actor.closed_at = kNever;
  actor.be_born(prng_, now_);
}

/// A publisher publishes; a subscriber changes its mind; a mortal or a visitor leaves, in one way
/// or the other, or returns.
void Simulation::act(Actor& actor) {
  if (actor.role == Role::publisher) {
    if (actor.open.empty() && prng_.chance(1, 10)) replace(actor);
    return publish(actor);
  }
  if (actor.role == Role::subscriber) return change_mind(actor);
  actor.acts_at = kNever;
  if (!actor.is_up) {
    if (actor.link == nullptr) return actor.be_born(prng_, now_);
    actor.acts_at = now_.steady + Seconds(1);
  } else if (actor.role == Role::visitor && !actor.link->is_ended && prng_.chance(1, 3)) {
    take_over(actor);
  } else if (prng_.chance(1, 2)) {
    cut(actor);
  } else {
    actor.left_at = now_.steady;
    if (actor.link->is_ended) actor.link->is_broken = true;  // nobody hears it
    actor.core->disconnect(wire::ReasonCode::normal_disconnection, now_);
  }
}

bool Simulation::is_calm() const {
  if (!commits_.empty() || !reads_.empty() || broker_->has_dirty()) return false;
  if (!predecessors_.empty()) return false;
  if (now_.steady <= judge_.last_due()) return false;
  for (const auto& actor : actors_) {
    if (actor->role == Role::visitor && actor->is_up) {
      if (!actor->link->up.empty() || !actor->link->down.empty()) return false;
      if (store_.queue_size(actor->name) > 0) return false;
    }
    if (actor->role == Role::passer_by && store_.queue_size(actor->name) > 0) return false;
    if (!actor->is_there_to_stay()) continue;
    if (!actor->core->is_connected() || !actor->open.empty()) return false;
    if (!actor->link->up.empty() || !actor->link->down.empty()) return false;
    if (actor->role != Role::publisher && !actor->is_subscribed) return false;
    if (store_.queue_size(actor->name) > 0) return false;
  }
  return true;
}

}  // namespace mq::sim

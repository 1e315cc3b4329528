#include <algorithm>
#include <array>
#include <span>

#include "sim/simulation.hpp"
#include "wire/encode.hpp"

namespace mq::sim {

namespace {

/// Publishers may do anything; of the others nobody may read below secret/, nor, now and then,
/// below limited/.
std::shared_ptr<const broker::AccessRules> rules(bool is_limited) {
  broker::AccessRules rules;
  rules.file = "rules";
  constexpr std::uint8_t kAll = 3;
  rules.anonymous.add({"#", kAll, 1});
  rules.anonymous.add({"secret/#", 0, 2});
  // Not limited/#: subscribing to that would be denied, too.
  if (is_limited) rules.anonymous.add({"limited/+/9", 0, 4});
  for (int i = 0; i < 3; ++i) {
    rules.users["publisher" + std::to_string(i)].add({"#", kAll, 3});
  }
  return std::make_shared<const broker::AccessRules>(std::move(rules));
}

/// By which somebody may miss what was acknowledged.
constexpr std::array kLosses{broker::Drop::queue_full, broker::Drop::left_behind};
/// By which what was published, or a will, comes to nobody.
constexpr std::array kRefusals{broker::Drop::size_limit, broker::Drop::memory};

bool is_among(std::span<const broker::Drop> reasons, broker::Drop reason) {
  return std::ranges::find(reasons, reason) != reasons.end();
}

}  // namespace

void Simulation::start_broker() {
  broker_ = std::make_unique<broker::Core>(config_, now_, store_.load(config_.budget()));
  if (has_rules_) broker_->use_rules(0, rules(is_limited_));
  if (trouble_ends_ != kNever) broker_->on_store_trouble(true);
  if (shortage_ends_ != kNever) broker_->on_heap(kMemory + 1);
}

/// What was committed stays, and what was sent may still arrive. That somebody had left may be
/// forgotten.
void Simulation::crash() {
  ++figures_.crashes;
  judge_.crashed(now_.steady);
  untold_drops_ += untold();
  figures_.dropped += untold();
  told_drops_ = 0;
  store_.crash();
  commits_.clear();
  reads_.clear();
  ghosts_.clear();
  start_broker();
  for (auto& actor : actors_) {
    if (actor->closed_at) actor->closed_at = now_.steady;
  }
  for_each_link([this](Link& link) {
    if (!link.is_ended) link.ended_at = now_.steady;
    link.is_ended = link.is_broken = true;
    link.up.clear();
    if (prng_.chance(1, 2)) link.down.clear();
  });
  if (is_troubled_ && may_store()) ask_for_retained();
}

/// It says goodbye to everyone, stores what is to be stored, and another process goes on.
void Simulation::stop() {
  if (trouble_ends_ != kNever) return;
  ++figures_.stops;
  judge_.restarted(now_.steady);
  for (auto& actor : actors_) {
    Link* link = actor->link.get();
    if (link != nullptr && !link->is_ended && actor->left_at) link->is_broken = true;
  }
  for (auto& former : predecessors_) former.link->is_broken = true;
  broker_->shut_down(now_);
  while (store_at_once()) {
  }
  send_output();
  hear_last_facts();
  commits_.clear();
  reads_.clear();
  ghosts_.clear();
  start_broker();
  for (auto& actor : actors_) {
    // By a clock that has been put back nobody has slept at all.
    if (actor->closed_at && faults_.clock_step > 0) actor->closed_at = now_.steady;
  }
  for_each_link([](Link& link) { link.up.clear(); });
}

void Simulation::hear_facts() {
  for (const auto& fact : broker_->take_facts()) {
    if (const auto* dropped = std::get_if<broker::fact::Dropped>(&fact)) hear(*dropped);
    const auto* ended = std::get_if<broker::fact::Ended>(&fact);
    if (ended != nullptr && ended->end == broker::fact::End::too_many) ++figures_.crowds;
  }
}

void Simulation::hear(const broker::fact::Dropped& dropped) {
  if (dropped.reason == broker::Drop::too_large) {
    figures_.too_large += dropped.count;
    judge_.too_large(dropped.client_id, dropped.count);
  } else if (is_among(kRefusals, dropped.reason)) {
    figures_.refused += dropped.count;
    judge_.dropped(dropped.client_id, dropped.count);
  }
  if (!is_among(kLosses, dropped.reason)) return;
  if (dropped.reason == broker::Drop::queue_full && config_.max_queued_messages == 0) {
    judge_.accuse("the queue of " + dropped.client_id + " has no limit, and was full");
  }
  told_drops_ += dropped.count;
  figures_.dropped += dropped.count;
  const auto actor =
      std::ranges::find(actors_, dropped.client_id, [](const auto& entry) { return entry->name; });
  const bool is_member = actor != actors_.end() && (*actor)->is_member();
  judge_.dropped(is_member ? (*actor)->share : dropped.client_id, dropped.count);
}

std::uint64_t Simulation::untold() const {
  std::uint64_t counted = 0;
  for (const auto reason : kLosses) {
    counted += broker_->stats().drops[static_cast<std::size_t>(reason)];
  }
  return counted - told_drops_;
}

void Simulation::hear_last_facts() {
  hear_facts();
  if (untold() > 0) judge_.accuse("the broker ended, and did not say what it had dropped");
  told_drops_ = 0;
}

/// Between two things that the driver does one after the other.
bool Simulation::may_crash_now() {
  if (!is_troubled_ || !Faults::strike(faults_.crash * 20, prng_)) return false;
  crash();
  return true;
}

void Simulation::reload() {
  ++figures_.reloads;
  config_.max_inflight_messages = static_cast<std::uint16_t>(prng_.below(20) + 1);
  if (config_.max_queued_messages > 0) config_.max_queued_messages = prng_.below(60) + 5;
  broker_->use_config(config_, now_);
  if (!has_rules_) return;
  if (prng_.chance(1, 2)) {
    is_limited_ = !is_limited_;
    if (is_limited_) {
      ++figures_.limits;
      judge_.limits_readers();
    } else {
      judge_.lets_readers();
    }
  }
  broker_->use_rules(0, rules(is_limited_));
}

Link* Simulation::find(broker::ConnectionId id) {
  Link* found = nullptr;
  for_each_link([&](Link& link) {
    if (!link.is_ended && link.at_broker == id) found = &link;
  });
  return found;
}

bool Simulation::may_read(const Link& link) const {
  return !link.is_throttled && !link.is_held_back &&
         broker_->owed_bytes(link.at_broker).value_or(0) <= broker_->unread_max();
}

void Simulation::hand_over(Link& link, ByteView bytes) {
  broker_->on_bytes(link.at_broker, bytes, now_);
  if (broker_->is_store_behind()) set_held_back(link, true);
}

void Simulation::set_held_back(Link& link, bool is_held_back) {
  link.is_held_back = is_held_back;
  broker_->hold_back(link.at_broker, is_held_back, now_);
}

void Simulation::read_on() {
  if (broker_->is_store_behind()) return;
  for_each_link([this](Link& link) {
    if (link.is_held_back && !link.is_ended) set_held_back(link, false);
  });
  for (auto& ghost : ghosts_) {
    if (ghost.is_held_back) set_held_back(ghost, false);
  }
}

void Simulation::heed_throttle() {
  const auto set = [this](broker::ConnectionId id, bool is_throttled) {
    if (Link* link = find(id)) link->is_throttled = is_throttled;
    for (auto& ghost : ghosts_) {
      if (ghost.at_broker == id) ghost.is_throttled = is_throttled;
    }
  };
  for (const auto id : broker_->take_throttled()) set(id, true);
  for (const auto id : broker_->take_released()) set(id, false);
}

void Simulation::drain(Link& link) {
  link.is_owed = link.stalled_until > now_.steady;
  auto* queue = broker_->output(link.at_broker);
  if (link.is_owed || queue == nullptr) return;
  std::array<ByteView, 8> pieces;
  while (!queue->empty()) {
    queue->gather(pieces);
    link.down.send(pieces[0], now_.steady, faults_, prng_);
    queue->sent(pieces[0].size());
  }
  broker_->on_drained(link.at_broker, now_);
}

void Simulation::send_output() {
  for (int round = 0; round < 3 && broker_->has_dirty(); ++round) {
    for (const auto id : broker_->take_dirty()) {
      if (Link* link = find(id)) drain(*link);
    }
  }
  for (auto& closing : broker_->take_closing()) {
    std::erase_if(ghosts_,
                  [&](const Link& ghost) { return ghost.at_broker == closing.connection; });
    Link* link = find(closing.connection);
    if (link == nullptr) continue;
    std::array<ByteView, 8> pieces;
    while (!closing.rest.empty()) {
      closing.rest.gather(pieces);
      link->down.send(pieces[0], now_.steady, faults_, prng_);
      closing.rest.sent(pieces[0].size());
    }
    link->is_ended = true;
    link->ended_at = now_.steady;
  }
  broker_->end_turn();
}

void Simulation::settle_broker() {
  for_each_link([this](Link& link) {
    if (!link.is_ended && link.is_owed) drain(link);
  });
  heed_throttle();
  judge_.backlog(broker_->unstored_bytes(), std::max(config_.max_unstored_bytes, unstored_));
  if (may_crash_now()) return;
  for (auto& load : broker_->take_loads()) {
    store_.load(std::move(load));
    reads_.push_back(now_.steady + Millis(prng_.below(8)));
  }
  if (auto batch = broker_->take_batch()) {
    store_.submit(std::move(*batch));
    const bool is_slow = is_troubled_ && (std::exchange(is_next_slow_, false) ||
                                          Faults::strike(faults_.slow_commit, prng_));
    const Millis delay(prng_.below(is_slow ? 3000 : 8));
    const Instant earliest = commits_.empty() ? now_.steady : commits_.back();
    commits_.push_back(std::max(earliest, now_.steady + delay));
  }
  if (commits_.empty()) read_on();
  if (may_crash_now()) return;
  send_output();
  hear_facts();
}

void Simulation::read() {
  if (reads_.empty() || reads_.front() > now_.steady) return;
  reads_.clear();
  store_.answer_loads();
  for (const auto& page : store_.take_pages()) {
    ++figures_.pages;
    broker_->on_loaded(page, now_);
  }
  settle_broker();
}

void Simulation::commit() {
  if (trouble_ends_ != kNever) return;
  while (!commits_.empty() && commits_.front() <= now_.steady) {
    commits_.pop_front();
    store_.commit();
    if (may_crash_now()) return;
    broker_->on_stored(store_.stored(), now_);
    settle_broker();
    read_on();
  }
}

void Simulation::end_disk_trouble() {
  trouble_ends_ = kNever;
  broker_->on_store_trouble(false);
}

void Simulation::end_shortage() {
  shortage_ends_ = kNever;
  broker_->on_heap(0);
}

/// A newcomer subscribes, at some QoS, unless a crowd is in his way. In the end the broker may
/// crash when it has said that the newcomer is subscribed; before that he leaves again.
void Simulation::ask_for_retained() {
  bool may_crash = !is_troubled_ && faults_.crash > 0 && prng_.chance(1, 2);
  const auto qos = static_cast<wire::QoS>(prng_.below(3));
  std::vector<Byte> to_say;
  const auto say = [&to_say](const auto& packet) {
    wire::encode(packet, wire::Version::v311, to_say);
  };
  const auto hear = [&](ByteView frame) {
    const auto packet = wire::decode(frame, wire::Version::v311).value();
    if (const auto* publish = std::get_if<wire::Publish>(&packet)) {
      if (publish->qos == wire::QoS::at_least_once)
        say(wire::Puback{.packet_id = publish->packet_id});
      if (publish->qos == wire::QoS::exactly_once)
        say(wire::Pubrec{.packet_id = publish->packet_id});
      if (!publish->retain) return false;  // it was published a moment ago
      if (publish->topic.starts_with("wills/")) {
        judge_.will_is_retained(std::string(text_of(publish->payload)));
      } else if (const auto known = numbered(*publish, wire::Version::v311)) {
        if (known->topic.starts_with("fading/")) {
          judge_.check_faded(*known, now_.steady);
        } else {
          judge_.retained(known->topic, known->number);
        }
      }
    } else if (const auto* pubrel = std::get_if<wire::Pubrel>(&packet)) {
      say(wire::Pubcomp{.packet_id = pubrel->packet_id});
    }
    return std::holds_alternative<wire::Suback>(packet);
  };
  const wire::Connect connect{.clean_start = is_troubled_, .client_id = "newcomer"};
  say(connect);
  say(wire::Subscribe{.packet_id = 1,
                      .subscriptions = {{"retained/#", {.qos = qos}},
                                        {"kept/#", {.qos = qos}},
                                        {"fading/#", {.qos = qos}},
                                        {"wills/#", {.qos = qos}}}});
  auto id = broker_->on_open(0, now_);
  wire::Framer framer;
  for (bool is_over = false; !is_over;) {
    const auto said = std::exchange(to_say, {});
    if (!said.empty()) broker_->on_bytes(id, said, now_);
    is_over = said.empty() && !store_at_once();
    bool is_subscribed = false;
    std::array<ByteView, 8> pieces;
    auto* queue = broker_->output(id);
    if (queue == nullptr) {
      MQ_CHECK(is_troubled_);
      return;
    }
    for (; !queue->empty(); is_over = false) {
      queue->gather(pieces);
      framer.feed(pieces[0]);
      while (const auto frame = framer.next(wire::kMaximumPacketSize).value()) {
        is_subscribed = hear(*frame) || is_subscribed;
      }
      queue->sent(pieces[0].size());
    }
    broker_->on_drained(id, now_);
    broker_->end_turn();
    if (broker_->next_deadline() <= now_.steady) {
      broker_->on_deadline(now_);
      is_over = false;
    }
    if (!is_subscribed || !std::exchange(may_crash, false)) continue;
    crash();
    id = broker_->on_open(0, now_);
    framer = {};
    to_say.clear();
    say(connect);
  }
  if (is_troubled_) broker_->on_close(id, now_);
  judge_.check_retained();
}

/// What is to be stored, and what is asked for. Returns whether there was anything.
bool Simulation::store_at_once() {
  for (auto& load : broker_->take_loads()) store_.load(std::move(load));
  store_.answer_loads();
  const auto pages = store_.take_pages();
  for (const auto& page : pages) broker_->on_loaded(page, now_);
  auto batch = broker_->take_batch();
  const bool has_batch = batch.has_value();
  if (has_batch) store_.submit(std::move(*batch));
  while (store_.commit()) broker_->on_stored(store_.stored(), now_);
  return has_batch || !pages.empty();
}

}  // namespace mq::sim

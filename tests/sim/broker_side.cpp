#include <algorithm>
#include <array>
#include <charconv>

#include "sim/simulation.hpp"
#include "wire/encode.hpp"

namespace mq::sim {

namespace {

/// Publishers may do anything; of the others nobody may read below secret/.
std::shared_ptr<const broker::AccessRules> rules() {
  broker::AccessRules rules;
  rules.file = "rules";
  constexpr std::uint8_t kAll = 3;
  rules.anonymous.add({"#", kAll, 1});
  rules.anonymous.add({"secret/#", 0, 2});
  for (int i = 0; i < 3; ++i) {
    rules.users["publisher" + std::to_string(i)].add({"#", kAll, 3});
  }
  return std::make_shared<const broker::AccessRules>(std::move(rules));
}

}  // namespace

void Simulation::start_broker() {
  broker_ = std::make_unique<broker::Core>(config_, now_, store_.load(config_.budget()));
  if (has_rules_) broker_->use_rules(0, rules());
  if (trouble_ends_ != kNever) broker_->on_store_trouble(true);
}

/// What was committed stays, and what was sent may still arrive. That somebody had left may be
/// forgotten.
void Simulation::crash() {
  ++figures_.crashes;
  figures_.dropped += broker_->stats().drops[static_cast<std::size_t>(broker::Drop::queue_full)];
  store_.crash();
  commits_.clear();
  reads_.clear();
  ghosts_.clear();
  start_broker();
  for (auto& actor : actors_) {
    if (actor->closed_at) actor->closed_at = now_.steady;
    if (actor->link == nullptr) continue;
    actor->link->is_ended = actor->link->is_broken = true;
    actor->link->up.clear();
    if (prng_.chance(1, 2)) actor->link->down.clear();
  }
}

/// Between two things that the driver does one after the other.
bool Simulation::may_crash_now() {
  if (!is_troubled_ || !Faults::strike(faults_.crash * 20, prng_)) return false;
  crash();
  return true;
}

void Simulation::reload() {
  if (!has_rules_) return;
  ++figures_.reloads;
  broker_->use_rules(0, rules());
}

Actor* Simulation::find(broker::ConnectionId id) {
  const auto found = std::ranges::find_if(actors_, [id](const auto& actor) {
    return actor->link != nullptr && !actor->link->is_ended && actor->link->at_broker == id;
  });
  return found == actors_.end() ? nullptr : found->get();
}

void Simulation::drain(Actor& actor) {
  Link& link = *actor.link;
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
      if (Actor* actor = find(id)) drain(*actor);
    }
  }
  for (auto& closing : broker_->take_closing()) {
    std::erase_if(ghosts_,
                  [&](const Link& ghost) { return ghost.at_broker == closing.connection; });
    Actor* actor = find(closing.connection);
    if (actor == nullptr) continue;
    std::array<ByteView, 8> pieces;
    while (!closing.rest.empty()) {
      closing.rest.gather(pieces);
      actor->link->down.send(pieces[0], now_.steady, faults_, prng_);
      closing.rest.sent(pieces[0].size());
    }
    actor->link->is_ended = true;
  }
  broker_->end_turn();
}

void Simulation::settle_broker() {
  for (auto& actor : actors_) {
    Link* link = actor->link.get();
    if (link != nullptr && !link->is_ended && link->is_owed) drain(*actor);
  }
  if (may_crash_now()) return;
  for (auto& load : broker_->take_loads()) {
    store_.load(std::move(load));
    reads_.push_back(now_.steady + Millis(prng_.below(8)));
  }
  if (auto batch = broker_->take_batch()) {
    store_.submit(std::move(*batch));
    const bool is_slow = is_troubled_ && Faults::strike(faults_.slow_commit, prng_);
    const Millis delay(prng_.below(is_slow ? 3000 : 8));
    const Instant earliest = commits_.empty() ? now_.steady : commits_.back();
    commits_.push_back(std::max(earliest, now_.steady + delay));
  }
  if (may_crash_now()) return;
  send_output();
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
  }
}

void Simulation::end_disk_trouble() {
  trouble_ends_ = kNever;
  broker_->on_store_trouble(false);
}

void Simulation::ask_for_retained() {
  const auto id = broker_->on_open(0, now_);
  std::vector<Byte> bytes;
  wire::encode(wire::Connect{.client_id = "newcomer"}, wire::Version::v311, bytes);
  wire::encode(wire::Subscribe{.packet_id = 1, .subscriptions = {{"retained/#", {}}}},
               wire::Version::v311, bytes);
  broker_->on_bytes(id, bytes, now_);
  wire::Framer framer;
  std::array<ByteView, 8> pieces;
  auto* queue = broker_->output(id);
  const auto read_bodies = [this] {
    for (auto& load : broker_->take_loads()) store_.load(std::move(load));
    store_.answer_loads();
    const auto pages = store_.take_pages();
    for (const auto& page : pages) broker_->on_loaded(page, now_);
    return !pages.empty();
  };
  while (!queue->empty() || read_bodies()) {
    if (queue->empty()) continue;
    queue->gather(pieces);
    framer.feed(pieces[0]);
    while (const auto frame = framer.next(wire::kMaximumPacketSize).value()) {
      if (wire::packet_type(*frame) != wire::PacketType::publish) continue;
      const auto publish = wire::decode_publish(*frame, wire::Version::v311);
      std::uint64_t number = 0;
      const auto text = text_of(publish->payload);
      std::from_chars(text.data(), text.data() + text.size(), number);
      judge_.retained(std::string(publish->topic), number);
    }
    queue->sent(pieces[0].size());
    broker_->on_drained(id, now_);
  }
}

}  // namespace mq::sim

#include "sim/simulation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "wire/encode.hpp"

// Time jumps from one event to the next: the arrival of bytes, a deadline of a core, a batch that
// reaches the disk, a publisher's next message. Between two events everything that is owed is
// moved: what cores want to send goes into pipes, what they want of the transport is done.

namespace mq::sim {
namespace {

using broker::ConnectionId;
using wire::PropertyId;
using wire::PropertyList;
using wire::QoS;
using wire::Version;

constexpr Millis kTrouble = Seconds(20);
constexpr Millis kCalmAtMost = Seconds(600);
constexpr std::size_t kTopics = 3;  ///< of each publisher; the last one is retained

QoS random_qos(Prng& prng) {
  return static_cast<QoS>(prng.below(3));
}

std::string topic_of(const std::string& publisher, std::size_t topic) {
  return (topic + 1 == kTopics ? "retained/" : "live/") + publisher + "/" + std::to_string(topic);
}

/// Topics keep their QoS, so that their order is promised.
QoS qos_of(std::size_t topic) {
  return static_cast<QoS>(topic == 0 ? 2 : 1);
}

}  // namespace

Simulation::Simulation(std::uint64_t seed)
    : prng_(seed), now_{Instant(Millis(1'000'000)), WallTime(std::chrono::seconds(1'700'000'000))} {
  config_.sys_interval = Seconds(0);
  config_.max_queued_messages = 0;
  config_.max_inflight_messages = static_cast<std::uint16_t>(prng_.below(20) + 1);
  if (prng_.chance(1, 2)) config_.queue_window = {prng_.below(20) + 1, prng_.below(2000) + 1};
  if (prng_.chance(1, 2)) config_.retained_memory_limit = prng_.below(30);
  config_.persistence = true;
  config_.seed = prng_.next();
  broker_ = std::make_unique<broker::Core>(config_, now_);
  add_actors();
}

void Simulation::add_actors() {
  const auto publishers = prng_.below(3) + 1;
  const auto count = publishers + prng_.below(3) + 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    client::Settings settings;
    settings.version = prng_.chance(1, 2) ? Version::v5 : Version::v311;
    settings.client_id = (i < publishers ? "publisher" : "subscriber") + std::to_string(i);
    settings.clean_start = false;
    settings.keep_alive = static_cast<std::uint16_t>(prng_.chance(1, 2) ? 0 : 5 + prng_.below(10));
    settings.retry = client::Retry::always;
    settings.retry_first = Millis(100);
    settings.retry_max = Seconds(3);
    settings.connect_timeout = Seconds(5);
    if (settings.version == Version::v5) {
      settings.properties.add(PropertyId::session_expiry_interval, UINT32_MAX);
      settings.properties.add(PropertyId::receive_maximum,
                              static_cast<std::uint32_t>(prng_.below(10) + 1));
    }
    const std::string name = settings.client_id;
    auto& actor = *actors_.emplace_back(
        std::make_unique<Actor>(Actor{.name = name,
                                      .core = client::Core(std::move(settings), Prng(prng_.next())),
                                      .subscribes = random_qos(prng_),
                                      .is_publisher = i < publishers,
                                      .link = nullptr,
                                      .numbers = std::vector<std::uint64_t>(kTopics, 0)}));
    if (actor.is_publisher) actor.publishes_at = now_.steady + Millis(prng_.below(500));
    actor.core.connect(now_);
  }
}

std::vector<std::string> Simulation::run() {
  const Instant trouble_ends = now_.steady + kTrouble;
  while (now_.steady < trouble_ends) step(trouble_ends);
  is_troubled_ = false;
  const Instant calm_ends = now_.steady + kCalmAtMost;
  while (!is_calm() && now_.steady < calm_ends) step(calm_ends);
  std::vector<std::string> complaints;
  if (!is_calm()) complaints.emplace_back("calm did not come");
  ask_for_retained();
  for (auto& words : judge_.complaints()) complaints.push_back(std::move(words));
  return complaints;
}

Instant Simulation::next_event() const {
  Instant next = broker_->next_deadline();
  if (!commits_.empty()) next = std::min(next, commits_.front());
  if (!reads_.empty()) next = std::min(next, reads_.front());
  for (const auto& actor : actors_) {
    next = std::min({next, actor->core.next_deadline(), actor->opens_at});
    if (is_troubled_) next = std::min(next, actor->publishes_at);
    if (actor->link != nullptr) {
      next = std::min({next, actor->link->up.next(), actor->link->down.next()});
    }
  }
  return next;
}

void Simulation::step(Instant until) {
  const Instant next = std::clamp(next_event(), now_.steady, until);
  now_.wall += next - now_.steady;
  now_.steady = next;
  if (broker_->next_deadline() <= now_.steady) broker_->on_deadline(now_);
  read();
  commit();
  if (is_troubled_) make_trouble();
  for (auto& actor : actors_) {
    if (actor->core.next_deadline() <= now_.steady) actor->core.on_deadline(now_);
    if (is_troubled_ && actor->publishes_at <= now_.steady) publish(*actor);
    move_bytes(*actor);
    hear(*actor);
    obey(*actor);
    settle_broker();
  }
}

void Simulation::make_trouble() {
  if (prng_.chance(1, 4000)) crash();
  if (prng_.chance(1, 500)) cut(*actors_[prng_.below(actors_.size())]);
}

void Simulation::crash() {
  ++crashes_;
  store_.crash();
  commits_.clear();
  reads_.clear();
  broker_ = std::make_unique<broker::Core>(config_, now_, store_.load(config_.budget()));
  for (auto& actor : actors_) {
    if (actor->link == nullptr) continue;
    actor->link.reset();
    actor->core.on_close("the broker crashed", now_);
  }
}

void Simulation::cut(Actor& actor) {
  if (actor.link == nullptr) return;
  ++cuts_;
  if (!actor.link->is_ended) broker_->on_close(actor.link->at_broker, now_);
  actor.link.reset();
  actor.core.on_close("the connection was cut", now_);
}

void Simulation::move_bytes(Actor& actor) {
  if (actor.link == nullptr) return;
  Link& link = *actor.link;
  for (auto bytes = link.up.take(now_.steady); !bytes.empty(); bytes = link.up.take(now_.steady)) {
    note(bytes);
    if (!link.is_ended) broker_->on_bytes(link.at_broker, bytes, now_);
    settle_broker();
  }
  for (auto bytes = link.down.take(now_.steady); !bytes.empty();
       bytes = link.down.take(now_.steady)) {
    note(bytes);
    actor.core.on_bytes(bytes, now_);
    hear(actor);
  }
  if (link.is_ended && link.down.next() == kNever) {
    actor.link.reset();
    actor.core.on_close("closed by the broker", now_);
  }
}

void Simulation::obey(Actor& actor) {
  if (actor.core.transport() == client::Transport::none && actor.link != nullptr) {
    if (!actor.link->is_ended) broker_->on_close(actor.link->at_broker, now_);
    actor.link.reset();
  }
  if (actor.core.transport() == client::Transport::open && actor.link == nullptr) {
    if (actor.opens_at == kNever) actor.opens_at = now_.steady + Millis(prng_.below(20));
    if (actor.opens_at > now_.steady) return;
    actor.opens_at = kNever;
    actor.link = std::make_unique<Link>();
    actor.link->at_broker = broker_->on_open(0, now_);
    actor.core.on_open(now_);
  }
  if (actor.link == nullptr) return;
  std::array<ByteView, 8> pieces;
  while (actor.core.has_output()) {
    const auto count = actor.core.gather(pieces);
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      actor.link->up.send(pieces[i], now_.steady, prng_);
      size += pieces[i].size();
    }
    actor.core.on_sent(size, now_);
  }
}

void Simulation::hear(Actor& actor) {
  while (const auto event = actor.core.next_event(now_)) hear_one(actor, *event);
}

void Simulation::hear_one(Actor& actor, const client::Event& event) {
  if (const auto* connected = std::get_if<client::Connected>(&event)) {
    if (actor.is_publisher) return;
    judge_.connected(actor.name, connected->session_present);
    if (!actor.is_subscribed) {
      const auto ticket = actor.core.subscribe(
          {.packet_id = 0,
           .properties = {},
           .subscriptions = {{"live/#", {.qos = actor.subscribes}},
                             {"retained/#",
                              {.qos = actor.subscribes,
                               .retain_handling = wire::RetainHandling::do_not_send}}}},
          now_);
      MQ_CHECK(ticket.has_value());
    }
  } else if (std::holds_alternative<client::Subscribed>(event)) {
    actor.is_subscribed = true;
    judge_.subscribed(actor.name, actor.subscribes);
  } else if (const auto* arrived = std::get_if<client::Arrived>(&event)) {
    if (arrived->message.retain) return;
    std::uint64_t number = 0;
    const auto text = text_of(arrived->message.payload);
    std::from_chars(text.data(), text.data() + text.size(), number);
    judge_.arrived(actor.name, std::string(arrived->message.topic), number);
  } else if (const auto* settled = std::get_if<client::Settled>(&event)) {
    const auto open = std::find_if(actor.open.begin(), actor.open.end(), [&](const auto& entry) {
      return entry.first == settled->ticket;
    });
    MQ_CHECK(open != actor.open.end());
    MQ_CHECK(settled->outcome == client::Outcome::acknowledged);
    judge_.acknowledged(open->second.topic, open->second.number);
    actor.open.erase(open);
  }
}

void Simulation::publish(Actor& actor) {
  actor.publishes_at = now_.steady + Millis(prng_.below(80) + 1);
  const auto topic = prng_.below(kTopics);
  const auto number = actor.numbers[topic] + 1;
  const auto name = topic_of(actor.name, topic);
  const auto payload = std::to_string(number);
  const wire::Publish message{.qos = qos_of(topic),
                              .retain = topic + 1 == kTopics,
                              .topic = name,
                              .payload = bytes_of(payload)};
  const auto ticket = actor.core.publish(message, now_);
  if (!ticket) return;
  actor.numbers[topic] = number;
  actor.open.push_back({*ticket, {name, number}});
  judge_.published(name, number, message.qos);
}

void Simulation::settle_broker() {
  for (int round = 0; round < 3 && broker_->has_dirty(); ++round) {
    for (const ConnectionId id : broker_->take_dirty()) {
      auto* queue = broker_->output(id);
      if (queue == nullptr) continue;
      for (auto& actor : actors_) {
        if (actor->link == nullptr || actor->link->at_broker != id) continue;
        std::array<ByteView, 8> pieces;
        while (!queue->empty()) {
          queue->gather(pieces);
          actor->link->down.send(pieces[0], now_.steady, prng_);
          queue->sent(pieces[0].size());
        }
        broker_->on_drained(id, now_);
      }
    }
  }
  for (auto& closing : broker_->take_closing()) {
    for (auto& actor : actors_) {
      if (actor->link == nullptr || actor->link->at_broker != closing.connection) continue;
      std::array<ByteView, 8> pieces;
      while (!closing.rest.empty()) {
        closing.rest.gather(pieces);
        actor->link->down.send(pieces[0], now_.steady, prng_);
        closing.rest.sent(pieces[0].size());
      }
      actor->link->is_ended = true;
    }
  }
  broker_->end_turn();
  for (auto& load : broker_->take_loads()) {
    store_.load(std::move(load));
    reads_.push_back(now_.steady + Millis(prng_.below(8)));
  }
  if (auto batch = broker_->take_batch()) {
    store_.submit(std::move(*batch));
    const Millis delay(prng_.chance(1, 30) && is_troubled_ ? prng_.below(3000) : prng_.below(8));
    const Instant earliest = commits_.empty() ? now_.steady : commits_.back();
    commits_.push_back(std::max(earliest, now_.steady + delay));
  }
}

void Simulation::read() {
  if (reads_.empty() || reads_.front() > now_.steady) return;
  reads_.clear();
  store_.answer_loads();
  for (const auto& page : store_.take_pages()) {
    ++pages_;
    broker_->on_loaded(page, now_);
  }
  settle_broker();
}

void Simulation::commit() {
  while (!commits_.empty() && commits_.front() <= now_.steady) {
    commits_.pop_front();
    store_.commit();
    broker_->on_stored(store_.stored(), now_);
    settle_broker();
  }
}

bool Simulation::is_calm() const {
  if (!commits_.empty() || broker_->has_dirty()) return false;
  for (const auto& actor : actors_) {
    if (!actor->core.is_connected() || !actor->open.empty()) return false;
    if (actor->link->up.next() != kNever || actor->link->down.next() != kNever) return false;
    if (!actor->is_publisher && !actor->is_subscribed) return false;
  }
  const auto stored = broker_->stored();
  return stored.count == broker_->retained_count();
}

void Simulation::ask_for_retained() {
  const auto id = broker_->on_open(0, now_);
  std::vector<Byte> bytes;
  wire::encode(wire::Connect{.client_id = "newcomer"}, Version::v311, bytes);
  wire::encode(
      wire::Subscribe{.packet_id = 1, .properties = {}, .subscriptions = {{"retained/#", {}}}},
      Version::v311, bytes);
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
      const auto publish = wire::decode_publish(*frame, Version::v311);
      std::uint64_t number = 0;
      const auto text = text_of(publish->payload);
      std::from_chars(text.data(), text.data() + text.size(), number);
      judge_.retained(std::string(publish->topic), number);
    }
    queue->sent(pieces[0].size());
    broker_->on_drained(id, now_);
  }
}

void Simulation::note(ByteView bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3ULL;
  trace_ = (trace_ ^ static_cast<std::uint64_t>(now_.steady.time_since_epoch().count())) * kPrime;
  for (const Byte byte : bytes) trace_ = (trace_ ^ byte) * kPrime;
}

}  // namespace mq::sim

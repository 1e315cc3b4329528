#include "support/world.hpp"

#include <array>

#include "base/check.hpp"
#include "support/transcript.hpp"
#include "wire/decode.hpp"

namespace mq::support {

using wire::PropertyId;
using wire::Version;

Peer::Peer(World& world, std::uint16_t listener)
    : world_(world), id_(world.core().on_open(listener, world.now)) {}

Peer& Peer::send_bytes(ByteView bytes) {
  world_.core().on_bytes(id_, bytes, world_.now);
  world_.settle();
  return *this;
}

Peer& Peer::connect(wire::Connect packet) {
  version = packet.version;
  return send(packet);
}

Peer& Peer::join(std::string_view client_id, Version as) {
  connect({.version = as,
           .clean_start = true,
           .client_id = client_id,
           .will = {},
           .user_name = {},
           .password = {},
           .properties = {}});
  lines_.clear();
  return *this;
}

Peer& Peer::resume(std::string_view client_id, Version as) {
  wire::PropertyList properties;
  if (as == Version::v5) properties.add(PropertyId::session_expiry_interval, 3600U);
  connect({.version = as,
           .clean_start = false,
           .client_id = client_id,
           .will = {},
           .user_name = {},
           .password = {},
           .properties = properties.view()});
  next();
  return *this;
}

Peer& Peer::subscribe(std::string_view filter, wire::SubscriptionOptions options,
                      std::uint32_t identifier) {
  wire::PropertyList properties;
  if (identifier != 0) properties.add(PropertyId::subscription_identifier, identifier);
  send(wire::Subscribe{++request_, properties.view(), {{filter, options}}});
  next();
  return *this;
}

Peer& Peer::publish(std::string_view topic, std::string_view payload, wire::QoS qos,
                    std::uint16_t packet_id) {
  return send(wire::Publish{.qos = qos,
                            .topic = topic,
                            .packet_id = packet_id,
                            .properties = {},
                            .payload = bytes_of(payload)});
}

Peer& Peer::retain(std::string_view topic, std::string_view payload) {
  return send(wire::Publish{
      .retain = true, .topic = topic, .properties = {}, .payload = bytes_of(payload)});
}

void Peer::drop() {
  is_closed_ = true;
  world_.core().on_close(id_, world_.now);
  world_.settle();
}

std::string Peer::next() {
  if (lines_.empty()) return {};
  auto line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

std::string Peer::all() {
  std::string text;
  while (!lines_.empty()) text += (text.empty() ? "" : "; ") + next();
  return text;
}

void Peer::receive(broker::SendQueue& queue) {
  std::array<ByteView, 1> piece;
  while (queue.gather(piece) > 0) {
    if (!is_deaf) hear(piece[0]);
    queue.sent(piece[0].size());
  }
}

void Peer::hear(ByteView bytes) {
  framer_.feed(bytes);
  while (true) {
    const auto frame = framer_.next(wire::kMaximumPacketSize);
    MQ_CHECK(frame.has_value());
    if (!*frame) return;
    const auto packet = wire::decode(**frame, version);
    MQ_CHECK(packet.has_value());
    lines_.push_back(line_of(*packet));
  }
}

World::World(broker::Config config)
    : now{Instant(Millis(1'000'000)), WallTime(std::chrono::seconds(1'700'000'000))},
      config_(std::move(config)),
      core_(std::make_unique<broker::Core>(config_, now)) {}

void World::crash() {
  store.crash();
  for (auto& peer : peers_) peer->is_closed_ = true;
  core_ = std::make_unique<broker::Core>(config_, now, store.load(config_.budget()));
  settle();
}

Peer& World::peer(std::uint16_t listener) {
  return *peers_.emplace_back(std::make_unique<Peer>(*this, listener));
}

void World::advance(Millis duration) {
  const Instant until = now.steady + duration;
  while (true) {
    const Instant next = std::min(until, std::max(core_->next_deadline(), now.steady));
    now.wall += next - now.steady;
    now.steady = next;
    core_->on_deadline(now);
    settle();
    if (next == until) return;
    MQ_CHECK(core_->next_deadline() > now.steady);
  }
}

void World::settle() {
  do {
    settle_output();
    while (core_->next_deadline() <= now.steady) {
      core_->on_deadline(now);
      settle_output();
    }
  } while (settle_storage());
}

bool World::settle_storage() {
  if (auto batch = core_->take_batch()) store.submit(std::move(*batch));
  for (auto& load : core_->take_loads()) store.load(std::move(load));
  if (!is_storing) return core_->has_dirty();
  store.answer_loads();
  const auto pages = store.take_pages();
  for (const auto& page : pages) core_->on_loaded(page, now);
  if (!store.commit()) return !pages.empty() || core_->has_dirty();
  core_->on_stored(store.stored(), now);
  return true;
}

void World::settle_output() {
  while (core_->has_dirty()) {
    for (const auto id : core_->take_dirty()) {
      for (auto& peer : peers_) {
        if (peer->id_ != id || peer->is_closed_ || !peer->reads) continue;
        if (auto* queue = core_->output(id)) {
          peer->receive(*queue);
          core_->on_drained(id, now);
        }
      }
    }
  }
  for (auto& closing : core_->take_closing()) {
    for (auto& peer : peers_) {
      if (peer->id_ != closing.connection || peer->is_closed_) continue;
      if (peer->reads) peer->receive(closing.rest);
      peer->lines_.emplace_back("closed");
      peer->is_closed_ = true;
    }
  }
  core_->end_turn();
  for (auto& fact : core_->take_facts()) facts.push_back(std::move(fact));
}

broker::Config quiet() {
  broker::Config config;
  config.sys_interval = Seconds(0);
  return config;
}

broker::Config durable() {
  auto config = quiet();
  config.persistence = true;
  config.persistence_delay = Millis(0);
  return config;
}

}  // namespace mq::support

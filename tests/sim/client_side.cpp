#include <algorithm>
#include <array>
#include <charconv>

#include "sim/simulation.hpp"

namespace mq::sim {

using wire::PropertyId;
using wire::QoS;
using wire::Version;

void Simulation::move_bytes(Actor& actor) {
  if (actor.link == nullptr) return;
  Link& link = *actor.link;
  read_up(link);
  read_down(*actor.core, link, [&] { hear(actor); });
  const bool is_over = link.stalled_until <= now_.steady && link.is_ended && link.down.empty();
  if (is_over) close(actor, link.is_broken ? "it crashed" : "");
}

/// What has arrived at the broker, as far as it reads.
void Simulation::read_up(Link& link) {
  while (!link.is_ended && link.up.next() <= now_.steady) {
    if (!may_read(link)) {
      ++figures_.unread;
      break;
    }
    const auto bytes = link.up.take(now_.steady);
    note(bytes);
    hand_over(link, bytes);
    unstored_ = broker_->unstored_bytes();
    settle_broker();
  }
}

/// The connection is gone for the client.
void Simulation::close(Actor& actor, std::string_view words, Millis unheard_for) {
  const bool was_goodbye = actor.left_at.has_value();
  const Instant broken_at = actor.link->is_ended ? actor.link->ended_at : now_.steady;
  actor.link.reset();
  if (actor.is_up && !actor.will.empty()) {
    if (!was_goodbye) {
      judge_.died(actor.will, {.opened_at = actor.opened_at,
                               .lost_at = broken_at,
                               .not_before = broken_at + actor.will_delay,
                               .due = now_.steady + unheard_for + actor.will_delay,
                               .qos = actor.will_qos,
                               .is_retained = actor.is_will_retained,
                               .is_delayed = actor.will_delay > Seconds(0)});
    }
    if (was_goodbye && words.empty()) judge_.said_goodbye(actor.will);
  }
  note_lifetime(actor, was_goodbye, words.empty());
  if (actor.is_up && !was_goodbye) actor.left_at = now_.steady;
  if (!actor.is_up) actor.is_uncertain = true;
  actor.closed_at = now_.steady;
  actor.is_up = false;
  for (const auto& [ticket, sent] : actor.open) judge_.interrupted(sent.topic, sent.number);
  actor.core->on_close(words, now_);
  if (actor.role == Role::mortal || (!actor.is_there_to_stay() && was_goodbye)) {
    // Half of them return before a will that has a delay is due.
    const Millis away = prng_.chance(1, 2) ? trouble_.stay / 6 : 2 * trouble_.stay;
    actor.acts_at = now_.steady + Millis(prng_.below(away.count()));
    if (actor.role == Role::mortal) actor.left_at.reset();
  }
}

/// How long the session of a visitor whose connection ends will last from now on. Of one that did
/// not come to be the broker may have heard, too.
void Simulation::note_lifetime(Actor& actor, bool was_goodbye, bool is_heard) {
  Span& lasts = actor.lasts;
  if (actor.is_up) lasts = {kVisitorExpiry, kVisitorExpiry};
  const bool is_told = actor.is_up && was_goodbye && actor.farewell;
  const bool is_sure = is_told && is_heard && faults_.crash == 0 && faults_.vanish == 0;
  const Millis asked = is_told ? *actor.farewell : kVisitorExpiry;
  lasts = is_sure ? Span{asked, asked}
                  : Span{std::min(lasts.at_least, asked), std::max(lasts.at_most, asked)};
}

void Simulation::obey(Actor& actor) {
  if (actor.core->transport() == client::Transport::none && actor.link != nullptr) {
    if (!actor.link->is_ended) broker_->on_close(actor.link->at_broker, now_);
    close(actor, actor.link->is_broken ? "it crashed" : "");
  }
  if (actor.core->transport() == client::Transport::open && actor.link == nullptr) {
    if (actor.opens_at == kNever) actor.opens_at = now_.steady + Millis(prng_.below(20));
    if (actor.opens_at > now_.steady) return;
    actor.opens_at = kNever;
    actor.opened_at = now_.steady;
    judge_.returns(actor.former_will, now_.steady);
    actor.link = std::make_unique<Link>();
    actor.link->at_broker = broker_->on_open(0, now_);
    actor.core->on_open(now_);
  }
  if (actor.link != nullptr) write_up(*actor.core, *actor.link);
}

void Simulation::write_up(client::Core& core, Link& link) {
  std::array<ByteView, 8> pieces;
  while (core.has_output()) {
    const auto count = core.gather(pieces);
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!link.is_ended) link.up.send(pieces[i], now_.steady, faults_, prng_);
      size += pieces[i].size();
    }
    core.on_sent(size, now_);
  }
}

void Simulation::hear(Actor& actor) {
  while (const auto event = actor.core->next_event(now_)) {
    if (const auto* connected = std::get_if<client::Connected>(&*event)) {
      on_connected(actor, *connected);
    } else if (const auto* subscribed = std::get_if<client::Subscribed>(&*event)) {
      MQ_CHECK(!subscribed->codes.empty());
      on_subscribed(actor, subscribed->ticket);
    } else if (const auto* unsubscribed = std::get_if<client::Unsubscribed>(&*event)) {
      on_unsubscribed(actor, unsubscribed->ticket);
    } else if (const auto* arrived = std::get_if<client::Arrived>(&*event)) {
      on_arrived(actor, arrived->message);
    } else if (const auto* settled = std::get_if<client::Settled>(&*event)) {
      on_settled(actor, *settled);
    } else if (const auto* lost = std::get_if<client::Lost>(&*event)) {
      if (lost->cause != client::Cause::violation) continue;
      judge_.accuse(actor.name + " found that the broker breaks the protocol: " + lost->words);
    }
  }
}

void Simulation::hear(Predecessor& former) {
  while (const auto event = former.core->next_event(now_)) {
    if (const auto* arrived = std::get_if<client::Arrived>(&*event)) {
      const auto& message = arrived->message;
      const bool is_will = message.topic.starts_with("wills/");
      const bool is_old = message.retain && former.core->version() != Version::v5;
      if (is_will || is_old || message.payload.empty()) continue;
      if (const auto known = numbered(message, former.core->version())) {
        judge_.arrived_before(former.judged_name, *known);
      }
    } else if (const auto* lost = std::get_if<client::Lost>(&*event)) {
      const bool is_told = former.core->version() == wire::Version::v5
                               ? lost->reason == wire::ReasonCode::session_taken_over
                               : lost->cause == client::Cause::closed;
      if (is_told || former.link->is_broken) continue;
      judge_.accuse(former.name + " was not told that its session is taken over: " + lost->words);
    }
  }
}

void Simulation::on_subscribed(Actor& actor, client::Ticket ticket) {
  if (actor.mind == Mind::subscribing && ticket == actor.change) {
    actor.mind = Mind::with;
    return judge_.subscribed_again(actor.name);
  }
  if (std::exchange(actor.is_subscribed, true)) return;
  const bool is_for_good = actor.role == Role::subscriber;
  if (actor.is_reader()) {
    judge_.subscribed(actor.judged_name(), actor.subscribes, actor.largest_payload(), is_for_good,
                      now_.steady);
  } else if (actor.role == Role::member) {
    judge_.joined_share(actor.share);
  }
}

void Simulation::on_unsubscribed(Actor& actor, client::Ticket ticket) {
  if (actor.mind != Mind::unsubscribing || ticket != actor.change) return;
  actor.mind = Mind::without;
  judge_.unsubscribed(actor.name);
}

/// A subscriber begins to be subscribed to changing/, or no longer wants to be.
void Simulation::change_mind(Actor& actor) {
  actor.acts_at = now_.steady + Millis(prng_.below(trouble_.pause.count() * 30) + 1);
  if (!actor.is_subscribed) return;
  if (actor.mind == Mind::without) {
    actor.mind = Mind::subscribing;
    judge_.subscribes_again(actor.name);
  } else if (actor.mind == Mind::with) {
    actor.mind = Mind::unsubscribing;
    judge_.unsubscribes(actor.name, now_.steady);
  }
  ask_again(actor);
}

/// Sends what it has not had an answer to.
void Simulation::ask_again(Actor& actor) {
  std::optional<client::Ticket> ticket;
  if (actor.mind == Mind::subscribing) {
    ticket =
        actor.core->subscribe({.subscriptions = {{"changing/#", {.qos = actor.subscribes}}}}, now_);
  } else if (actor.mind == Mind::unsubscribing) {
    ticket = actor.core->unsubscribe({.filters = {"changing/#"}}, now_);
  }
  actor.change = ticket.value_or(0);
}

void Simulation::on_connected(Actor& actor, const client::Connected& connected) {
  actor.is_up = true;
  if (actor.role == Role::publisher) return;
  if (!actor.is_there_to_stay())
    actor.acts_at = now_.steady + Millis(prng_.below(trouble_.stay.count()));
  if (actor.role == Role::mortal) {
    if (connected.session_present) judge_.returned(actor.former_will, now_.steady);
    return;
  }
  if (actor.role == Role::visitor) {
    const bool is_clean = actor.starts_clean && connected.is_first;
    if (actor.left_at && actor.closed_at && !is_clean) {
      const Millis late = Faults::kLatest + (faults_.stall > 0 ? Faults::kStall : Millis(0));
      const Instant closed_at = std::min(*actor.closed_at, actor.opened_at);
      judge_.came_back({actor.opened_at - closed_at, actor.opened_at - *actor.left_at + late},
                       actor.lasts, connected.session_present);
    }
    if (std::exchange(actor.is_uncertain, false) || !connected.session_present) {
      judge_.left(actor.judged_name());
      ++actor.sessions;
      actor.is_subscribed = false;
    }
    judge_.connected(actor.judged_name(), connected.session_present, actor.opened_at, now_.steady);
  }
  if (actor.role == Role::visitor || actor.role == Role::passer_by) {
    actor.left_at.reset();
    actor.closed_at.reset();
  } else {
    judge_.connected(actor.name, connected.session_present, actor.opened_at, now_.steady);
    ask_again(actor);
    if (actor.is_subscribed) return;
  }
  subscribe(actor);
}

void Simulation::subscribe(Actor& actor) {
  using enum wire::RetainHandling;
  const wire::SubscriptionOptions options{.qos = actor.subscribes,
                                          .retain_as_published = actor.wants_retain_flag(),
                                          .retain_handling = do_not_send};
  const std::string shared = actor.share + "/shared/#";
  wire::PropertyList properties;
  if (const auto identifier = actor.identifier()) {
    properties.add(PropertyId::subscription_identifier, *identifier);
  }
  wire::Subscribe request{.properties = properties.view()};
  if (actor.is_member()) {
    request.subscriptions = {{shared, {.qos = actor.subscribes}}};
  } else {
    request.subscriptions = {{"live/#", {.qos = actor.subscribes}},
                             {"retained/#", options},
                             {"expiring/#", {.qos = actor.subscribes}},
                             {"limited/#", {.qos = actor.subscribes}},
                             {"wills/#", {.qos = actor.subscribes}}};
    if (has_rules_) request.subscriptions.push_back({"+/+/5", {.qos = actor.subscribes}});
  }
  MQ_CHECK(actor.core->subscribe(std::move(request), now_).has_value());
}

void Simulation::on_arrived(Actor& actor, const wire::Publish& message) {
  if (message.qos > actor.subscribes) {
    judge_.accuse(actor.name + " got " + std::string(message.topic) + " above its QoS");
  }
  const bool is_member = actor.is_member();
  if (!is_member && message.topic.starts_with("wills/")) {
    if (actor.role == Role::subscriber && !message.retain) {
      const std::string will(text_of(message.payload));
      check_properties(message, will, actor.version);
      judge_.will_arrived(actor.name, will, message.dup, now_.steady);
    }
    return;
  }
  // MQTT 3.1.1 cannot do without what was retained before.
  if (message.retain && !is_member && actor.version != Version::v5) return;
  check_subscription(actor, message);
  if (message.payload.empty()) return;
  const auto known = numbered(message, actor.version);
  if (!known) return;
  Judge::Arrival arrival{.topic = known->topic,
                         .number = known->number,
                         .is_repeated = message.dup,
                         .expiry = message.properties.number(PropertyId::message_expiry_interval),
                         .at = now_.steady};
  if (actor.version != wire::Version::v5) arrival.expiry = 0;
  if (is_member) {
    judge_.arrived_in_share(actor.share, arrival);
  } else {
    judge_.arrived(actor.judged_name(), arrival);
  }
}

/// What is said of the subscription to which a message belongs, and what it asked for.
void Simulation::check_subscription(const Actor& actor, const wire::Publish& message) {
  const bool is_flagged = actor.wants_retain_flag() && message.topic.starts_with("retained/");
  if (message.retain != is_flagged) {
    judge_.accuse(actor.name + " got " + std::string(message.topic) +
                  (is_flagged ? ", and not as retained" : " as retained"));
  }
  if (message.topic.starts_with("changing/")) return;
  if (message.properties.number(PropertyId::subscription_identifier) != actor.identifier()) {
    judge_.accuse(actor.name + " got " + std::string(message.topic) +
                  " by another subscription than its own");
  }
}

/// Who speaks MQTT 5 says of each message whose it is, and who does hears that.
void Simulation::check_properties(const wire::Publish& message, std::string_view mark,
                                  Version reader) {
  const auto author = std::ranges::find_if(actors_, [&](const auto& actor) {
    return message.topic.find("/" + actor->name + (actor->role == Role::mortal ? "-" : "/")) !=
           message.topic.npos;
  });
  MQ_CHECK(author != actors_.end());
  const bool is_marked = reader == Version::v5 && (*author)->version == Version::v5;
  const auto found = message.properties.binary(PropertyId::correlation_data);
  if (is_marked ? found && text_of(*found) == mark : !found) return;
  judge_.accuse(std::string(message.topic) + " arrived with other properties");
}

/// Nothing, and a complaint, when it is not what was published.
///
/// reader  what it came by
std::optional<Numbered> Simulation::numbered(const wire::Publish& message, Version reader) {
  Numbered known{.topic = std::string(message.topic)};
  const auto text = text_of(message.payload);
  if (is_too_large(text)) judge_.accuse(known.topic + " arrived, and is above message_size_limit");
  std::from_chars(text.data(), text.data() + text.size(), known.number);
  if (text == payload_of(known.topic, known.number) && judge_.knows(known)) {
    check_properties(message, std::to_string(known.number), reader);
    return known;
  }
  judge_.accuse(known.topic + " number " + std::to_string(known.number) + " arrived damaged");
  return std::nullopt;
}

bool Simulation::is_too_large(std::string_view payload) const {
  return config_.message_size_limit > 0 && payload.size() > config_.message_size_limit;
}

void Simulation::on_settled(Actor& actor, const client::Settled& settled) {
  using enum client::Outcome;
  if (settled.outcome == sent || settled.outcome == dropped) return;  // at QoS 0
  const auto open = std::ranges::find_if(
      actor.open, [&](const auto& entry) { return entry.first == settled.ticket; });
  MQ_CHECK(open != actor.open.end());
  const auto& [topic, number, qos, size, is_too_large, unstorable_on] = open->second;
  // Of QoS 2 the message may have come on the connection before.
  if (qos == QoS::at_least_once) judge_.answered(actor.name, size, actor.opened_at, now_.steady);
  if (settled.outcome == acknowledged) {
    const auto first = std::ranges::find_if(
        actor.open, [qos](const auto& entry) { return entry.second.qos == qos; });
    if (first != open) judge_.accuse(actor.name + " got acknowledgements out of order");
    // When trouble ends early, it may have been.
    if (is_troubled_ && unstorable_on == actor.opened_at) {
      judge_.accuse(actor.name + " was not told that its message cannot be stored");
    }
    if (!is_too_large) {
      judge_.acknowledged(topic, number, now_.steady);
    } else if (actor.version == wire::Version::v5) {
      judge_.accuse(actor.name + " was not told that its message is too large");
    } else {
      judge_.swallowed(actor.name, topic, number);
    }
  } else {
    MQ_CHECK(settled.outcome == refused);
    MQ_CHECK(settled.reason == wire::ReasonCode::quota_exceeded);
    MQ_CHECK((is_too_large || refuses()));
  }
  actor.open.erase(open);
}

void Simulation::publish(Actor& actor) {
  actor.acts_at = now_.steady + Millis(prng_.below(trouble_.pause.count()) + 1);
  const bool is_favourite = favourite_ && prng_.chance(1, 2);
  publish(actor, is_favourite ? *favourite_ : prng_.below(kTopicKinds.size()));
}

void Simulation::publish(Actor& actor, std::size_t kind) {
  const std::string_view prefix = kTopicKinds[kind].prefix;
  if (kTopicKinds[kind].qos == QoS::exactly_once && !actor.is_kept) return;
  const bool is_fading = prefix == "fading/";
  if ((prefix == "expiring/" || is_fading) && actor.version != Version::v5) return;
  const auto number = actor.numbers[kind] + 1;
  const auto topic = topic_of(actor, kind);
  const bool is_retained = prefix == "retained/" || prefix == "kept/";
  const bool is_clear = is_retained && prng_.chance(1, 3);
  const auto payload = is_clear ? std::string() : payload_of(topic, number);
  wire::PropertyList properties;
  properties.add(PropertyId::correlation_data, bytes_of(std::to_string(number)));
  if (prefix == "expiring/") {
    properties.add(PropertyId::message_expiry_interval,
                   static_cast<std::uint32_t>(Judge::expiry_of(number) / Seconds(1)));
  } else if (is_fading) {
    properties.add(PropertyId::message_expiry_interval,
                   static_cast<std::uint32_t>(Judge::kFadesWithin / Seconds(1)));
  }
  const bool is_for_shares = prefix == "shared/";  // which do not get what is retained
  const auto ticket = actor.core->publish({.qos = kTopicKinds[kind].qos,
                                           .retain = is_retained || is_fading || is_for_shares,
                                           .topic = topic,
                                           .properties = properties.view(),
                                           .payload = bytes_of(payload)},
                                          now_);
  if (!ticket) return;
  actor.numbers[kind] = number;
  if (kTopicKinds[kind].qos != QoS::at_most_once) {
    actor.open.push_back({*ticket,
                          {.topic = topic,
                           .number = number,
                           .qos = kTopicKinds[kind].qos,
                           .size = payload.size(),
                           .is_too_large = is_too_large(payload)}});
    if ((is_retained || is_fading || kTopicKinds[kind].qos == QoS::exactly_once) &&
        comes_in_trouble(actor)) {
      actor.open.back().second.unstorable_on = actor.opened_at;
    }
  }
  if (is_clear) {
    judge_.cleared(topic, number, now_.steady);
    if (faults_.vanish > 0 && actor.is_up && prng_.chance(1, 4)) {  // it will be cleared again
      write_up(*actor.core, *actor.link);
      vanish(actor);
      is_next_slow_ = faults_.slow_commit > 0;
    }
  } else {
    judge_.published({topic, number}, kTopicKinds[kind].qos, payload.size(), now_.steady);
  }
}

bool Simulation::comes_in_trouble(const Actor& publisher) const {
  const bool is_alone = publisher.open.size() == 1;  // and does not wait for others
  const bool is_read_at_once = faults_.stall == 0 && !reads_late();
  return publisher.version == Version::v5 && publisher.is_up && is_alone && is_read_at_once &&
         trouble_ends_ != kNever && trouble_ends_ >= now_.steady + 2 * Faults::kLatest;
}

void Simulation::note(ByteView bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3ULL;
  trace_ = (trace_ ^ static_cast<std::uint64_t>(now_.steady.time_since_epoch().count())) * kPrime;
  for (const Byte byte : bytes) trace_ = (trace_ ^ byte) * kPrime;
}

}  // namespace mq::sim

#include "sim/judge.hpp"

#include <algorithm>
#include <utility>

namespace mq::sim {

using wire::QoS;

namespace {

/// Between what the broker decides and what is seen of it: bytes under way, whole seconds.
constexpr Millis kSlack(2500);
/// The broker looks for what is due four times a second.
constexpr Millis kTick(250);
/// What the broker stores without reading: what it had read of each publisher and put off, wills.
constexpr std::size_t kUnasked = 300'000;
constexpr std::string_view kChanging = "changing/";
constexpr std::string_view kLimited = "limited/";

/// Whoever it is by name, in whatever session.
std::string client_of(const std::string& name) {
  return name.substr(0, name.find(' '));
}

std::string words_of(const Numbered& message) {
  return message.topic + " number " + std::to_string(message.number);
}

}  // namespace

void Judge::published(const Numbered& message, QoS qos, std::size_t size, Instant now) {
  Topic& topic = topics_[message.topic];
  topic.qos = qos;
  topic.last = message.number;
  topic.publications[message.number] = {now, size};
}

void Judge::cleared(const std::string& topic, std::uint64_t number, Instant now) {
  published({topic, number}, QoS::at_least_once, 0, now);
  topics_[topic].clears.insert(number);
}

void Judge::acknowledged(const std::string& topic, std::uint64_t number, Instant now) {
  Topic& state = topics_[topic];
  state.last_acknowledged = std::max(state.last_acknowledged, number);
  if (!state.clears.contains(number)) acknowledged_.emplace(Numbered{topic, number}, now);
}

/// What was saved up before comes on top, and the last message is paid for afterwards.
void Judge::answered(const std::string& publisher, std::size_t size, Instant opened_at,
                     Instant now) {
  Answered& sum = answered_[publisher];
  if (sum.opened_at != opened_at) sum = {.opened_at = opened_at};
  ++sum.messages;
  sum.bytes += size;
  sum.longest = std::max(sum.longest, size);
  const auto seconds = static_cast<std::size_t>((now - opened_at) / Seconds(1)) + 2;
  const bool is_too_often =
      mercy_.publish_rate > 0 && sum.messages > mercy_.publish_rate * seconds + 1;
  const bool is_too_much =
      mercy_.bytes_rate > 0 && sum.bytes > mercy_.bytes_rate * seconds + sum.longest;
  if (is_too_often) accuse(publisher + " publishes faster than max_publish_rate");
  if (is_too_much) accuse(publisher + " publishes faster than max_bytes_rate");
}

void Judge::interrupted(const std::string& topic, std::uint64_t number) {
  topics_[topic].interrupted.insert(number);
}

/// With a crash it may be forgotten that it was.
void Judge::swallowed(const std::string& publisher, const std::string& topic,
                      std::uint64_t number) {
  if (mercy_.crashes) return;
  miss(publisher, words_of({topic, number}) + " was acknowledged, and is too large");
}

void Judge::limits_readers() {
  limited_after_ = numbers_below(kLimited);
}

void Judge::lets_readers() {
  forbidden_.merge(acknowledged_behind(*std::exchange(limited_after_, std::nullopt)));
  free_after_ = numbers_below(kLimited);
}

void Judge::subscribed(const std::string& name, QoS qos, std::size_t largest, bool is_for_good,
                       Instant now) {
  Subscriber& subscriber = subscribers_[name];
  subscriber.qos = qos;
  subscriber.largest = largest;
  subscriber.is_subscribed = true;
  subscriber.is_for_good = is_for_good;
  subscriber.subscribed_at = now;
  subscriber.covered_after = numbers_below("");
}

void Judge::joined_share(const std::string& name) {
  Subscriber& share = shares_[name];
  if (!std::exchange(share.is_subscribed, true)) share.covered_after = numbers_below("");
}

Judge::Numbers Judge::numbers_below(std::string_view prefix) const {
  Numbers numbers;
  for (const auto& [topic, state] : topics_) {
    if (topic.starts_with(prefix)) numbers[topic] = state.last;
  }
  return numbers;
}

bool Judge::is_behind(const Numbers& last, const Numbered& message) {
  const auto known = last.find(message.topic);
  return known == last.end() || message.number > known->second;
}

std::set<Numbered> Judge::acknowledged_behind(const Numbers& last) const {
  std::set<Numbered> messages;
  for (const auto& [topic, number] : last) {
    const auto first = acknowledged_.upper_bound({topic, number});
    for (auto it = first; it != acknowledged_.end() && it->first.topic == topic; ++it) {
      messages.insert(it->first);
    }
  }
  return messages;
}

void Judge::backlog(std::size_t unstored, std::size_t last) {
  if (unstored <= last + kUnasked) return;
  accuse(std::to_string(unstored) +
         " bytes wait for the disk, and nothing was read since it were " + std::to_string(last));
}

void Judge::subscribes_again(const std::string& name) {
  Subscriber& subscriber = subscribers_[name];
  subscriber.is_changing = true;
  if (!subscriber.without_after) return;
  subscriber.unwanted.merge(acknowledged_behind(*subscriber.without_after));
  subscriber.without_after.reset();
}

void Judge::subscribed_again(const std::string& name) {
  subscribers_[name].stays.push_back({.after = numbers_below(kChanging)});
}

void Judge::unsubscribes(const std::string& name, Instant now) {
  subscribers_[name].stays.back().until = now;
}

void Judge::unsubscribed(const std::string& name) {
  subscribers_[name].without_after = numbers_below(kChanging);
}

void Judge::connected(const std::string& client, bool session_present, Instant opened_at,
                      Instant now) {
  opened_at_[client] = opened_at;
  attentive_since_[client] = now;
  // CONNACK may be of the process before.
  if (opened_at > restarted_at_) known_since_.emplace(client, now);
  if (session_present || !subscribers_.contains(client)) return;
  accuse(client + " was told that it is subscribed, and its session is gone");
}

void Judge::left(const std::string& subscriber) {
  subscribers_[subscriber].is_subscribed = false;
}

void Judge::check_heard(const std::string& name, const Numbered& message) {
  const Subscriber& subscriber = subscribers_[name];
  if (subscriber.arrivals.contains(message)) return;
  if (topics_[message.topic].publications[message.number].size > subscriber.largest) return;
  accuse(name + " never got " + words_of(message) + ", and nothing was in its way");
}

void Judge::stalled(const std::string& client, Instant until) {
  attentive_since_[client] = until;
}

/// What it missed at QoS 0, or before it subscribed, may come late when it is published again.
bool Judge::is_promised(const Subscriber& subscriber, const Numbered& message) {
  return subscriber.qos != QoS::at_most_once && subscriber.is_subscribed &&
         is_behind(subscriber.covered_after, message);
}

bool Judge::is_promised_to_stay(const Subscriber& subscriber, const Numbered& message,
                                Instant acknowledged) {
  return std::ranges::any_of(subscriber.stays, [&](const Stay& stay) {
    return is_behind(stay.after, message) && acknowledged <= stay.until;
  });
}

/// Not when it was published after UNSUBACK had come and before the next SUBSCRIBE went out.
void Judge::check_wanted(const std::string& name, const Subscriber& subscriber,
                         const Numbered& message) {
  if (!subscriber.is_changing) accuse(name + " got " + words_of(message) + " unasked");
  if (subscriber.unwanted.contains(message) ||
      (subscriber.without_after && is_behind(*subscriber.without_after, message))) {
    accuse(name + " got " + words_of(message) + ", and had unsubscribed");
  }
}

/// Not what was published when nobody might read it; of whom the broker has not seen again since it
/// restarted, it did not know whether he might.
void Judge::check_allowed(const std::string& name, const Numbered& message) {
  const auto known = known_since_.find(name);
  const bool was_forbidden =
      forbidden_.contains(message) && known != known_since_.end() &&
      known->second <= topics_[message.topic].publications[message.number].at;
  if (was_forbidden || (limited_after_ && is_behind(*limited_after_, message))) {
    accuse(name + " got " + words_of(message) + ", and might not read it");
  }
}

void Judge::check_order(const std::string& name, Subscriber& subscriber, const Numbered& message) {
  auto& newest = subscriber.newest[message.topic];
  // What a full queue dropped, what expired, what was not subscribed to, what was denied or refused
  // may come when it is published again, or when a crash undoes that it was dropped.
  const bool was_owed = is_promised(subscriber, message) && !mercy_.is_queue_bounded &&
                        !mercy_.refuses && !message.topic.starts_with("expiring/") &&
                        !message.topic.starts_with(kChanging) &&
                        !message.topic.starts_with(kLimited);
  const Topic& topic = topics_[message.topic];
  const bool may_be_late = !was_owed && (topic.interrupted.contains(message.number) ||
                                         topic.publications.at(message.number).at <= crashed_at_);
  if (!may_be_late && message.number < newest) {
    accuse(name + " got " + words_of(message) + " out of order");
  }
  newest = std::max(newest, message.number);
}

void Judge::check_lateness(const std::string& name, const Arrival& arrival) {
  if (!arrival.topic.starts_with("expiring/")) return;
  if (!arrival.expiry) accuse(name + " was not told when " + arrival.topic + " expires");
  if (!mercy_.is_clock_wrong && arrival.expiry &&
      Seconds(*arrival.expiry) > expiry_of(arrival.number)) {
    accuse(name + " was told that " + arrival.topic + " lasts longer than it does");
  }
  const auto known = acknowledged_.find({arrival.topic, arrival.number});
  // At least until the connection was opened, it has waited; seconds are told.
  const Millis waited = known == acknowledged_.end() ? Millis(0) : opened_at_[name] - known->second;
  const bool is_told = arrival.expiry && !arrival.is_repeated && !mercy_.is_clock_wrong;
  if (is_told && Seconds(*arrival.expiry) > expiry_of(arrival.number) - waited + Seconds(1) &&
      waited > Millis(0)) {
    accuse(name + " was not told how long " + words_of(known->first) + " has waited");
  }
  // What was sent once does not expire any more.
  if (known == acknowledged_.end() || arrival.is_repeated || mercy_.is_clock_wrong) return;
  const Instant end = known->second + expiry_of(arrival.number);
  if (arrival.at > end + kSlack && attentive_since_[name] <= end) {
    accuse(name + " got " + words_of(known->first) + " when it had long expired");
  }
}

/// At QoS 0 nothing that waits is in its way, unless that is queued, too: others that do not read
/// are no reason to be late.
void Judge::check_promptness(const std::string& name, const Arrival& arrival) {
  const auto known = acknowledged_.find({arrival.topic, arrival.number});
  if (known == acknowledged_.end() || mercy_.queues_qos0 ||
      subscribers_[name].qos != QoS::at_most_once) {
    return;
  }
  if (attentive_since_[name] <= known->second && arrival.at > known->second + kSlack) {
    accuse(name + " got " + words_of(known->first) + " long after it was acknowledged");
  }
}

void Judge::arrived(const std::string& name, const Arrival& arrival) {
  ++arrived_count_;
  for (const std::string_view foreign : {"secret/", "shared/"}) {
    if (arrival.topic.starts_with(foreign)) accuse(name + " got " + arrival.topic);
  }
  check_lateness(name, arrival);
  check_promptness(name, arrival);
  Subscriber& subscriber = subscribers_[name];
  const Numbered message{arrival.topic, arrival.number};
  if (arrival.topic.starts_with(kChanging)) check_wanted(name, subscriber, message);
  if (arrival.topic.starts_with(kLimited)) check_allowed(name, message);
  const QoS qos = topics_[arrival.topic].qos;
  const auto [before, is_first] = subscriber.arrivals.emplace(message, opened_at_[name]);
  const Instant came_by = std::exchange(before->second, opened_at_[name]);
  if (is_first) {
    check_order(name, subscriber, message);
    const auto known = acknowledged_.find(message);
    if (known != acknowledged_.end() && known->second <= opened_at_[name]) {
      subscriber.from_store.insert(message);
    }
  } else if (qos == QoS::exactly_once && subscriber.qos == QoS::at_least_once) {
    // There is but one of it, and it was stored before it was first sent.
    if (!arrival.is_repeated && subscriber.from_store.contains(message)) {
      accuse(name + " got " + words_of(message) + " again, and was not told so");
    }
  } else if (std::min(qos, subscriber.qos) == QoS::at_most_once && mercy_.queues_qos0 &&
             crashed_at_ >= came_by) {
    return;
  } else if (qos == QoS::at_least_once) {
    // Its publisher may have sent it twice; a crash makes the broker forget what it has sent.
    const bool may_be_again = arrival.is_repeated || crashed_at_ >= came_by ||
                              topics_[arrival.topic].interrupted.contains(arrival.number);
    if (!may_be_again) accuse(name + " got " + words_of(message) + " again, and was not told so");
  } else if (qos == QoS::at_most_once || subscriber.qos == qos) {
    accuse(name + " got " + words_of(message) + " again, at QoS " +
           std::to_string(static_cast<int>(qos)));
  }
}

void Judge::arrived_before(const std::string& name, const Numbered& message) {
  subscribers_[name].arrivals.emplace(message, opened_at_[name]);
}

void Judge::arrived_in_share(const std::string& name, const Arrival& arrival) {
  ++arrived_count_;
  if (!arrival.topic.starts_with("shared/")) accuse(name + " got " + arrival.topic);
  const Numbered message{arrival.topic, arrival.number};
  Subscriber& share = shares_[name];
  const bool is_once = std::min(share.qos, topics_[arrival.topic].qos) == QoS::exactly_once;
  if (!share.arrivals.emplace(message, arrival.at).second && is_once) {
    accuse(name + " got " + words_of(message) + " again, at QoS 2");
  }
}

void Judge::retained(const std::string& topic, std::uint64_t number) {
  retained_[topic] = number;
}

void Judge::check_retained() {
  const Numbers retained = std::exchange(retained_, {});
  for (const auto& [topic, state] : topics_) check_retained(topic, state, retained);
}

void Judge::check_faded(const Numbered& message, Instant now) {
  const auto known = acknowledged_.find(message);
  if (known == acknowledged_.end() || mercy_.is_clock_wrong) return;
  if (now > known->second + kFadesWithin + kTick) {
    accuse("retained was " + words_of(message) + ", which had expired");
  }
}

void Judge::died(const std::string& will, Death death) {
  if (gone_.contains(will)) return;
  dead_.emplace(will, death);
  last_due_ = std::max(last_due_, death.due);
  for (const auto& [name, heir] : subscribers_) {
    if (heir.is_for_good && heir.subscribed_at <= death.opened_at &&
        std::min(heir.qos, death.qos) != QoS::at_most_once) {
      heirs_[will].push_back(name);
    }
  }
}

void Judge::said_goodbye(const std::string& will) {
  gone_.insert(will);
}

void Judge::returns(const std::string& will, Instant now) {
  const auto found = dead_.find(will);
  if (found == dead_.end() || !found->second.is_delayed) return;
  Death& death = found->second;
  // A restart may make it due later.
  death.may_be_cancelled = now <= death.due + kSlack || restarted_at_ > death.lost_at;
}

void Judge::returned(const std::string& will, Instant now) {
  const auto found = dead_.find(will);
  if (found == dead_.end() || !found->second.is_delayed) return;
  Death& death = found->second;
  // By a clock that is wrong a restart may have made it due sooner.
  const bool is_time_known = !mercy_.is_clock_wrong || restarted_at_ < death.lost_at;
  death.is_cancelled = is_time_known && now < death.not_before;
}

void Judge::will_arrived(const std::string& subscriber, const std::string& will, bool is_repeated,
                         Instant now) {
  const auto due = dead_.find(will);
  // A crash may make the broker forget for how long it has been due.
  const bool is_forgotten =
      due != dead_.end() && std::ranges::any_of(crashes_, [&](Instant crash) {
        return crash >= due->second.lost_at && crash <= due->second.lost_at + mercy_.commits_within;
      });
  // At QoS 0 nothing else that waits is in its way, unless that is queued, too.
  if (due != dead_.end() && !is_forgotten && !mercy_.queues_qos0 && !mercy_.reads_late &&
      subscribers_[subscriber].qos == QoS::at_most_once &&
      attentive_since_[subscriber] <= due->second.due && now > due->second.due + kSlack) {
    accuse(subscriber + " got the will of " + will + " long after it was due");
  }
  wills_[will].push_back({subscriber, is_repeated, now});
}

void Judge::check_will(const std::string& will, const Death& death) {
  const bool has_come = !wills_[will].empty() || retained_wills_.contains(will);
  if (death.is_cancelled && has_come)
    accuse(will + " was not the last, and its will was published");
  const bool may_be_missing = death.may_be_cancelled || dropped_.contains(client_of(will)) ||
                              (mercy_.is_short && mercy_.crashes);
  if (death.is_retained && !retained_wills_.contains(will) && !may_be_missing) {
    accuse("the will of " + will + " was to be retained");
  }
  if (!death.is_retained && retained_wills_.contains(will)) {
    accuse("the will of " + will + " was not to be retained");
  }
  std::map<std::string, Instant> first;
  for (const auto& [subscriber, is_repeated, at] : wills_[will]) {
    if (!mercy_.is_clock_wrong && at < death.not_before)
      accuse(subscriber + " got the will of " + will + " too early");
    const bool is_first = first.emplace(subscriber, at).second;
    if (is_first || is_repeated) continue;
    // A crash may have kept the broker from storing that it had published the will, or sent it.
    const bool may_be_again =
        mercy_.crashes && (mercy_.queues_qos0 || at < first[subscriber] + mercy_.commits_within);
    if (!may_be_again && std::min(subscribers_[subscriber].qos, death.qos) != QoS::at_least_once) {
      accuse(subscriber + " got the will of " + will + " twice");
    }
  }
  for (const auto& heir : heirs_[will]) {
    if (may_be_missing || first.contains(heir)) continue;
    miss(heir, heir + " never got the will of " + will);
  }
}

void Judge::came_back(Span away, Span lasts, bool session_present) {
  if (!session_present && !mercy_.is_clock_wrong && !mercy_.reads_late &&
      away.at_most < lasts.at_least)
    accuse("a session ended before its time");
  if (session_present && away.at_least > lasts.at_most + kTick) {
    accuse("a session lasted longer than it was to");
  }
}

std::vector<std::string> Judge::complaints(std::uint64_t untold_drops) {
  for (const auto& [name, subscriber] : subscribers_) check_subscriber(name, subscriber);
  for (const auto& [name, share] : shares_) {
    if (share.is_subscribed) check_subscriber(name, share);
  }
  for (const auto& [client, death] : dead_) check_will(client, death);
  for (const auto& client : gone_) {
    if (!mercy_.forgets_goodbyes && wills_.contains(client)) {
      accuse(client + " said goodbye, and its will was published");
    }
  }
  // A crash may have kept the broker from saying so; and a full queue had no room for them.
  for (const auto& [client, messages] : not_accepted_) {
    for (auto i = too_large_[client]; !mercy_.crashes && i < messages.size(); ++i) {
      miss(client, words_of(messages[i]) + " was larger than " + client + " accepts");
    }
  }
  for (const auto& [client, missing] : missing_) {
    const auto dropped = dropped_[client];
    if (missing.size() <= dropped) continue;
    const auto unexplained = missing.size() - dropped;
    if (unexplained <= untold_drops) {
      untold_drops -= unexplained;
      continue;
    }
    accuse(client + " misses " + std::to_string(missing.size()) + ", and " +
           std::to_string(dropped) + " are said to be dropped");
    complaints_.insert(complaints_.end(), missing.begin(), missing.end());
  }
  return std::exchange(complaints_, {});
}

void Judge::check_subscriber(const std::string& name, const Subscriber& subscriber) {
  const bool is_share = shares_.contains(name);
  for (const auto& [message, when] : acknowledged_) {
    const bool lasts = message.topic.starts_with("expiring/") && !mercy_.is_clock_wrong &&
                       expiry_of(message.number) > Seconds(3600);
    const bool is_free = message.topic.starts_with(kLimited) && !limited_after_ &&
                         (!free_after_ || is_behind(*free_after_, message));
    const bool is_theirs = is_share
                               ? message.topic.starts_with("shared/")
                               : message.topic.starts_with("live/") ||
                                     message.topic.starts_with("retained/") || lasts || is_free;
    const QoS qos = std::min(topics_[message.topic].qos, subscriber.qos);
    const bool is_owed = message.topic.starts_with(kChanging)
                             ? is_promised_to_stay(subscriber, message, when)
                             : is_theirs && is_promised(subscriber, message);
    if (qos == QoS::at_most_once || !is_owed) continue;
    if (subscriber.arrivals.contains(message)) continue;
    if (topics_[message.topic].publications[message.number].size > subscriber.largest) {
      not_accepted_[client_of(name)].push_back(message);
    } else {
      miss(name, name + " never got " + words_of(message) + ", which was acknowledged");
    }
  }
}

/// It is the last that was acknowledged, or a later one, be it refused: that one may have been
/// taken the first time, and its acknowledgement lost.
void Judge::check_retained(const std::string& topic, const Topic& state, const Numbers& retained) {
  const bool is_retained = topic.starts_with("retained/") || topic.starts_with("kept/");
  if (!is_retained || state.last_acknowledged == 0) return;
  const auto kept = retained.find(topic);
  const auto is_kept = [&](std::uint64_t number) {
    return state.clears.contains(number) ? kept == retained.end()
                                         : kept != retained.end() && kept->second == number;
  };
  for (auto number = state.last_acknowledged; number <= state.last; ++number) {
    if (is_kept(number)) return;
  }
  accuse("retained on " + topic + " is " +
         (kept == retained.end() ? "nothing" : std::to_string(kept->second)) +
         ", not what was acknowledged last, " + std::to_string(state.last_acknowledged) +
         (state.clears.contains(state.last_acknowledged) ? ", which is nothing" : ""));
}

void Judge::miss(const std::string& name, const std::string& words) {
  missing_[client_of(name)].push_back(words);
}

}  // namespace mq::sim

#include "broker/access.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "broker/core.hpp"
#include "broker/incoming.hpp"
#include "topic/name.hpp"
#include "topic/overlap.hpp"

// Two lists decide, one after the other: the rules of the user, or of nobody in particular, and
// the patterns with the client's names in them. Within each, denials come first. So a grant to a
// user beats the denial of a pattern, as in mosquitto.

namespace mq::broker {
namespace {

constexpr Millis kTellingPause{1000};

bool is_fit_for_patterns(std::string_view name) {
  return !topic::has_wildcard(name);
}

/// The filter of a pattern for one client; nothing when it needs a name that there is not.
std::optional<std::string> filled_in(std::string_view pattern, std::string_view user_name,
                                     std::string_view client_id) {
  std::string filter;
  bool is_first = true;
  for (std::string_view rest = pattern; rest.data() != nullptr;) {
    auto level = topic::take_level(rest);
    if (level == "%u" || level == "%c") {
      level = level == "%u" ? user_name : client_id;
      if (level.empty()) return std::nullopt;
    }
    if (!std::exchange(is_first, false)) filter += '/';
    filter += level;
  }
  return filter;
}

}  // namespace

void RuleList::add(AccessRule rule) {
  const auto index = static_cast<std::uint32_t>(rules_.size());
  if (topic::has_wildcard(rule.filter)) {
    (rule.is_denial() ? wild_denials_ : wild_grants_).push_back(index);
  } else {
    auto& same = exact_[rule.filter];
    same.insert(rule.is_denial() ? same.begin() : same.end(), index);
  }
  rules_.push_back(std::move(rule));
}

const AccessRule* RuleList::find(Right right, std::string_view topic) const {
  const auto at = exact_.find(topic);
  if (at != exact_.end() && rules_[at->second.front()].is_denial()) {
    return &rules_[at->second.front()];
  }
  for (const auto index : wild_denials_) {
    if (topic::matches(rules_[index].filter, topic)) return &rules_[index];
  }
  if (at != exact_.end()) {
    for (const auto index : at->second) {
      if (rules_[index].grants(right)) return &rules_[index];
    }
  }
  for (const auto index : wild_grants_) {
    const AccessRule& rule = rules_[index];
    if (rule.grants(right) && topic::matches(rule.filter, topic)) return &rule;
  }
  return nullptr;
}

const AccessRule* RuleList::denial_of(std::string_view filter) const {
  for (const AccessRule& rule : rules_) {
    if (rule.is_denial() && topic::covers(rule.filter, filter)) return &rule;
  }
  return nullptr;
}

Access::Access(std::shared_ptr<const AccessRules> rules, std::string_view user_name,
               std::string_view client_id)
    : rules_(std::move(rules)) {
  if (user_name.empty()) {
    own_ = &rules_->anonymous;
  } else if (const auto user = rules_->users.find(user_name); user != rules_->users.end()) {
    own_ = &user->second;
  }
  if (!is_fit_for_patterns(user_name) || !is_fit_for_patterns(client_id)) return;
  for (const AccessRule& pattern : rules_->patterns) {
    auto filter = filled_in(pattern.filter, user_name, client_id);
    if (filter) patterns_.add({*std::move(filter), pattern.rights, pattern.line});
  }
}

Access::Decision Access::decide(Right right, std::string_view topic) const {
  const AccessRule* rule = own_ == nullptr ? nullptr : own_->find(right, topic);
  if (rule == nullptr) rule = patterns_.find(right, topic);
  const std::size_t own = own_ == nullptr ? 0 : own_->wild();
  return {rule != nullptr && !rule->is_denial(), rule, own + patterns_.wild()};
}

Access::Decision Access::decide_subscription(std::string_view filter) const {
  Decision decision;
  const auto look_into = [&](const RuleList& list, const RuleList* before) -> const AccessRule* {
    for (const AccessRule& rule : list.rules()) {
      ++decision.tried;
      if (!rule.grants(Right::read)) continue;
      const auto common = topic::intersection(filter, rule.filter);
      if (!common) continue;
      const AccessRule* denial = list.denial_of(*common);
      decision.tried += list.rules().size();
      if (denial == nullptr && before != nullptr) {
        denial = before->denial_of(*common);
        decision.tried += before->rules().size();
      }
      if (denial == nullptr) return &rule;
      decision.rule = denial;
    }
    return nullptr;
  };
  const AccessRule* grant = own_ == nullptr ? nullptr : look_into(*own_, nullptr);
  if (grant == nullptr) grant = look_into(patterns_, own_);
  if (grant != nullptr) {
    decision.is_allowed = true;
    decision.rule = grant;
  }
  return decision;
}

// What the core asks.

void Core::use_rules(std::uint16_t listener, std::shared_ptr<const AccessRules> rules) {
  rules_.resize(config_.listeners.size());
  rules_[listener] = std::move(rules);
  for (const auto& session : sessions_) {
    if (session != nullptr && session->listener == listener) apply_rules(*session);
  }
}

void Core::apply_rules(Session& session) {
  tell_last_denial(session);
  session.access.reset();
  if (session.listener >= rules_.size() || rules_[session.listener] == nullptr) return;
  session.access =
      std::make_unique<Access>(rules_[session.listener], session.user_name, session.client_id);
  session.must_recheck = session.waiting() > 0;
}

bool Core::check(Session& session, fact::Act act, std::string_view topic) {
  Access& access = *session.access;
  const auto decision =
      act == fact::Act::subscribe
          ? access.decide_subscription(topic)
          : access.decide(act == fact::Act::read ? Right::read : Right::write, topic);
  work_ += decision.tried;
  if (decision.is_allowed) return true;
  const bool is_reading = act == fact::Act::read;
  Access::Telling& telling = is_reading ? access.reads : access.others;
  const auto untold = telling.untold++;
  const bool is_told = telling.next <= now_.steady;
  if (!is_told && is_reading) return false;  // so many that they are but counted
  fact::Denied denied{session.connection == nullptr ? ConnectionId{} : session.connection->id,
                      session.client_id,
                      session.user_name,
                      act,
                      std::string(topic),
                      access.file(),
                      decision.rule == nullptr ? 0 : decision.rule->line,
                      untold};
  if (!is_told) {
    telling.last = std::make_shared<const fact::Denied>(std::move(denied));
    return false;
  }
  telling = {.next = now_.steady + kTellingPause};
  facts_.emplace_back(std::move(denied));
  return false;
}

void Core::tell_last_denial(Session& session) {
  if (session.access == nullptr || session.access->others.last == nullptr) return;
  facts_.emplace_back(*session.access->others.last);
  session.access->others = {};
}

void Core::remember_source(const Incoming& incoming) {
  const std::string_view topic = incoming.packet.topic;
  const Session* session =
      incoming.publisher == kNoSession ? nullptr : sessions_[incoming.publisher].get();
  if (session != nullptr && session->access != nullptr) {
    sources_[topic] = {config_.listeners[session->listener].port, session->user_name,
                       session->client_id};
  } else if (!sources_.empty()) {
    if (const auto known = sources_.find(topic); known != sources_.end()) sources_.erase(known);
  }
}

bool Core::may_source_publish(std::string_view topic) const {
  const auto source = sources_.find(topic);
  if (source == sources_.end() || !config_.check_retain_source) return true;
  const auto& [port, user_name, client_id] = source->second;
  bool is_known = false;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (config_.listeners[i].port != port) continue;
    const auto& rules = rules_[i];
    if (rules == nullptr ||
        Access(rules, user_name, client_id).decide(Right::write, topic).is_allowed) {
      return true;
    }
    is_known = true;
  }
  return !is_known;
}

bool Core::may_subscribe(Session& session, std::string_view filter) {
  if (session.access == nullptr) return true;
  const auto share = topic::share_of(filter);
  return check(session, fact::Act::subscribe, share ? share->filter : filter);
}

}  // namespace mq::broker

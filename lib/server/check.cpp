#include "server/check.hpp"

#include <fmt/format.h>

#include "base/printable.hpp"
#include "broker/incoming.hpp"
#include "crypto/tls.hpp"
#include "server/process.hpp"
#include "topic/name.hpp"

namespace mq::server {
namespace {

using broker::AccessRule;
using broker::Right;

std::string place_of(const Listener& listener) {
  if (!listener.unix_path.empty()) return printable(listener.unix_path);
  if (listener.is_loopback) return fmt::format("port {} of this machine only", listener.port);
  if (listener.host.empty()) return fmt::format("port {}", listener.port);
  return fmt::format("port {} of {}", listener.port, printable(listener.host));
}

bool is_proving(const Listener& listener) {
  return listener.tls.user_name != crypto::UserName::as_given;
}

std::string description_of(const Listener& listener, const broker::ListenerConfig& granted,
                           const AccessFiles::Entry& files) {
  const std::string_view encryption = listener.tls.is_wanted() ? "TLS" : "no encryption";
  const std::string users = files.passwords == nullptr
                                ? "no password_file"
                                : fmt::format("{} users in {}", files.passwords->size(),
                                              printable(listener.password_file.path));
  const std::string_view others = granted.allow_anonymous ? "clients without a name come in"
                                  : is_proving(listener)
                                      ? "clients with a certificate come in under its name"
                                      : "clients without a name do not come in";
  const std::string rules = files.rules == nullptr
                                ? "everything is allowed"
                                : fmt::format("rules in {}", printable(files.rules->file));
  return fmt::format("{}: {}; {}; {}; {}", place_of(listener), encryption, users, others, rules);
}

std::string_view word_for(const AccessRule& rule) {
  if (rule.is_denial()) return "deny";
  if (!rule.grants(Right::write)) return "read";
  return rule.grants(Right::read) ? "readwrite" : "write";
}

/// Why the client would not even be let in; empty: it would be, with the right password.
std::string obstacle(const Config& config, const AccessFiles& files, std::size_t listener,
                     const std::string& user) {
  const auto& passwords = files.listeners[listener].passwords;
  const bool is_unknown = passwords != nullptr && !passwords->find(user).is_known;
  const Listener& where = config.listeners[listener];
  if (is_proving(where)) return {};
  if (!user.empty() && is_unknown) {
    return fmt::format("it cannot come in: there is no user {} in {}", printable(user),
                       printable(where.password_file.path));
  }
  const bool has_no_name = user.empty() || passwords == nullptr;
  if (has_no_name && !config.broker.listeners[listener].allow_anonymous) {
    return user.empty() ? "it cannot come in: allow_anonymous is false"
                        : "it cannot come in: allow_anonymous is false, and there is no "
                          "password_file";
  }
  return {};
}

std::pair<bool, std::string> reason(const Config& config, const AccessFiles& files,
                                    std::size_t listener, const Question& question) {
  if (auto words = obstacle(config, files, listener, question.user); !words.empty()) {
    return {false, words};
  }
  const auto share = topic::share_of(question.topic);
  const std::string_view topic = share ? share->filter : std::string_view(question.topic);
  if (question.right == Right::write && broker::is_reserved(topic)) {
    return {false, "only the broker itself publishes there"};
  }
  const auto& rules = files.listeners[listener].rules;
  if (rules == nullptr) return {true, "there is no acl_file"};
  const broker::Access access(rules, question.user, question.client);
  const auto decision = question.right == Right::read && topic::has_wildcard(topic)
                            ? access.decide_subscription(topic)
                            : access.decide(question.right, topic);
  if (decision.rule == nullptr) {
    return {false, fmt::format("no rule of {} allows it", printable(rules->file))};
  }
  return {decision.is_allowed,
          fmt::format("{}:{} ({} {})", printable(rules->file), decision.rule->line,
                      word_for(*decision.rule), printable(decision.rule->filter))};
}

}  // namespace

Findings look_into(const Config& config) {
  Findings found;
  for (const Listener& listener : config.listeners) {
    if (!listener.tls.is_wanted()) continue;
    if (const auto made = crypto::tls_server(listener.tls); !made) {
      found.mistakes.push_back(made.error().message);
    }
  }
  if (auto files = AccessFiles::read(config.listeners)) {
    found.files = *std::move(files);
  } else {
    found.mistakes.push_back(files.error().message);
  }
  if (const auto user = user_after_root(config.user); !user) {
    found.mistakes.push_back(user.error().message);
  }
  found.warnings = warnings_about_files(config.listeners);
  if (!found.mistakes.empty()) return found;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    found.listeners.push_back(
        description_of(config.listeners[i], config.broker.listeners[i], found.files.listeners[i]));
  }
  return found;
}

Answer answer(const Config& config, const AccessFiles& files, std::size_t listener,
              const Question& question) {
  const auto [is_allowed, why] = reason(config, files, listener, question);
  const std::string who =
      question.user.empty() ? "a client without a name" : "user " + printable(question.user);
  const std::string client =
      question.client.empty() ? "" : fmt::format(" as client {}", printable(question.client));
  return {is_allowed, fmt::format("{}: {}{} {} {} {}: {}", place_of(config.listeners[listener]),
                                  who, client, is_allowed ? "may" : "may not",
                                  question.right == Right::read ? "read" : "write",
                                  printable(question.topic), why)};
}

}  // namespace mq::server

#include "server/transition.hpp"

#include <utility>

namespace mq::server {
namespace {

bool is_same_place(const Listener& a, const Listener& b) {
  return a.host == b.host && a.port == b.port && a.unix_path == b.unix_path &&
         a.is_loopback == b.is_loopback && a.family == b.family && a.interface == b.interface;
}

/// What is said about all listeners binds also who has come through one that is closed.
void bind_as_all(Listener& closed, broker::ListenerConfig& granted, const Config& wanted) {
  if (!closed.allow_anonymous) granted.allow_anonymous = wanted.allow_anonymous;
  if (!wanted.files) return;
  closed.password_file = wanted.files->password_file;
  closed.acl_file = wanted.files->acl_file;
  granted.has_passwords = !closed.password_file.path.empty();
}

/// Puts each wanted listener where there is or was one of the same place, or behind all.
void place_listeners(const Config& running, const std::vector<bool>& is_open, Config& wanted,
                     Transition& result) {
  Config& config = result.config;
  config.listeners = running.listeners;
  config.broker.listeners = running.broker.listeners;
  result.is_open.assign(config.listeners.size(), false);
  for (std::size_t i = 0; i < wanted.listeners.size(); ++i) {
    std::size_t at = 0;
    const auto fits = [&](std::size_t index) {
      // Clients keep the part of the tree in which they have subscribed.
      return !result.is_open[index] &&
             is_same_place(config.listeners[index], wanted.listeners[i]) &&
             config.broker.listeners[index].mount_point == wanted.broker.listeners[i].mount_point;
    };
    while (at < config.listeners.size() && !fits(at)) ++at;
    if (at == config.listeners.size()) {
      config.listeners.emplace_back();
      config.broker.listeners.emplace_back();
      result.is_open.push_back(false);
    }
    const bool was_open = at < is_open.size() && is_open[at];
    (was_open ? result.kept : result.opened).push_back(at);
    config.listeners[at] = std::move(wanted.listeners[i]);
    config.broker.listeners[at] = std::move(wanted.broker.listeners[i]);
    result.is_open[at] = true;
  }
  for (std::size_t i = 0; i < is_open.size(); ++i) {
    if (result.is_open[i]) continue;
    if (is_open[i]) result.closed.push_back(i);
    bind_as_all(config.listeners[i], config.broker.listeners[i], wanted);
  }
}

}  // namespace

Transition transition(const Config& running, const std::vector<bool>& is_open, Config wanted) {
  Transition result;
  result.config = wanted;
  place_listeners(running, is_open, wanted, result);
  for (const auto& [name, value] : wanted.at_start) {
    const auto known = running.at_start.find(name);
    if (known == running.at_start.end() || known->second != value) result.postponed.push_back(name);
  }
  for (const auto& [name, value] : running.at_start) {
    if (!wanted.at_start.contains(name)) result.postponed.push_back(name);
  }
  Config& config = result.config;
  config.at_start = running.at_start;
  config.data_file = running.data_file;
  config.sync = running.sync;
  config.broker.persistence = running.broker.persistence;
  config.broker.queue_window = running.broker.queue_window;
  config.pid_file = running.pid_file;
  config.user = running.user;
  return result;
}

}  // namespace mq::server

#include "server/transition.hpp"

#include <utility>

namespace mq::server {
namespace {

bool is_same_place(const Listener& a, const Listener& b) {
  return a.host == b.host && a.port == b.port && a.unix_path == b.unix_path &&
         a.is_loopback == b.is_loopback && a.family == b.family;
}

/// Whether its socket may stay as it is: nothing differs that is decided when it is opened.
bool may_stay(const Listener& a, const Listener& b) {
  return a.interface == b.interface && a.connections_max == b.connections_max &&
         a.socket_mode == b.socket_mode && a.socket_group == b.socket_group &&
         a.proxy.version == b.proxy.version;
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
      return !result.is_open[index] && is_same_place(config.listeners[index], wanted.listeners[i]);
    };
    while (at < config.listeners.size() && !fits(at)) ++at;
    if (at == config.listeners.size()) {
      config.listeners.emplace_back();
      config.broker.listeners.emplace_back();
      result.is_open.push_back(false);
    }
    const bool was_open = at < is_open.size() && is_open[at];
    const bool stays = was_open && running.has_nodelay == wanted.has_nodelay &&
                       may_stay(running.listeners[at], wanted.listeners[i]);
    if (!stays) result.opened.push_back(at);
    if (was_open && !stays) result.closed.push_back(at);
    config.listeners[at] = std::move(wanted.listeners[i]);
    config.broker.listeners[at] = std::move(wanted.broker.listeners[i]);
    result.is_open[at] = true;
  }
  for (std::size_t i = 0; i < is_open.size(); ++i) {
    if (is_open[i] && !result.is_open[i]) result.closed.push_back(i);
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

#include "server/config.hpp"

namespace mq::server {

Config local_config(const std::vector<std::uint16_t>& ports) {
  Config config;
  config.broker.listeners.clear();
  for (const std::uint16_t port : ports.empty() ? std::vector<std::uint16_t>{1883} : ports) {
    config.listeners.push_back({.host = {}, .port = port, .unix_path = {}, .is_loopback = true});
    config.broker.listeners.emplace_back();
  }
  return config;
}

}  // namespace mq::server

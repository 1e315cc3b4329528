#include "server/run.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "net/broker_driver.hpp"
#include "net/machine.hpp"

namespace mq::server {
namespace {

void log(std::string_view line) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  fmt::print(stderr, "{}: {}\n", std::chrono::duration_cast<Seconds>(now).count(), line);
}

std::expected<void, Error> listen(net::BrokerDriver& driver, const Listener& listener,
                                  std::uint16_t index) {
  if (!listener.unix_path.empty()) {
    const auto bound = driver.listen_unix(index, listener.unix_path);
    if (!bound) return std::unexpected(bound.error());
    log(fmt::format("Opening unix listen socket on path {}.", bound->address));
    return {};
  }
  const auto bound = listener.is_loopback ? driver.listen_loopback(index, listener.port)
                                          : driver.listen(index, listener.host, listener.port);
  if (!bound) return std::unexpected(bound.error());
  for (const auto& one : *bound) {
    const bool is_v6 = one.address.find(':') != std::string::npos;
    log(fmt::format("Opening {} listen socket on port {}.", is_v6 ? "ipv6" : "ipv4", one.port));
  }
  return {};
}

}  // namespace

std::expected<void, Error> run(const Config& config) {
  std::signal(SIGPIPE, SIG_IGN);
  log(fmt::format("{} starting", config.broker.version));
  broker::Config broker = config.broker;
  broker.seed = net::random_seed();
  broker::Core core(std::move(broker), net::now());
  net::BrokerDriver driver(core, nullptr, nullptr);
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    if (auto open = listen(driver, config.listeners[i], static_cast<std::uint16_t>(i)); !open) {
      return open;
    }
  }
  driver.run();
  log(fmt::format("{} terminating", config.broker.version));
  return {};
}

}  // namespace mq::server

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/printable.hpp"
#include "crypto/certificate_end.hpp"
#include "server/broker_process.hpp"
#include "server/listener_filter.hpp"

// SIGHUP: everything that the new configuration names is read, and its listeners are opened, before
// any of it counts. So it is taken whole, or refused whole with one line that says why. No
// connection is closed but those whom their listener would not let in any more.

namespace mq::server {
namespace {

/// Who renews certificates by a program does so before.
constexpr std::int64_t kFewDays = 14;

std::int64_t days_until(WallTime end, WallTime now) {
  return std::chrono::floor<std::chrono::days>(end - now).count();
}

}  // namespace

auto BrokerProcess::read_certificates(const Config& config, const std::vector<bool>& is_open)
    -> std::expected<Filters, Error> {
  Filters filters(config.listeners.size());
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const Listener& listener = config.listeners[i];
    if (!is_open[i]) continue;
    auto made = filter_for(listener);
    if (!made) return std::unexpected(made.error());
    filters[i] = *std::move(made);
  }
  return filters;
}

std::expected<AccessFiles, Error> BrokerProcess::read_access(
    const Config& config, const std::vector<bool>& is_open) const {
  // Whoever came through a listener that is closed by now is still bound by its files, as long as
  // they can be read.
  if (auto all = AccessFiles::read(config.listeners)) return all;
  std::vector<Listener> listeners = config.listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    if (!is_open[i]) listeners[i] = {};
  }
  auto files = AccessFiles::read(listeners);
  if (!files) return files;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    if (!is_open[i]) files->listeners[i] = access_.listeners[i];
  }
  return files;
}

void BrokerProcess::use_access(AccessFiles files) {
  for (const auto& line : warnings_about_files(config_.listeners, config_.user))
    tell(LogType::warning, line);
  for (std::size_t i = 0; i < access_.listeners.size(); ++i) {
    const auto& before = access_.listeners[i].passwords;
    const auto& after = files.listeners[i].passwords;
    if (before == nullptr || after == nullptr) continue;
    core_.expel(static_cast<std::uint16_t>(i), before->changed_in(*after), driver_.now());
  }
  access_ = std::move(files);
  verified_ = std::make_shared<VerifiedPasswords>();
  for (std::size_t i = 0; i < access_.listeners.size(); ++i) {
    core_.use_rules(static_cast<std::uint16_t>(i), access_.listeners[i].rules);
  }
}

void BrokerProcess::reload() {
  if (auto opened = log_.reopen(); !opened) tell(LogType::error, opened.error().message);
  auto wanted = reread_();
  if (!wanted) {
    return tell(LogType::error, wanted.error().message + "; the configuration stays as it was");
  }
  Transition next = transition(config_, is_open_, *std::move(wanted));
  if (auto done = go_over(next); !done) {
    return tell(LogType::error, done.error().message + "; the configuration stays as it was");
  }
  for (const auto& name : next.postponed) {
    tell(LogType::warning, fmt::format("{}: the change counts at the next start only.", name));
  }
  for (const auto& line : config_.warnings) tell(LogType::warning, line);
  tell_who_may_come();
  tell_certificates();
  tell(LogType::notice, "The configuration was read again.");
}

std::expected<void, Error> BrokerProcess::go_over(Transition& next) {
  auto filters = read_certificates(next.config, next.is_open);
  if (!filters) return std::unexpected(filters.error());
  auto files = read_access(next.config, next.is_open);
  if (!files) return std::unexpected(files.error());
  if (auto done = log_.use(next.config.log); !done) return done;
  // A connection that comes in before the end of this function waits in its socket.
  Filters old_filters = std::exchange(filters_, *std::move(filters));
  if (auto done = change_listeners(next); !done) {
    filters_ = std::move(old_filters);
    // It was open a moment ago, and where it is not any more there is nothing to be done.
    [[maybe_unused]] const auto back = log_.use(config_.log);
    return done;
  }
  config_ = std::move(next.config);
  is_open_ = std::move(next.is_open);
  core_.use_config(config_.broker, driver_.now());
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    driver_.limit_connections(static_cast<std::uint16_t>(i), config_.listeners[i].connections_max);
  }
  use_access(*std::move(files));
  use_log();
  return {};
}

std::expected<void, Error> BrokerProcess::change_listeners(const Transition& next) {
  // A new listener may want the port of one that is to go.
  for (const auto index : next.closed) driver_.stop_listening(static_cast<std::uint16_t>(index));
  for (const auto index : next.opened) {
    auto done = listen(next.config, index);
    if (done) continue;
    for (const auto other : next.opened) driver_.stop_listening(static_cast<std::uint16_t>(other));
    for (const auto gone : next.closed) {
      if (auto back = listen(config_, gone); !back) tell(LogType::error, back.error().message);
    }
    return done;
  }
  return {};
}

void BrokerProcess::reload_certificates() {
  auto filters = read_certificates(config_, is_open_);
  if (!filters) {
    return tell(LogType::error, filters.error().message + "; the certificates stay what they were");
  }
  filters_ = *std::move(filters);
  tell(LogType::notice, "The files of TLS have changed: they were read again.");
  tell_certificates();
}

void BrokerProcess::watch_certificates() {
  std::set<std::string> files;
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    const auto& tls = config_.listeners[i].tls;
    if (!is_open_[i]) continue;
    files.insert({tls.certificate, tls.key, tls.ca_file, tls.ca_path, tls.crl_file, tls.psk_file});
  }
  files.erase("");
  driver_.watch({files.begin(), files.end()}, [this] { reload_certificates(); });
}

void BrokerProcess::tell_certificates() {
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    const Listener& listener = config_.listeners[i];
    if (!is_open_[i] || listener.tls.certificate.empty()) continue;
    const auto end = crypto::certificate_end(listener.tls.certificate);
    if (!end) continue;
    const auto now = driver_.now();
    const auto days = days_until(*end, now.wall);
    const std::string place = listener.unix_path.empty() ? std::to_string(listener.port) : "unix";
    core_.put_sys("listeners/" + place + "/certificate/days", std::to_string(days), now);
    if (days >= kFewDays) continue;
    tell(days < 0 ? LogType::error : LogType::warning,
         fmt::format("The certificate {} of {} {}.", printable(listener.tls.certificate),
                     name_of(listener),
                     days < 0 ? "has expired" : fmt::format("expires in {} days", days)));
  }
  watch_certificates();
}

}  // namespace mq::server

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <string_view>
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

constexpr std::string_view kKept =
    "; what was read before counts (give it, by chown or chgrp, to the user whom the broker "
    "became)";

/// Whether the file is there and this process may not read it.
bool is_denied(const std::string& file) {
  return !file.empty() && access(file.c_str(), R_OK) != 0 && errno == EACCES;
}

/// What a Unix socket is for others without socket_mode.
std::uint32_t usual_mode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0777 & ~mask;
}

std::int64_t days_until(WallTime end, WallTime now) {
  return std::chrono::floor<std::chrono::days>(end - now).count();
}

}  // namespace

bool BrokerProcess::is_denied_now(const Config& config, std::size_t listener) const {
  if (listener >= filters_.size() || !is_open_[listener]) return false;
  const Listener& before = config_.listeners[listener];
  const Listener& after = config.listeners[listener];
  const auto& tls = after.tls;
  return before.tls == tls && before.proxy == after.proxy && before.web == after.web &&
         before.is_websocket == after.is_websocket &&
         std::ranges::any_of(std::array{&tls.certificate, &tls.key, &tls.ca_file, &tls.ca_path,
                                        &tls.crl_file, &tls.psk_file},
                             [](const std::string* file) { return is_denied(*file); });
}

auto BrokerProcess::read_certificates(const Config& config, const std::vector<bool>& is_open)
    -> std::expected<Filters, Error> {
  Filters filters(config.listeners.size());
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const Listener& listener = config.listeners[i];
    if (!is_open[i]) continue;
    if (auto made = filter_for(listener)) {
      filters[i] = *std::move(made);
    } else if (is_denied_now(config, i)) {
      tell(LogType::warning, made.error().message + std::string(kKept));
      filters[i] = filters_[i];
    } else {
      return std::unexpected(made.error());
    }
  }
  return filters;
}

std::expected<AccessFiles, Error> BrokerProcess::read_access(const Config& config,
                                                             const std::vector<bool>& is_open) {
  std::vector<Listener> listeners = config.listeners;
  AccessFiles kept;
  kept.listeners.resize(listeners.size());
  std::set<std::string> told;
  // What root has read before and whom it became cannot: it is not asked for.
  const auto keep = [&](std::size_t i, NamedFile Listener::* file,
                        auto AccessFiles::Entry::* content) {
    NamedFile& named = listeners[i].*file;
    for (std::size_t j = 0; j < access_.listeners.size() && is_denied(named.path); ++j) {
      if ((config_.listeners[j].*file).path != named.path) continue;
      if (told.insert(named.path).second) {
        tell(LogType::warning, fmt::format("{}: cannot read {}: {}{}", named.place,
                                           printable(named.path), std::strerror(EACCES), kKept));
      }
      kept.listeners[i].*content = access_.listeners[j].*content;
      named = {};
    }
  };
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    keep(i, &Listener::password_file, &AccessFiles::Entry::passwords);
    keep(i, &Listener::acl_file, &AccessFiles::Entry::rules);
  }
  auto files = AccessFiles::read(listeners);
  if (!files) {
    // Whoever came through a listener that is closed by now is still bound by its files, as long as
    // they can be read.
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      if (is_open[i]) continue;
      listeners[i] = {};
      kept.listeners[i] = access_.listeners[i];
    }
    files = AccessFiles::read(listeners);
  }
  if (!files) return files;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    auto& [passwords, rules] = files->listeners[i];
    if (passwords == nullptr) passwords = kept.listeners[i].passwords;
    if (rules == nullptr) rules = kept.listeners[i].rules;
  }
  return files;
}

void BrokerProcess::use_access(AccessFiles files) {
  for (const auto& line : warnings_about_files(config_.listeners, config_.user))
    tell(LogType::warning, line);
  for (std::size_t i = 0; i < access_.listeners.size(); ++i) {
    const auto& before = access_.listeners[i].passwords;
    const auto& after = files.listeners[i].passwords;
    if (before == nullptr) continue;
    const auto listener = static_cast<std::uint16_t>(i);
    if (after == nullptr && config_.broker.listeners[i].allow_anonymous) {
      core_.forget_passwords(listener);  // they stay, who could come in again
    } else {
      const auto gone = before->changed_in(after == nullptr ? PasswordFile() : *after);
      core_.expel(listener, gone, driver_.now());
    }
  }
  access_ = std::move(files);
  verified_ = std::make_shared<VerifiedPasswords>();
  driver_.verify_again();
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
  auto done = adapt_listeners(next.kept, config_, next.config);
  if (done) done = change_listeners(next);
  if (!done) {
    filters_ = std::move(old_filters);
    // All was so a moment ago, and where it cannot be any more there is nothing to be done.
    [[maybe_unused]] const auto listeners = adapt_listeners(next.kept, next.config, config_);
    [[maybe_unused]] const auto log = log_.use(config_.log);
    return done;
  }
  config_ = std::move(next.config);
  is_open_ = std::move(next.is_open);
  core_.use_config(config_.broker, driver_.now());
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
      if (auto back = listen(config_, gone); !back) {
        tell(LogType::error, back.error().message);
        is_open_[gone] = false;  // the next reload tries again
      }
    }
    return done;
  }
  return {};
}

std::expected<void, Error> BrokerProcess::adapt_listeners(const std::vector<std::size_t>& kept,
                                                          const Config& before,
                                                          const Config& after) {
  for (const auto index : kept) {
    const Listener& old = before.listeners[index];
    const Listener& wanted = after.listeners[index];
    auto options = listen_options(after, index);
    const bool has_other_mode = wanted.socket_mode != old.socket_mode;
    const bool has_other_group = wanted.socket_group != old.socket_group;
    options.mode.reset();
    options.group.reset();
    if (has_other_mode) options.mode = wanted.socket_mode.value_or(usual_mode());
    if (has_other_group) options.group = wanted.socket_group.value_or(getegid());
    auto done = driver_.adapt(static_cast<std::uint16_t>(index), options);
    if (done) continue;
    return std::unexpected(
        Error{wanted.places.before(has_other_mode ? "socket_mode" : "socket_group") +
              done.error().message + " (it takes a restart)"});
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

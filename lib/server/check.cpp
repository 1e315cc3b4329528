#include "server/check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <net/if.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/printable.hpp"
#include "broker/incoming.hpp"
#include "net/address.hpp"
#include "net/listen_check.hpp"
#include "server/check_listener.hpp"
#include "server/data_directory.hpp"
#include "server/listener_filter.hpp"
#include "server/process.hpp"
#include "topic/name.hpp"

namespace mq::server {
namespace {

using broker::Right;
namespace fs = std::filesystem;

/// Why nothing could be written there; empty: it could, or there is nothing to write.
///
/// place  begins the words
std::string obstacle_to_writing(const std::string& file, const std::string& place) {
  if (file.empty()) return {};
  const bool is_there = access(file.c_str(), F_OK) == 0;
  std::error_code error;
  if (fs::is_directory(file, error)) {
    return fmt::format("{}cannot write {}: {}", place, printable(file), std::strerror(EISDIR));
  }
  const fs::path directory = fs::path(file).parent_path();
  const std::string target = is_there ? file : directory.empty() ? "." : directory.string();
  if (access(target.c_str(), is_there ? W_OK : W_OK | X_OK) == 0) return {};
  return fmt::format("{}cannot write {}: {}", place, printable(file), std::strerror(errno));
}

/// Likewise of the directory with the state, which is made where there is none.
std::string obstacle_to_keeping(const Config& config) {
  if (config.data_file.empty()) return {};
  const auto done = foresee_data_directory(config.data_file, config.user);
  return done ? std::string() : config.places.before("persistence_location") + done.error().message;
}

/// A listener and what it would listen on.
struct Claim {
  const Listener* listener;
  sockaddr_storage address;
};

bool has_its_interface(const Listener& listener) {
  return listener.interface.empty() || if_nametoindex(listener.interface.c_str()) != 0;
}

bool may_share_interface(const Listener& a, const Listener& b) {
  return a.interface.empty() || b.interface.empty() || a.interface == b.interface;
}

/// Whether there could be a listener, beside those before it, whom it joins. Its port may be taken:
/// perhaps by the broker that runs.
std::expected<void, Error> check_place(const Listener& listener, std::vector<Claim>& claims) {
  if (!listener.unix_path.empty()) return net::check_unix_path(listener.unix_path);
  if (listener.is_loopback || !has_its_interface(listener)) return {};
  const auto addresses = net::check_host(
      listener.host, listener.port, {.family = listener.family, .interface = listener.interface});
  if (!addresses) return std::unexpected(addresses.error());
  for (const auto& address : *addresses) {
    for (const Claim& other : claims) {
      if (other.listener == &listener || !may_share_interface(*other.listener, listener) ||
          !net::are_in_the_way(address, other.address)) {
        continue;
      }
      return std::unexpected(
          Error{fmt::format("cannot listen on {} port {}: that is where the one of {} listens "
                            "(choose another port or address)",
                            net::text_of(address), listener.port, other.listener->places.whole)});
    }
    claims.push_back({&listener, address});
  }
  return {};
}

/// Why the client would not even be let in; empty: it would be, with the right password.
std::string obstacle(const Config& config, const AccessFiles& files, std::size_t listener,
                     const Question& question) {
  const std::string& user = question.user;
  const std::string& prefix = config.broker.clientid_prefixes;
  if (!question.client.empty() && !question.client.starts_with(prefix)) {
    return fmt::format("it cannot come in: its id does not begin with clientid_prefixes, {}",
                       printable(prefix));
  }
  const auto& passwords = files.listeners[listener].passwords;
  const bool is_unknown = passwords != nullptr && !passwords->find(user).is_known;
  const Listener& where = config.listeners[listener];
  if (user.empty() && is_proving(where)) {
    return "it cannot come in: every client has a name here, which it proves";
  }
  if (user.empty() && config.broker.listeners[listener].use_username_as_clientid) {
    return "it cannot come in: it has no user name to take for the client id "
           "(use_username_as_clientid)";
  }
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

/// A topic or filter as everybody sees it, who is not behind the mount point.
std::string whole_topic(const Config& config, std::size_t listener, const Question& question) {
  const auto share = topic::share_of(question.topic);
  return config.broker.listeners[listener].mount_point +
         std::string(share ? share->filter : std::string_view(question.topic));
}

std::pair<bool, std::string> reason(const Config& config, const AccessFiles& files,
                                    std::size_t listener, const Question& question) {
  if (auto words = obstacle(config, files, listener, question); !words.empty()) {
    return {false, words};
  }
  const std::string topic = whole_topic(config, listener, question);
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

std::vector<std::string> missing_here(const Config& config) {
  std::vector<std::string> mistakes;
  for (const Listener& listener : config.listeners) {
    if (has_its_interface(listener)) continue;
    mistakes.push_back(fmt::format("{}there is no network interface \"{}\" (ip link lists them)",
                                   listener.places.before("bind_interface"),
                                   printable(listener.interface)));
  }
  if (const auto user = user_after_root(config.user); !user) {
    mistakes.push_back(config.places.before("user") + user.error().message);
  }
  return mistakes;
}

Findings look_into(const Config& config) {
  Findings found;
  found.mistakes = missing_here(config);
  std::vector<Claim> claims;
  for (const Listener& listener : config.listeners) {
    if (const auto made = filter_for(listener); !made) {
      found.mistakes.push_back(made.error().message);
    }
    if (const auto place = check_place(listener, claims); !place) {
      found.mistakes.push_back(listener.places.before("listener") + place.error().message);
    }
  }
  if (auto files = AccessFiles::read(config.listeners)) {
    found.files = *std::move(files);
  } else {
    found.mistakes.push_back(files.error().message);
  }
  for (const auto& words : {obstacle_to_writing(config.log.file, config.log.file_place + ": "),
                            obstacle_to_writing(config.pid_file, config.places.before("pid_file")),
                            obstacle_to_keeping(config)}) {
    if (!words.empty()) found.mistakes.push_back(words);
  }
  found.warnings = warnings_about_files(config.listeners, config.user);
  if (!found.mistakes.empty()) return found;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const auto lines =
        lines_about(config.listeners[i], config.broker.listeners[i], found.files.listeners[i]);
    found.listeners.insert(found.listeners.end(), lines.begin(), lines.end());
  }
  return found;
}

Answer answer(const Config& config, const AccessFiles& files, std::size_t listener,
              const Question& asked) {
  const broker::ListenerConfig& granted = config.broker.listeners[listener];
  Question question = asked;
  if (granted.use_username_as_clientid) question.client = question.user;
  const auto [is_allowed, why] = reason(config, files, listener, question);
  const std::string who =
      question.user.empty() ? "a client without a name" : "user " + printable(question.user);
  const std::string client =
      question.client.empty() ? "" : fmt::format(" as client {}", printable(question.client));
  const std::string whole = granted.mount_point.empty()
                                ? ""
                                : fmt::format(", which is {} behind mount_point",
                                              printable(whole_topic(config, listener, question)));
  return {is_allowed, fmt::format("{}: {}{} {} {} {}{}: {}", place_of(config.listeners[listener]),
                                  who, client, is_allowed ? "may" : "may not",
                                  question.right == Right::read ? "read" : "write",
                                  printable(question.topic), whole, why)};
}

std::expected<std::vector<std::size_t>, Error> listeners_named(const Config& config,
                                                               const std::string& name) {
  std::vector<std::size_t> found;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const Listener& listener = config.listeners[i];
    names.push_back(listener.unix_path.empty() ? std::to_string(listener.port)
                                               : printable(listener.unix_path));
    if (name.empty() || name == names.back()) found.push_back(i);
  }
  if (!found.empty()) return found;
  return std::unexpected(Error{fmt::format("there is no listener {}; there is {}", printable(name),
                                           fmt::join(names, ", "))});
}

}  // namespace mq::server

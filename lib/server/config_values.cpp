#include "server/config_values.hpp"

#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/printable.hpp"

namespace mq::server {
namespace {

constexpr std::uint64_t kHighestPort = 65'535;
constexpr std::uint64_t kLongestTime = 1'000'000;
constexpr std::size_t kLongestPrefix = 50;

Objection set_port(ListenerDraft& listener, std::string_view word) {
  const auto port = number_of(word);
  if (!port || *port == 0 || *port > kHighestPort) return rejected(word, "a port, 1-65535");
  listener.where.port = static_cast<std::uint16_t>(*port);
  listener.is_named = true;
  return {};
}

}  // namespace

std::optional<std::uint64_t> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.starts_with('0')) {
    base = 8;
  }
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  if (text.starts_with('#')) text = {};
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  return std::exchange(text, text.substr(end)).substr(0, end);
}

Objection rejected(std::string_view value, std::string_view form) {
  return fmt::format("\"{}\" should be {}", printable(value), form);
}

Objection add_listener(ConfigDraft& draft, std::string_view value) {
  std::string_view rest = value;
  const std::string_view port = next_word(rest);
  const std::string_view place = next_word(rest);
  if (const auto more = next_word(rest); !more.empty()) {
    return fmt::format("\"{}\" is too much (PORT [ADDRESS], or 0 PATH)", printable(more));
  }
  ListenerDraft listener;
  listener.place = draft.place.substr(0, draft.place.rfind(": "));
  listener.index = draft.listeners.size();
  listener.is_named = true;
  if (number_of(port) == 0) {
    if (place.empty()) return "port 0 is for a Unix socket: its path is missing (0 PATH)";
    constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;
    if (place.size() > kLongestPath) {
      return fmt::format("the path of a Unix socket has at most {} bytes, this one {}",
                         kLongestPath, place.size());
    }
    listener.where.unix_path = place;
  } else {
    if (auto words = set_port(listener, port); !words.empty()) return words;
    listener.where.host = place;
  }
  draft.listeners.push_back(std::move(listener));
  draft.current = draft.listeners.size() - 1;
  return {};
}

Objection set_default_port(ConfigDraft& draft, std::string_view value) {
  return set_port(draft.listeners.front(), value);
}

Objection set_bind_address(ConfigDraft& draft, std::string_view value) {
  ListenerDraft& listener = draft.listeners.front();
  listener.where.host = value;
  listener.is_named = true;
  return {};
}

Objection set_socket_domain(ConfigDraft& draft, std::string_view value) {
  auto& family = draft.listener().where.family;
  if (value == "ipv4") {
    family = net::Family::ipv4;
  } else if (value == "ipv6") {
    family = net::Family::ipv6;
  } else {
    return rejected(value, "ipv4 or ipv6");
  }
  return {};
}

Objection set_tls_version(ConfigDraft& draft, std::string_view value) {
  auto& version = draft.listener().where.tls.version;
  if (value == "tlsv1.2") {
    version = crypto::TlsVersion::any;  // the oldest that there is
  } else if (value == "tlsv1.3") {
    version = crypto::TlsVersion::v1_3;
  } else {
    return rejected(value, "tlsv1.2 or tlsv1.3");
  }
  return {};
}

Objection set_prefix(std::optional<std::string>& prefix, std::string_view value) {
  if (value.size() > kLongestPrefix) return "it is longer than 50 bytes";
  prefix = value;
  return {};
}

Objection set_expiration(ConfigDraft& draft, std::string_view value) {
  constexpr std::array<std::pair<char, int>, 6> kUnits{{{'s', 1},
                                                        {'h', 3600},
                                                        {'d', 86'400},
                                                        {'w', 7 * 86'400},
                                                        {'m', 30 * 86'400},
                                                        {'y', 365 * 86'400}}};
  const auto* unit = std::ranges::find(kUnits, value.back(), &std::pair<char, int>::first);
  const auto number = number_of(value.substr(0, value.size() - 1));
  if (unit == kUnits.end() || !number || *number == 0 || *number > kLongestTime) {
    return rejected(value, "a number and one of s h d w m y, such as 14d");
  }
  draft.config.broker.persistent_client_expiration =
      Seconds(static_cast<Seconds::rep>(*number) * unit->second);
  return {};
}

Objection add_log_dest(ConfigDraft& draft, std::string_view value) {
  LogConfig& log = draft.config.log;
  if (!std::exchange(draft.has_log_dest, true)) log.to_stderr = false;
  std::string_view path = value;
  const std::string_view where = next_word(path);
  if (where == "stdout") {
    log.to_stdout = true;
  } else if (where == "stderr") {
    log.to_stderr = true;
  } else if (where == "none") {
    log.to_stdout = log.to_stderr = log.to_syslog = log.to_topic = false;
    log.file.clear();
  } else if (where == "syslog") {
    log.to_syslog = true;
  } else if (where == "topic") {
    log.to_topic = true;
  } else if (where == "file") {
    path.remove_prefix(std::min(path.find_first_not_of(" \t"), path.size()));
    if (path.empty()) return "the name of the file is missing (file FILE)";
    if (!log.file.empty()) return "there is a file already, and there can be one only";
    log.file = path;
    log.file_place = draft.place;
  } else {
    return rejected(where, "none, stdout, stderr, syslog, topic or file FILE");
  }
  return {};
}

Objection set_log_format(ConfigDraft& draft, std::string_view value) {
  if (value != "text" && value != "json") return rejected(value, "text or json");
  draft.config.log.is_json = value == "json";
  return {};
}

Objection set_queue_policy(ConfigDraft& draft, std::string_view value) {
  using broker::QueuePolicy;
  constexpr std::array<std::pair<std::string_view, QueuePolicy>, 3> kPolicies{
      {{"drop-newest", QueuePolicy::drop_newest},
       {"drop-oldest", QueuePolicy::drop_oldest},
       {"reject", QueuePolicy::reject}}};
  const auto* policy =
      std::ranges::find(kPolicies, value, &std::pair<std::string_view, QueuePolicy>::first);
  if (policy == kPolicies.end()) return rejected(value, "drop-newest, drop-oldest or reject");
  draft.config.broker.queue_policy = policy->second;
  return {};
}

Objection set_retain_expiry(ConfigDraft& draft, std::string_view value) {
  const auto minutes = number_of(value);
  if (!minutes || *minutes > kLongestTime) {
    return rejected(value, "a number of minutes, 0 to 1000000");
  }
  draft.config.broker.retain_expiry_interval = Seconds(static_cast<Seconds::rep>(*minutes) * 60);
  return {};
}

Objection add_log_type(ConfigDraft& draft, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, std::uint16_t>, 11> kTypes{
      {{"none", kNoLogTypes},
       {"error", static_cast<std::uint16_t>(LogType::error)},
       {"warning", static_cast<std::uint16_t>(LogType::warning)},
       {"notice", static_cast<std::uint16_t>(LogType::notice)},
       {"information", static_cast<std::uint16_t>(LogType::information)},
       {"debug", static_cast<std::uint16_t>(LogType::debug)},
       {"subscribe", static_cast<std::uint16_t>(LogType::subscribe)},
       {"unsubscribe", static_cast<std::uint16_t>(LogType::unsubscribe)},
       {"websockets", static_cast<std::uint16_t>(LogType::websockets)},
       {"internal", static_cast<std::uint16_t>(LogType::internal)},
       {"all", kAllLogTypes}}};
  const auto* type =
      std::ranges::find(kTypes, value, &std::pair<std::string_view, std::uint16_t>::first);
  if (type == kTypes.end()) {
    return rejected(value,
                    "one of none error warning notice information debug subscribe unsubscribe "
                    "websockets internal all");
  }
  std::uint16_t& types = draft.config.log.types;
  if (!std::exchange(draft.has_log_type, true)) types = kNoLogTypes;
  types =
      type->second == kNoLogTypes ? kNoLogTypes : static_cast<std::uint16_t>(types | type->second);
  return {};
}

Objection expect(std::string_view value, std::string_view only, std::string_view why) {
  if (value == only) return {};
  return fmt::format("{}, so \"{}\" should be {}", why, printable(value), only);
}

Objection set_persistence_file(ConfigDraft& draft, std::string_view value) {
  if (value.empty()) return "the name is missing";
  draft.persistence_file = value;
  return {};
}

Objection set_persistence_sync(ConfigDraft& draft, std::string_view value) {
  using Kind = storage::SyncPolicy::Kind;
  std::string_view rest = value;
  const std::string_view word = next_word(rest);
  const std::string_view count = next_word(rest);
  if (word == "interval") {
    const auto seconds = number_of(count);
    if (!seconds || *seconds < 1 || *seconds > 3600) {
      return rejected(value, "interval and the number of seconds, 1 to 3600");
    }
    draft.config.sync = {Kind::interval, Seconds(static_cast<Seconds::rep>(*seconds))};
  } else if ((word == "always" || word == "off") && count.empty()) {
    draft.config.sync = {word == "off" ? Kind::off : Kind::always, Seconds(0)};
  } else {
    return rejected(value, "always, off, or interval and a number of seconds");
  }
  return {};
}

}  // namespace mq::server

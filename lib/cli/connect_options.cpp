#include "cli/connect_options.hpp"

#include <arpa/inet.h>

#include <utility>

#include "cli/connect_rows.hpp"
#include "cli/number.hpp"
#include "topic/name.hpp"
#include "wire/utf8.hpp"

namespace mq::cli {

namespace {

constexpr std::size_t kTextMax = 65'535;
constexpr double kSecondsMax = 10.0 * 365 * 24 * 3600;

Verdict check_text(std::string_view text) {
  if (text.empty()) return wrong("must not be empty");  // [MQTT-4.7.3-1]
  // [MQTT-4.7.3-3]
  if (text.size() > kTextMax) return wrong("must not be longer than 65535 bytes");
  if (text.contains('\0')) return wrong("must not have a NUL in it");  // [MQTT-4.7.3-2]
  // [MQTT-3.1.3-11] [MQTT-3.3.2-1] [MQTT-3.8.3-1] [MQTT-3.10.3-1]
  if (!wire::is_utf8_string(bytes_of(text))) return wrong("must be UTF-8");
  return {};
}

wire::Version version_of(const ConnectOptions& options) {
  if (options.session_expiry_interval || options.has_properties) return wire::Version::v5;
  return options.version.value_or(wire::Version::v311);
}

}  // namespace

std::string random_client_id(Prng& prng) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string id = "mosq-";
  while (id.size() < 23) id += kLetters[prng.below(kLetters.size())];
  return id;
}

std::expected<wire::QoS, std::string> parse_qos(std::string_view value) {
  const auto number = parse_number<int>(value, 0, 2);
  if (!number) return std::unexpected("must be 0, 1 or 2");
  return static_cast<wire::QoS>(*number);
}

std::expected<Millis, std::string> parse_seconds(std::string_view value) {
  const auto number = parse_number<double>(value, 0.0, kSecondsMax);
  if (!number) return std::unexpected("must be a number of seconds");
  return std::chrono::round<Millis>(std::chrono::duration<double>(*number));
}

Verdict check_filter(std::string_view filter) {
  if (auto verdict = check_text(filter); !verdict) return verdict;
  if (!topic::is_filter(filter)) {  // [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.8.2-1]
    return wrong("is no topic filter: + and # must be whole levels, # only the last one");
  }
  return {};
}

Verdict check_topic(std::string_view topic) {
  if (auto verdict = check_text(topic); !verdict) return verdict;
  // [MQTT-3.3.2-2] [MQTT-4.7.0-1]
  if (topic::has_wildcard(topic)) return wrong("must be one topic: + and # are for subscribing");
  if (!topic::is_name(topic)) return wrong("has too many levels");
  return {};
}

Verdict check_bind_address(std::string_view value) {
  const std::string address(value.substr(0, value.find('%')));  // behind it: an interface
  in6_addr binary{};
  if (inet_pton(AF_INET, std::string(value).c_str(), &binary) == 1 ||
      inet_pton(AF_INET6, address.c_str(), &binary) == 1) {
    return {};
  }
  return wrong("must be an IP address of this machine");
}

Verdict set_version(ConnectOptions& options, std::string_view value) {
  using enum wire::Version;
  if (value == "31" || value == "mqttv31") {
    options.version = v31;
  } else if (value == "311" || value == "mqttv311") {
    options.version = v311;
  } else if (value == "5" || value == "mqttv5") {
    options.version = v5;
  } else {
    return wrong("must be 31, 311 or 5");
  }
  return {};
}

Verdict set_session_expiry(ConnectOptions& options, std::string_view value) {
  const auto seconds = parse_number<std::int64_t>(value, -1, kNeverExpires);
  const bool is_infinite = value == "∞" || seconds == -1;
  if (!is_infinite && !seconds) return wrong("must be -1 (for ever) or 0 to 4294967295 seconds");
  options.session_expiry_interval =
      is_infinite ? kNeverExpires : static_cast<std::uint32_t>(*seconds);
  return {};
}

/// How long the session is kept has one place, however it was said.
Verdict set_property(ConnectOptions& options, std::string_view joined) {
  PropertyLists lists = options.properties;
  if (const Verdict verdict = add_property(lists, joined); !verdict) return verdict;
  options.has_properties = true;
  const auto expiry = lists.connect.view().number(wire::PropertyId::session_expiry_interval);
  if (expiry) {
    options.session_expiry_interval = expiry;
  } else {
    options.properties = std::move(lists);
  }
  return {};
}

namespace {

/// What the URL does not say is left as other options have said it.
void add(const UrlParts& url, ConnectOptions& options) {
  if (url.is_tls && !options.tls) options.tls.emplace();
  if (url.is_websocket && !options.websocket) options.websocket.emplace();
  if (url.user_name) options.user_name = url.user_name;
  if (!url.password) return;
  options.password = url.password;
  options.password_file.reset();
  options.password_variable.reset();
}

}  // namespace

void complete(ConnectOptions& options) {
  constexpr std::uint16_t kPort = 1883;
  constexpr std::uint16_t kTlsPort = 8883;
  constexpr std::uint16_t kHttpPort = 80;
  constexpr std::uint16_t kHttpsPort = 443;
  add(options.url, options);
  if (options.is_tls_refused) {
    options.tls.reset();
  } else if (options.port == kTlsPort && !options.tls) {
    options.tls.emplace();
  }
  const std::uint16_t usual = options.url.is_websocket ? kHttpPort : kPort;
  const std::uint16_t usual_tls = options.url.is_websocket ? kHttpsPort : kTlsPort;
  options.endpoint.port = options.port.value_or(options.tls ? usual_tls : usual);
  if (options.uses_srv) {
    options.endpoint.srv_service = options.tls ? "_secure-mqtt._tcp" : "_mqtt._tcp";
  }
}

namespace {

Verdict check_way(const ConnectOptions& options) {
  if (const auto verdict = check_tls(options); !verdict) return verdict;
  const bool is_unix = !options.endpoint.unix_path.empty();
  if (options.proxy && is_unix) {
    return wrong("--proxy does not lead to a Unix socket: leave out one of the two");
  }
  if (options.proxy && options.endpoint.host.size() > 255) {
    return wrong("-h: a proxy takes no name of more than 255 bytes");
  }
  if (options.uses_srv && (options.proxy || is_unix || options.port)) {
    return wrong("-S says where the servers are: leave out --proxy, --unix and -p");
  }
  return {};
}

Verdict check_session(const ConnectOptions& options) {
  if (options.client_id && options.client_id_prefix) {
    return wrong("-i and -I exclude each other: give the whole id or its beginning");
  }
  const bool is_v5 = version_of(options) == wire::Version::v5;
  const bool is_kept_for_ever =
      options.is_session_kept &&
      (!is_v5 || options.session_expiry_interval.value_or(kNeverExpires) == kNeverExpires);
  if (is_kept_for_ever && (!options.client_id || options.client_id->empty())) {
    // [MQTT3-3.1.3-7]
    return wrong("-c needs -i: the server knows a kept session by its client id");
  }
  return {};
}

Verdict check_will(const ConnectOptions& options) {
  if (options.will_topic) return {};
  if (options.will_payload) return wrong("--will-payload needs --will-topic");
  if (options.will_retain) return wrong("--will-retain needs --will-topic");
  if (options.will_qos) return wrong("--will-qos needs --will-topic");
  if (!options.properties.will.empty()) return wrong("-D will needs --will-topic");
  return {};
}

Verdict check_words(const ConnectOptions& options) {
  for (const auto& text : {options.client_id, options.client_id_prefix, options.user_name}) {
    if (text && !wire::is_utf8_string(bytes_of(*text))) {  // [MQTT-3.1.3-4] [MQTT-3.1.3-12]
      return wrong("client id and user name must be UTF-8");
    }
  }
  if (options.user_name.value_or("").size() > kTextMax ||
      options.password.value_or("").size() > kTextMax) {
    return wrong("user name and password must not be longer than 65535 bytes");
  }
  const int passwords = int{options.password.has_value()} + int{options.password_file.has_value()} +
                        int{options.password_variable.has_value()};
  if (passwords > 1) return wrong("only one of -P, --pw-file and --pw-env can say the password");
  // [MQTT3-3.1.2-22]
  if (passwords > 0 && !options.user_name && version_of(options) != wire::Version::v5) {
    return wrong(
        "a password needs -u with MQTT 3, which has none without a user name; or add -V 5");
  }
  return {};
}

}  // namespace

Verdict check(const ConnectOptions& options) {
  for (const auto part : {check_way, check_session, check_will, check_words}) {
    if (const Verdict verdict = part(options); !verdict) return verdict;
  }
  return check(options.properties);
}

client::Settings settings_of(const ConnectOptions& options, std::uint64_t pid, Prng& prng) {
  client::Settings settings;
  settings.version = version_of(options);
  if (options.client_id) {
    settings.client_id = *options.client_id;
  } else if (options.client_id_prefix) {
    settings.client_id = *options.client_id_prefix + std::to_string(pid);
  } else if (settings.version == wire::Version::v31) {  // it has no empty client id
    settings.client_id = random_client_id(prng);
  }
  settings.clean_start = !options.is_session_kept;
  settings.keep_alive = options.keep_alive;
  settings.user_name = options.user_name;
  settings.password = options.password;
  if (options.will_topic) {
    settings.will.emplace();
    settings.will->topic = *options.will_topic;
    settings.will->payload = options.will_payload.value_or("");
    settings.will->qos = options.will_qos.value_or(wire::QoS::at_most_once);
    settings.will->retain = options.will_retain;
    settings.will->properties = options.properties.will;
  }
  settings.properties = options.properties.connect;
  auto expiry = options.session_expiry_interval;
  if (options.is_session_kept && !expiry) expiry = kNeverExpires;
  if (expiry && settings.version == wire::Version::v5) {
    settings.properties.add(wire::PropertyId::session_expiry_interval, *expiry);
  }
  settings.goodbye = options.properties.disconnect;
  settings.in_flight_max = options.in_flight_max;
  settings.connect_timeout = options.connect_timeout;
  settings.retry = options.is_retrying ? client::Retry::always : client::Retry::after_loss;
  return settings;
}

}  // namespace mq::cli

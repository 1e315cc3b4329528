#include "server/config_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/printable.hpp"
#include "crypto/tls.hpp"
#include "server/config_bridge.hpp"
#include "server/config_plugins.hpp"
#include "server/config_values.hpp"
#include "server/listener_values.hpp"

// The table is all that there is to know about an option: adding one means adding a row here, a
// paragraph to mqbroker.conf(5) and a line to tests/server/option_effects.txt, which names the test
// that shows what it changes. Tests compare all three.

namespace mq::server {
namespace {

template <auto Member>
void set_window(ConfigDraft& draft, std::uint64_t value) {
  draft.config.broker.queue_window.*Member = value;
}

/// A limit of the core: the row needs no code of its own.
template <auto Member>
void set_limit(ConfigDraft& draft, std::uint64_t value) {
  auto& limit = draft.config.broker.*Member;
  using Limit = std::remove_reference_t<decltype(limit)>;
  if constexpr (std::is_same_v<Limit, Seconds>) {
    limit = Seconds(static_cast<Seconds::rep>(value));
  } else {
    limit = static_cast<Limit>(value);
  }
}

template <auto Member>
void set_listener_limit(ConfigDraft& draft, std::uint64_t value) {
  auto& limit = draft.listener().limits.*Member;
  limit = static_cast<std::remove_reference_t<decltype(limit)>>(value);
}

/// A limit that -1 takes away.
template <auto Member>
Objection set_most(ConfigDraft& draft, std::string_view value) {
  const auto number = number_of(value);
  const bool is_right = value == "-1" || (number && *number > 0);
  if (!is_right) return rejected(value, "a number from 1 on, or -1");
  draft.config.broker.*Member = number.value_or(0);
  return {};
}

template <auto Member>
void set_switch(ConfigDraft& draft, bool value) {
  draft.config.broker.*Member = value;
}

constexpr std::uint64_t kAny = std::numeric_limits<std::size_t>::max();
constexpr std::uint64_t kAnyWord = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kAnyShort = std::numeric_limits<std::uint16_t>::max();
/// The longest packet that the length field of MQTT can announce, its header included.
constexpr std::uint64_t kLongestPacket = 268'435'460;
template <auto Member>
Objection set_text(ConfigDraft& draft, std::string_view value) {
  draft.config.*Member = value;
  return {};
}

template <auto Member>
Objection set_tls_text(ConfigDraft& draft, std::string_view value) {
  draft.listener().where.tls.*Member = value;
  return {};
}

template <auto Member, auto Check>
Objection set_ciphers(ConfigDraft& draft, std::string_view value) {
  if (const auto known = Check(std::string(value)); !known) return known.error().message;
  return set_tls_text<Member>(draft, value);
}

template <crypto::UserName Source>
void set_user_name(ConfigDraft& draft, bool value) {
  auto& source = draft.listener().where.tls.user_name;
  if (value) {
    source = Source;
  } else if (source == Source) {
    source = crypto::UserName::as_given;
  }
}

void set_per_listener(ConfigDraft& draft, bool value) {
  draft.is_per_listener = value;
  draft.is_per_listener_late = value && draft.listeners.size() > 1;
}

Objection set_password_file(ConfigDraft& draft, std::string_view value) {
  NamedFile& file = draft.is_per_listener ? draft.listener().password_file : draft.password_file;
  file = {std::string(value), draft.place};
  return {};
}

Objection set_acl_file(ConfigDraft& draft, std::string_view value) {
  NamedFile& file = draft.is_per_listener ? draft.listener().acl_file : draft.acl_file;
  file = {std::string(value), draft.place};
  return {};
}

Objection refuse_engine(ConfigDraft&, std::string_view) {
  return "OpenSSL's engines are not supported: give the key as a PEM file, with keyfile";
}

using Tls = crypto::TlsServerOptions;
using Limits = broker::Config;
using Granted = broker::ListenerConfig;
constexpr auto kBroker = Scope::broker;
constexpr auto kListener = Scope::listener;
constexpr auto kEither = Scope::either;

constexpr std::array kOptions{
    // Listeners.
    ConfigOption{"listener", Words{"PORT [ADDRESS] | 0 PATH", add_listener}, "", kBroker,
                 "opens a listener; the listener options below it are about it"},
    ConfigOption{"port", Words{"PORT", set_default_port}, "", kBroker,
                 "opens the default listener on PORT"},
    ConfigOption{"bind_address", Words{"ADDRESS", set_bind_address}, "", kBroker,
                 "opens the default listener on ADDRESS only", false},
    ConfigOption{"socket_domain", Words{"ipv4 | ipv6", set_socket_domain}, "", kListener,
                 "listens on addresses of one family only"},
    ConfigOption{"bind_interface", Words{"NAME", set_interface}, "", kListener,
                 "listens for what comes in by one network interface only", false},
    ConfigOption{"socket_mode", Words{"MODE", set_socket_mode}, "", kListener,
                 "who may use the Unix socket, as chmod writes it"},
    ConfigOption{"socket_group", Words{"NAME", set_socket_group}, "", kListener,
                 "the group of the Unix socket", false},
    ConfigOption{"max_connections", Words{"NUMBER | -1", set_max_connections}, "-1", kListener,
                 "connections that the listener has at once; -1: any"},
    ConfigOption{"mount_point", Text{"TOPIC", set_mount_point}, "", kListener,
                 "what the topics of the listener's clients begin with, unseen by them", false},
    ConfigOption{"accept_protocol_versions", Words{"3,4,5", set_versions}, "3,4,5", kListener,
                 "versions of MQTT that may be spoken: 3.1, 3.1.1 and 5.0"},
    ConfigOption{"protocol", Words{"mqtt | websockets", set_protocol}, "mqtt", kListener,
                 "what the listener speaks"},
    ConfigOption{"websockets_origin", Words{"ORIGIN", add_websockets_origin}, "", kListener,
                 "lets web pages of this origin connect and no others; may be repeated"},
    ConfigOption{"packet_buffer_size",
                 Number{512, 1U << 20U,
                        [](ConfigDraft& d, std::uint64_t v) { d.web_header_size_max = v; }},
                 "4096", kBroker, "bytes of the HTTP request that opens a WebSocket"},
    ConfigOption{"enable_proxy_protocol", Words{"1 | 2", set_proxy_protocol}, "", kListener,
                 "learns from a proxy in front of it where clients come from"},
    ConfigOption{"proxy_protocol_v2_require_tls",
                 Flag{[](ConfigDraft& d, bool v) { d.listener().where.proxy.requires_tls = v; }},
                 "false", kListener, "lets in only clients that came to the proxy through TLS"},
    ConfigOption{"set_tcp_nodelay", Flag{[](ConfigDraft& d, bool v) { d.config.has_nodelay = v; }},
                 "true", kBroker, "sends small packets at once instead of gathering them"},
    // Who may come in.
    ConfigOption{"per_listener_settings", Flag{set_per_listener}, "false", kBroker,
                 "makes the options of this group about the listener above them"},
    ConfigOption{"allow_anonymous",
                 Flag{[](ConfigDraft& d, bool v) { d.anonymous_choice() = v; }}, "", kEither,
                 "lets clients in that give no user name"},
    ConfigOption{"listener_allow_anonymous",
                 Flag{[](ConfigDraft& d, bool v) { d.listener().allow_anonymous = v; }}, "",
                 kListener, "the same for one listener"},
    ConfigOption{"allow_zero_length_clientid",
                 Flag{set_switch<&Limits::allow_zero_length_clientid>}, "true", kBroker,
                 "gives clients an id that come without one"},
    ConfigOption{"clientid_prefixes",
                 Text{"TEXT",
                      [](ConfigDraft& d, std::string_view v) {
                        d.config.broker.clientid_prefixes = v;
                        return Objection();
                      }},
                 "", kBroker, "lets in only clients whose id begins with TEXT", false},
    ConfigOption{"auto_id_prefix",
                 Text{"TEXT", [](ConfigDraft& d,
                                 std::string_view v) { return set_prefix(d.auto_id_prefix, v); }},
                 "auto-", kBroker, "what the ids begin with that the broker gives", false},
    ConfigOption{
        "listener_auto_id_prefix",
        Text{"TEXT", [](ConfigDraft& d,
                        std::string_view v) { return set_prefix(d.listener().auto_id_prefix, v); }},
        "", kListener, "the same for one listener", false},
    ConfigOption{"use_username_as_clientid", Flag{[](ConfigDraft& d, bool v) {
                   d.listener().limits.use_username_as_clientid = v;
                 }},
                 "false", kListener, "makes the user name the client id, whatever that is"},
    ConfigOption{"password_file", Text{"FILE", set_password_file}, "", kEither,
                 "the users, each with the hash of the password", false},
    ConfigOption{"acl_file", Text{"FILE", set_acl_file}, "", kEither,
                 "who may read and write which topics", false},
    ConfigOption{"plugin", Text{"FILE", use_plugin}, "", kEither,
                 "does what this plugin of mosquitto does, if it is built in"},
    ConfigOption{"global_plugin", Text{"FILE", use_global_plugin}, "", kBroker,
                 "the same for all listeners"},
    ConfigOption{"plugin_load", Text{"NAME FILE", load_plugin}, "", kBroker,
                 "the same, and gives it a name"},
    ConfigOption{"plugin_use", Words{"NAME", use_loaded_plugin}, "", kListener,
                 "uses what plugin_load named"},
    ConfigOption{"plugin_opt_", Text{"VALUE", set_plugin_option}, "", kBroker,
                 "what an option of the plugin above says; its name follows"},
    ConfigOption{"auth_plugin_deny_special_chars", Ignored{"a name with wildcards never matches a pattern"}, "", kBroker,
                 "nothing; names with wildcards never match a pattern"},
    ConfigOption{"connect_timeout", Number{1, kAnyShort, set_limit<&Limits::connect_timeout>}, "30",
                 kBroker, "seconds that a new connection has for its CONNECT"},
    ConfigOption{"packet_timeout", Number{1, kAnyShort, set_limit<&Limits::packet_timeout>}, "300",
                 kBroker, "seconds that a packet may take to arrive, once it has begun"},
    // TLS.
    ConfigOption{"certfile", Text{"FILE", set_tls_text<&Tls::certificate>}, "", kListener,
                 "the broker's certificate, which makes the listener one for TLS", false},
    ConfigOption{"keyfile", Text{"FILE", set_tls_text<&Tls::key>}, "", kListener,
                 "the key of that certificate", false},
    ConfigOption{"cafile", Text{"FILE", set_tls_text<&Tls::ca_file>}, "", kListener,
                 "the CAs whose certificates clients may show", false},
    ConfigOption{"capath", Text{"DIRECTORY", set_tls_text<&Tls::ca_path>}, "", kListener,
                 "likewise, a directory", false},
    ConfigOption{"require_certificate", Flag{[](ConfigDraft& d, bool v) {
                   d.listener().where.tls.requires_certificate = v;
                 }},
                 "false", kListener, "lets in only clients with a certificate"},
    ConfigOption{"use_identity_as_username", Flag{set_user_name<crypto::UserName::common_name>},
                 "false", kListener, "makes the certificate's common name the user name"},
    ConfigOption{"use_subject_as_username", Flag{set_user_name<crypto::UserName::subject>},
                 "false", kListener, "makes the certificate's whole subject the user name"},
    ConfigOption{"crlfile", Text{"FILE", set_tls_text<&Tls::crl_file>}, "", kListener,
                 "clients' certificates that are revoked", false},
    ConfigOption{"psk_hint", Text{"TEXT", set_tls_text<&Tls::psk_hint>}, "", kListener,
                 "makes the listener one for TLS with shared keys, and is told to clients", false},
    ConfigOption{"psk_file",
                 Text{"FILE",
                      [](ConfigDraft& d, std::string_view v) {
                        d.psk_file = v;
                        return Objection();
                      }},
                 "", kBroker, "the keys shared with clients", false},
    ConfigOption{"disable_client_cert_date_checks",
                 Flag{[](ConfigDraft& d, bool v) { d.listener().where.tls.checks_dates = !v; }},
                 "false", kListener, "takes clients' certificates that are out of date"},
    ConfigOption{"tls_version", Words{"tlsv1.2 | tlsv1.3", set_tls_version}, "tlsv1.2", kListener,
                 "the oldest version"},
    ConfigOption{"ciphers", Words{"LIST", set_ciphers<&Tls::ciphers, crypto::check_ciphers>}, "", kListener,
                 "the ciphers of TLS 1.2", false},
    ConfigOption{"ciphers_tls1.3", Words{"LIST", set_ciphers<&Tls::ciphers_tls1_3, crypto::check_ciphersuites>}, "", kListener,
                 "the ciphers of TLS 1.3", false},
    ConfigOption{"tls_keyform",
                 Words{"pem",
                      [](ConfigDraft&, std::string_view v) {
                        return expect(v, "pem", "keys are read from PEM files");
                      }},
                 "pem", kListener, "the form of the key"},
    ConfigOption{"tls_engine", Text{"ENGINE", refuse_engine}, "", kListener,
 "refused: keys are PEM files"},
    ConfigOption{"tls_engine_kpass_sha1", Words{"HASH", refuse_engine}, "", kListener,
 "refused: keys are PEM files"},
    // Limits.
    ConfigOption{"max_packet_size", Number{20, kLongestPacket, set_limit<&Limits::max_packet_size>},
                 "2000000", kBroker, "bytes of the longest packet that a client may send"},
    ConfigOption{"message_size_limit", Number{0, kAny, set_limit<&Limits::message_size_limit>}, "0",
                 kBroker, "bytes of the longest payload; 0: any"},
    ConfigOption{"memory_limit", Number{0, kAny, set_limit<&Limits::memory_limit>}, "0", kBroker,
                 "bytes of memory in use before nothing more is kept; 0: any"},
    ConfigOption{"global_max_clients", Words{"NUMBER", set_most<&Limits::global_max_clients>}, "-1",
                 kBroker, "sessions that there may be; -1: any number"},
    ConfigOption{"global_max_connections", Words{"NUMBER", set_most<&Limits::global_max_connections>},
                 "-1", kBroker, "connections that there may be; -1: any number"},
    ConfigOption{"max_publish_rate",
                 Number{0, kAnyWord, set_listener_limit<&Granted::max_publish_rate>}, "0", kListener,
                 "messages a second that a client may publish; 0: any"},
    ConfigOption{"max_bytes_rate", Number{0, kAny, set_listener_limit<&Granted::max_bytes_rate>},
                 "0", kListener, "bytes a second that a client may send; 0: any"},
    ConfigOption{"max_keepalive", Number{0, kAnyShort, set_limit<&Limits::max_keepalive>}, "0",
                 kBroker, "seconds of the longest keep alive; 0: any"},
    ConfigOption{"max_qos", Number{0, 2, set_listener_limit<&Granted::max_qos>}, "2", kListener,
                 "the highest QoS"},
    ConfigOption{"retain_available", Flag{set_switch<&Limits::retain_available>}, "true", kBroker,
                 "keeps retained messages"},
    ConfigOption{"max_topic_alias",
                 Number{0, kAnyShort, set_listener_limit<&Granted::max_topic_alias>}, "10",
                 kListener, "topic aliases that a client may set"},
    ConfigOption{"max_topic_alias_broker",
                 Number{0, kAnyShort, set_listener_limit<&Granted::max_topic_alias_broker>}, "10",
                 kListener, "topic aliases that the broker sets"},
    ConfigOption{"max_inflight_messages",
                 Number{0, kAnyShort, set_limit<&Limits::max_inflight_messages>}, "20", kBroker,
                 "messages of QoS 1 and 2 that may be under way in each direction; 0: any"},
    ConfigOption{"max_inflight_bytes", Number{0, kAny, set_limit<&Limits::max_inflight_bytes>}, "0",
                 kBroker, "bytes of payload that may be under way to a client; 0: any"},
    // Queues.
    ConfigOption{"max_queued_messages", Number{0, kAny, set_limit<&Limits::max_queued_messages>},
                 "1000", kBroker, "messages that wait for one client; 0: any"},
    ConfigOption{"max_queued_bytes", Number{0, kAny, set_limit<&Limits::max_queued_bytes>}, "0",
                 kBroker, "bytes of payload that wait for one client; 0: any"},
    ConfigOption{"queue_policy", Words{"drop-newest | drop-oldest | reject", set_queue_policy},
                 "drop-newest", kBroker, "what gives way when a queue is full"},
    ConfigOption{"queue_window_messages",
                 Number{1, kAny, set_window<&storage::Window::messages>}, "1000", kBroker,
                 "messages of one queue that are in memory, with persistence", true, Reload::at_start},
    ConfigOption{"queue_window_bytes", Number{1, kAny, set_window<&storage::Window::bytes>},
                 "1048576", kBroker, "likewise, bytes of payload", true, Reload::at_start},
    ConfigOption{"retained_memory_limit",
                 Number{0, kAny, set_limit<&Limits::retained_memory_limit>}, "67108864", kBroker,
                 "bytes of retained payload that are in memory, with persistence"},
    ConfigOption{"queue_qos0_messages", Flag{set_switch<&Limits::queue_qos0_messages>}, "false",
                 kBroker, "keeps messages of QoS 0, too, for clients that are away"},
    ConfigOption{"max_unread_bytes", Number{1, kAny, set_limit<&Limits::max_unread_bytes>},
                 "16777216", kBroker,
                 "bytes that a client may leave unread before it loses messages of QoS 0"},
    ConfigOption{"global_max_unread_bytes",
                 Number{1, kAny, set_limit<&Limits::global_max_unread_bytes>}, "268435456", kBroker,
                 "likewise all together, before that becomes less for each"},
    ConfigOption{"upgrade_outgoing_qos", Flag{set_switch<&Limits::upgrade_outgoing_qos>}, "false",
                 kBroker, "delivers with the QoS of the subscription, even if it is the higher"},
    ConfigOption{"allow_duplicate_messages",
                 Flag{[](ConfigDraft& d, bool v) {
                   if (v) return;
                   d.config.warnings.push_back(
                       d.place + ": it has no effect: mqbroker always delivers a copy for each "
                                 "subscription, as mosquitto 2.1 does by default");
                 }},
                 "true", kBroker, "delivers a copy for each of several subscriptions that match"},
    ConfigOption{"retain_expiry_interval", Words{"MINUTES", set_retain_expiry}, "0", kBroker,
                 "minutes between two searches for retained messages that have expired"},
    ConfigOption{"check_retain_source", Flag{set_switch<&Limits::check_retain_source>}, "true",
                 kBroker, "withholds what its publisher may not publish any more"},
    ConfigOption{"persistent_client_expiration", Words{"TIME", set_expiration}, "", kBroker,
                 "forgets a session whose client is away for TIME", false},
    // What survives.
    ConfigOption{"persistence", Flag{[](ConfigDraft& d, bool v) { d.is_persistent = v; }}, "false",
                 kBroker, "keeps the broker's state in a file", true, Reload::at_start},
    ConfigOption{"persistence_file", Text{"NAME", set_persistence_file}, "mqbroker.db", kBroker,
                 "the file's name", false, Reload::at_start},
    ConfigOption{"persistence_location",
                 Text{"DIRECTORY",
                      [](ConfigDraft& d, std::string_view v) {
                        d.persistence_location = v;
                        return Objection();
                      }},
                 "", kBroker, "the directory that the file is in", false, Reload::at_start},
    ConfigOption{"persistence_sync", Words{"always | interval SECONDS | off", set_persistence_sync},
                 "always", kBroker, "when what was kept is brought to the disk", true, Reload::at_start},
    ConfigOption{"persistence_delay", Number{0, 10'000, set_limit<&Limits::persistence_delay>}, "2",
                 kBroker,
                 "milliseconds for connected clients to acknowledge what then need not be kept"},
    ConfigOption{"max_unstored_bytes", Number{1, kAny, set_limit<&Limits::max_unstored_bytes>},
                 "67108864", kBroker,
                 "bytes that wait for the file before clients are not read any more"},
    ConfigOption{"autosave_interval", Ignored{"what is acknowledged is always kept"}, "", kBroker,
                 "nothing; what is acknowledged is always kept"},
    ConfigOption{"autosave_on_changes", Ignored{"what is acknowledged is always kept"}, "", kBroker,
                 "nothing; what is acknowledged is always kept"},
    ConfigOption{"sys_interval", Number{0, kAnyShort, set_limit<&Limits::sys_interval>}, "10",
                 kBroker, "seconds between two updates of $SYS; 0: none"},
    // The log.
    ConfigOption{"log_dest", Text{"none | stdout | stderr | syslog | topic | file FILE", add_log_dest}, "stderr",
                 kBroker, "where log lines go; may be repeated"},
    ConfigOption{"log_type", Words{"TYPE", add_log_type}, "error warning notice information",
                 kBroker, "which lines are written; may be repeated"},
    ConfigOption{"log_timestamp",
                 Flag{[](ConfigDraft& d, bool v) { d.config.log.has_timestamp = v; }}, "true",
                 kBroker, "begins each line with the time"},
    ConfigOption{"log_timestamp_format",
                 Text{"FORMAT",
                      [](ConfigDraft& d, std::string_view v) {
                        d.config.log.timestamp_format = v;
                        return Objection();
                      }},
                 "", kBroker, "the time as strftime(3) writes it", false},
    ConfigOption{"log_format", Words{"text | json", set_log_format}, "text", kBroker,
                 "how a line is written"},
    ConfigOption{"log_facility", Number{0, 7, [](ConfigDraft& d, std::uint64_t v) {
                   d.config.log.facility = static_cast<int>(v);
                 }},
                 "", kBroker, "which facility of syslog lines go to: local0 to local7"},
    ConfigOption{"connection_messages",
                 Flag{[](ConfigDraft& d, bool v) { d.config.log.tells_connections = v; }}, "true",
                 kBroker, "tells when clients come and go"},
    // The process.
    ConfigOption{"pid_file", Text{"FILE", set_text<&Config::pid_file>}, "", kBroker,
                 "holds the process id as long as the broker runs", false, Reload::at_start},
    ConfigOption{"user", Words{"NAME", set_text<&Config::user>}, "", kBroker,
                 "whom the broker becomes when root starts it", false, Reload::at_start},
    ConfigOption{"include_dir",
                 Text{"DIRECTORY",
                      [](ConfigDraft& d, std::string_view v) {
                        d.include_dir = v;
                        return Objection();
                      }},
                 "", kBroker, "reads every file in DIRECTORY whose name ends in .conf"},
    ConfigOption{"retry_interval", Ignored{"a message is sent again when its client comes back, and not before"}, "", kBroker,
                 "nothing; files for old versions have it"},
    ConfigOption{"enable_control_api",
                 Words{"false",
                      [](ConfigDraft&, std::string_view v) {
                        return expect(v, "false",
                                      "clients cannot control mqbroker; SIGHUP, mqbroker signal "
                                      "and mqbroker check are its controls");
                      }},
                 "false", kBroker, "lets clients control the broker; not in mqbroker"},
    ConfigOption{"http_dir",
                 Text{"DIRECTORY",
                      [](ConfigDraft&, std::string_view) -> Objection {
                        return "mqbroker serves no files: leave that to a web server";
                      }},
                 "", kListener, "refused: mqbroker serves no files"},
    ConfigOption{"websockets_log_level", Ignored{"log_type says what is logged"}, "", kBroker,
                 "nothing; see log_type"},
    ConfigOption{"dhparamfile", Ignored{"OpenSSL chooses the parameters"}, "", kListener,
                 "nothing; files for old versions have it"},
};

/// Old names of options, and what they are called now.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kSecondNames{
    {{"maximum_qos", "max_qos"},
     {"retained_persistence", "persistence"},
     {"websockets_headers_size", "packet_buffer_size"},
     {"auth_plugin", "plugin"},
     {"addresses", "address"},
     {"username", "remote_username"},
     {"password", "remote_password"},
     {"clientid", "remote_clientid"}}};

Objection apply_flag(const Flag& flag, std::string_view value, ConfigDraft& draft) {
  if (value != "true" && value != "false" && value != "1" && value != "0") {
    return rejected(value, "true or false");
  }
  flag.set(draft, value == "true" || value == "1");
  return {};
}

Objection apply_number(const Number& kind, std::string_view value, ConfigDraft& draft) {
  const auto number = number_of(value);
  if (!number || *number < kind.min || *number > kind.max) {
    return rejected(value, kind.max == kAny
                               ? fmt::format("a number from {} on", kind.min)
                               : fmt::format("a number from {} to {}", kind.min, kind.max));
  }
  kind.set(draft, *number);
  return {};
}

}  // namespace

const std::vector<ConfigOption>& config_options() {
  static const std::vector<ConfigOption> all = [] {
    std::vector<ConfigOption> rows(kOptions.begin(), kOptions.end());
    rows.insert(rows.end(), bridge_options().begin(), bridge_options().end());
    return rows;
  }();
  return all;
}

const ConfigOption* find_option(std::string_view name) {
  for (const auto& [old_name, new_name] : kSecondNames) {
    if (name == old_name) name = new_name;
  }
  if (is_plugin_option(name)) name = "plugin_opt_";
  const auto& options = config_options();
  const auto found = std::ranges::find(options, name, &ConfigOption::name);
  return found == options.end() ? nullptr : &*found;
}

Objection apply(const ConfigOption& option, std::string_view value, ConfigDraft& draft) {
  if (const auto* text = std::get_if<Text>(&option.kind)) return text->set(draft, value);
  if (const auto* words = std::get_if<Words>(&option.kind)) return words->set(draft, value);
  if (const auto* ignored = std::get_if<Ignored>(&option.kind)) {
    draft.config.warnings.push_back(
        fmt::format("{}: it has no effect: {}", draft.place, ignored->why));
    return {};
  }
  std::string_view rest = value;
  const std::string_view word = next_word(rest);
  if (const auto more = next_word(rest); !more.empty()) {
    return fmt::format("\"{}\" is too much: it takes one value ({})", printable(more),
                       form_of(option));
  }
  if (const auto* flag = std::get_if<Flag>(&option.kind)) return apply_flag(*flag, word, draft);
  return apply_number(std::get<Number>(option.kind), word, draft);
}

std::string form_of(const ConfigOption& option) {
  if (std::holds_alternative<Flag>(option.kind)) return "true | false";
  if (const auto* text = std::get_if<Text>(&option.kind)) return std::string(text->form);
  if (const auto* words = std::get_if<Words>(&option.kind)) return std::string(words->form);
  if (std::holds_alternative<Ignored>(option.kind)) return "ANYTHING";
  const auto& number = std::get<Number>(option.kind);
  return number.max == kAny ? fmt::format("{} or more", number.min)
                            : fmt::format("{}-{}", number.min, number.max);
}

}  // namespace mq::server

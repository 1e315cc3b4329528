#include "server/config_bridge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/printable.hpp"
#include "topic/name.hpp"

namespace mq::server {
namespace {

constexpr std::uint64_t kAnyShort = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint64_t kAnyWord = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kAnySeconds = std::numeric_limits<std::int32_t>::max();

using WordList = std::vector<std::string_view>;

WordList words_of(std::string_view text) {
  WordList words;
  for (auto word = next_word(text); !word.empty(); word = next_word(text)) words.push_back(word);
  return words;
}

Objection begin_bridge(ConfigDraft& draft, std::string_view value) {
  const bool is_known =
      std::ranges::find(draft.bridges, value, &BridgeDraft::name) != draft.bridges.end();
  if (is_known) return fmt::format("there is a connection \"{}\" already", printable(value));
  BridgeDraft bridge;
  bridge.name = value;
  bridge.place = draft.place.substr(0, draft.place.rfind(": "));
  draft.bridges.push_back(std::move(bridge));
  return {};
}

/// HOST, HOST:PORT, [IPV6]:PORT or a bare IPv6 address.
bool is_address(std::string_view text) {
  const auto colon = text.rfind(':');
  const bool is_bare =
      colon == std::string_view::npos || (text.find(':') != colon && !text.starts_with('['));
  if (is_bare) return !text.empty();
  if (text.ends_with(']')) return text.starts_with('[') && text.size() > 2;
  const auto port = number_of(text.substr(colon + 1));
  return colon > 0 && port && *port > 0 && *port <= kAnyShort;
}

Objection set_addresses(ConfigDraft& draft, std::string_view value) {
  const WordList words = words_of(value);
  for (const auto word : words) {
    if (!is_address(word)) return rejected(word, "HOST or HOST:PORT");
  }
  draft.bridges.back().has_address = true;
  return {};
}

/// Cuts the first word, or the text in quotes, off a `topic` line.
std::string_view next_quoted(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  if (!rest.starts_with('"')) return next_word(rest);
  const auto end = rest.find('"', 1);
  if (end == std::string_view::npos) return std::exchange(rest, {});
  const auto word = rest.substr(0, end + 1);
  rest.remove_prefix(end + 1);
  return word;
}

std::string_view without_quotes(std::string_view word) {
  const bool is_quoted = word.size() > 1 && word.starts_with('"') && word.ends_with('"');
  return is_quoted ? word.substr(1, word.size() - 2) : word;
}

bool is_prefix(std::string_view text) {
  return text.empty() || topic::is_name(text);
}

/// PATTERN [DIRECTION [QOS [LOCAL [REMOTE]]]]; "" stands for nothing.
Objection add_topic(ConfigDraft& draft, std::string_view value) {
  WordList words;
  // The pattern alone may be a '#', which anywhere else begins a comment.
  std::string_view rest = value;
  const bool is_quoted = rest.starts_with('"');
  const auto end = std::min(rest.find_first_of(" \t"), rest.size());
  words.push_back(is_quoted ? next_quoted(rest) : rest.substr(0, end));
  if (!is_quoted) rest.remove_prefix(end);
  for (auto word = next_quoted(rest); !word.empty(); word = next_quoted(rest)) {
    words.push_back(word);
  }
  for (auto& word : words) word = without_quotes(word);
  if (words.size() > 5) return fmt::format("\"{}\" is too much", printable(words[5]));
  const std::size_t given = words.size();
  words.resize(5);
  const auto [pattern, direction, qos, local, remote] =
      std::array{words[0], words[1], words[2], words[3], words[4]};
  if (!pattern.empty() && !topic::is_filter(pattern)) return rejected(pattern, "a topic filter");
  if (pattern.empty() && (local.empty() || remote.empty())) {
    return "an empty pattern needs both prefixes";
  }
  if (given > 1 && direction != "in" && direction != "out" && direction != "both") {
    return rejected(direction, "in, out or both");
  }
  if (given > 2 && qos != "0" && qos != "1" && qos != "2") return rejected(qos, "0, 1 or 2");
  for (const auto prefix : {local, remote}) {
    if (!is_prefix(prefix)) return rejected(prefix, "a prefix without wildcards, or \"\"");
  }
  draft.bridges.back().has_topic = true;
  return {};
}

template <std::string BridgeDraft::* Member>
Objection keep(ConfigDraft& draft, std::string_view value) {
  draft.bridges.back().*Member = value;
  return {};
}

Objection take(ConfigDraft&, std::string_view) {
  return {};
}

void take_flag(ConfigDraft&, bool) {}
void take_number(ConfigDraft&, std::uint64_t) {}

Objection check_start_type(ConfigDraft&, std::string_view value) {
  const bool is_known = value == "automatic" || value == "lazy" || value == "once";
  return is_known ? Objection() : rejected(value, "automatic, lazy or once");
}

Objection check_reload_type(ConfigDraft&, std::string_view value) {
  return value == "lazy" || value == "immediate" ? Objection()
                                                 : rejected(value, "lazy or immediate");
}

Objection check_protocol(ConfigDraft&, std::string_view value) {
  const bool is_known = value == "mqttv31" || value == "mqttv311" || value == "mqttv50";
  return is_known ? Objection() : rejected(value, "mqttv31, mqttv311 or mqttv50");
}

Objection check_tls_version(ConfigDraft&, std::string_view value) {
  const bool is_known = value == "tlsv1.2" || value == "tlsv1.3";
  return is_known ? Objection() : rejected(value, "tlsv1.2 or tlsv1.3");
}

Objection check_numbers(std::string_view value, std::size_t least, std::size_t most,
                        std::string_view form) {
  const WordList words = words_of(value);
  const bool are_numbers = std::ranges::all_of(words, [](auto w) { return !!number_of(w); });
  const bool is_right = are_numbers && words.size() >= least && words.size() <= most;
  return is_right ? Objection() : rejected(value, form);
}

Objection check_restart(ConfigDraft&, std::string_view value) {
  return check_numbers(value, 1, 3, "SECONDS, or BASE CAP, or BASE CAP STABLE");
}

Objection check_tcp_keepalive(ConfigDraft&, std::string_view value) {
  return check_numbers(value, 3, 3, "IDLE INTERVAL COUNT");
}

constexpr auto kBridge = Scope::bridge;

constexpr ConfigOption text(std::string_view name, std::string_view form, std::string_view help,
                            decltype(Text::set) set = take) {
  return {name, Text{form, set}, "", kBridge, help, false};
}
constexpr ConfigOption words(std::string_view name, std::string_view form, std::string_view help,
                             decltype(Words::set) set = take) {
  return {name, Words{form, set}, "", kBridge, help, false};
}
constexpr ConfigOption flag(std::string_view name, std::string_view value, std::string_view help) {
  return {name, Flag{take_flag}, value, kBridge, help};
}
constexpr ConfigOption number(std::string_view name, Number range, std::string_view value,
                              std::string_view help) {
  return {name, range, value, kBridge, help};
}

constexpr std::array kOptions{
    ConfigOption{"connection", Text{"NAME", begin_bridge}, "", Scope::broker,
                 "begins a bridge; the bridge options below it are about it"},
    ConfigOption{"address", Words{"HOST[:PORT] ...", set_addresses}, "", kBridge,
                 "the other broker; several are tried in turn", false},
    ConfigOption{"topic", Text{"PATTERN [DIRECTION [QOS [LOCAL [REMOTE]]]]", add_topic}, "",
                 kBridge, "what is passed on, which way, and under which prefixes"},
    text("remote_username", "NAME", "the user name for the other broker",
         keep<&BridgeDraft::user_name>),
    text("remote_password", "PASSWORD", "the password for the other broker",
         keep<&BridgeDraft::password>),
    text("remote_clientid", "ID", "the client id at the other broker"),
    text("local_username", "NAME", "the bridge's user name here"),
    text("local_password", "PASSWORD", "the bridge's password here"),
    text("local_clientid", "ID", "the bridge's client id here"),
    flag("cleansession", "false", "forgets the session at the other broker"),
    ConfigOption{"local_cleansession", Flag{take_flag}, "", kBridge,
                 "forgets the session here; by default like cleansession"},
    number("keepalive_interval", {5, kAnyShort, take_number}, "60", "seconds between two pings"),
    ConfigOption{"start_type", Words{"automatic | lazy | once", check_start_type}, "automatic",
                 kBridge, "when it connects"},
    number("threshold", {1, kAnySeconds, take_number}, "10",
           "messages that make a lazy bridge connect"),
    number("idle_timeout", {1, kAnySeconds, take_number}, "60",
           "seconds until a lazy bridge disconnects"),
    words("restart_timeout", "SECONDS | BASE CAP [STABLE]", "seconds until it tries again",
          check_restart),
    flag("round_robin", "false", "treats all addresses alike"),
    flag("try_private", "true", "tells the other broker that it is a bridge"),
    flag("notifications", "true", "publishes whether it is connected"),
    flag("notifications_local_only", "false", "publishes that here only"),
    text("notification_topic", "TOPIC", "where it publishes that"),
    ConfigOption{"bridge_protocol_version", Words{"mqttv31 | mqttv311 | mqttv50", check_protocol},
                 "mqttv311", kBridge, "the version of MQTT that it speaks"},
    flag("bridge_attempt_unsubscribe", "true", "unsubscribes from what it only sends"),
    flag("bridge_outgoing_retain", "true", "passes the retain flag on"),
    number("bridge_max_packet_size", {0, kAnyWord, take_number}, "0",
           "bytes of the longest packet that it sends; 0: any"),
    number("bridge_max_topic_alias", {0, kAnyShort, take_number}, "10",
           "topic aliases that it uses"),
    number("bridge_receive_maximum", {1, kAnyShort, take_number}, "20",
           "messages that may be under way to it"),
    number("bridge_session_expiry_interval", {0, kAnyWord, take_number}, "0",
           "seconds that its session is kept at the other broker"),
    words("bridge_bind_address", "ADDRESS", "the local address that it connects from"),
    ConfigOption{"bridge_reload_type", Words{"lazy | immediate", check_reload_type}, "lazy",
                 kBridge, "when a changed configuration counts"},
    words("bridge_tcp_keepalive", "IDLE INTERVAL COUNT", "the keep alive of TCP",
          check_tcp_keepalive),
    ConfigOption{"bridge_tcp_user_timeout", Number{0, kAnySeconds, take_number}, "", kBridge,
                 "milliseconds until TCP gives up what is not acknowledged"},
    text("bridge_cafile", "FILE", "the CAs that it trusts", keep<&BridgeDraft::ca>),
    text("bridge_capath", "DIRECTORY", "likewise, a directory", keep<&BridgeDraft::ca>),
    text("bridge_certfile", "FILE", "the certificate that it shows",
         keep<&BridgeDraft::certificate>),
    text("bridge_keyfile", "FILE", "the key of that certificate", keep<&BridgeDraft::key>),
    flag("bridge_insecure", "false", "does not compare the name in the certificate"),
    ConfigOption{"bridge_tls_use_os_certs", Flag{[](ConfigDraft& d, bool v) {
                   if (v) d.bridges.back().ca = "the system's";
                 }},
                 "false", kBridge, "trusts the CAs that the system trusts"},
    words("bridge_tls_version", "tlsv1.2 | tlsv1.3", "the version of TLS", check_tls_version),
    text("bridge_alpn", "TEXT", "the protocol that it asks for by ALPN"),
    words("bridge_ciphers", "LIST", "the ciphers of TLS 1.2"),
    words("bridge_ciphers_tls1.3", "LIST", "the ciphers of TLS 1.3"),
    flag("bridge_require_ocsp", "false", "asks for a fresh word about the certificate"),
    text("bridge_identity", "TEXT", "whose shared key it uses", keep<&BridgeDraft::identity>),
    text("bridge_psk", "HEX", "the key shared with the other broker", keep<&BridgeDraft::psk>),
};

std::string objection_to(const BridgeDraft& bridge) {
  if (!bridge.has_address) return "address is missing: it names the other broker";
  if (!bridge.has_topic) return "topic is missing: nothing would be passed on";
  if (bridge.user_name.empty() && !bridge.password.empty()) {
    return "remote_password needs remote_username beside it";
  }
  if (bridge.certificate.empty() != bridge.key.empty()) {
    return "bridge_certfile and bridge_keyfile need each other";
  }
  if (bridge.identity.empty() != bridge.psk.empty()) {
    return "bridge_identity and bridge_psk need each other";
  }
  if (!bridge.psk.empty() && !(bridge.ca + bridge.certificate).empty()) {
    return "bridge_psk is in place of certificates: leave out one of them";
  }
  if (!bridge.certificate.empty() && bridge.ca.empty()) {
    return "bridge_certfile needs bridge_cafile, bridge_capath or bridge_tls_use_os_certs";
  }
  return {};
}

}  // namespace

std::span<const ConfigOption> bridge_options() {
  return kOptions;
}

Objection objection_to(const std::vector<BridgeDraft>& bridges) {
  for (const BridgeDraft& bridge : bridges) {
    if (const auto words = objection_to(bridge); !words.empty()) {
      return fmt::format("{}: connection {}: {}", bridge.place, printable(bridge.name), words);
    }
  }
  return {};
}

std::vector<std::string> warnings_about(const std::vector<BridgeDraft>& bridges) {
  std::vector<std::string> lines;
  lines.reserve(bridges.size());
  for (const BridgeDraft& bridge : bridges) {
    lines.push_back(fmt::format(
        "{}: connection {}: bridges are not in this version of mqbroker; it is left out",
        bridge.place, printable(bridge.name)));
  }
  return lines;
}

}  // namespace mq::server

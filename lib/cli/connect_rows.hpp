#pragma once

#include <string>
#include <vector>

#include "cli/connect_options.hpp"
#include "cli/number.hpp"
#include "cli/options_file.hpp"
#include "cli/tls_rows.hpp"
#include "cli/url.hpp"
#include "cli/ws_rows.hpp"

namespace mq::cli {

Verdict check_bind_address(std::string_view value);
Verdict set_version(ConnectOptions& options, std::string_view value);
Verdict set_session_expiry(ConnectOptions& options, std::string_view value);
Verdict set_property(ConnectOptions& options, std::string_view joined);

/// The rows that both programs have. `Options` has a member `connection`.
template <class Options>
std::vector<OptionRow<Options>> connect_rows() {
  using O = Options;
  using V = std::string_view;
  std::vector<OptionRow<O>> rows = {
      {{"host", 'h', "HOST", "localhost", "the server: a name or an address"},
       [](O& o, V value) -> Verdict {
         if (value.empty()) return wrong("must not be empty");
         o.connection.endpoint.host = value;
         return {};
       }},
      {{"port", 'p', "PORT", "1883", "its TCP port; 8883 with TLS"},
       [](O& o, V value) -> Verdict {
         const auto port = parse_number<std::uint16_t>(value, 0, 65'535);
         if (!port) return wrong("must be a port number, 0 to 65535");
         o.connection.port = port;
         return {};
       }},
      {{"unix", 0, "PATH", "", "connect to a Unix socket instead"},
       [](O& o, V value) -> Verdict {
         if (value.empty()) return wrong("must not be empty");
         o.connection.endpoint.unix_path = value;
         return {};
       }},
      {{"srv", 'S', "", "", "HOST is a domain whose SRV records name its servers"},
       [](O& o, V) -> Verdict {
         o.connection.uses_srv = true;
         return {};
       }},
      {{"bind-address", 'A', "ADDRESS", "", "connect from this address of this machine"},
       [](O& o, V value) -> Verdict {
         o.connection.endpoint.bind_address = value;
         return check_bind_address(value);
       }},
      {{"nodelay", 0, "", "", "send small packets at once, which is always so"},
       [](O&, V) -> Verdict { return {}; }},
      {{"proxy", 0, "URL", "", "go through a SOCKS5 proxy: socks5h://[USER[:PASSWORD]@]HOST[:PORT]",
        Values::one, Secrecy::secret},
       [](O& o, V value) -> Verdict {
         auto proxy = parse_proxy(value);
         if (!proxy) return std::unexpected(proxy.error());
         o.connection.proxy = *std::move(proxy);
         return {};
       }},
      {{"qos", 'q', "QOS", "0", "quality of service: 0, 1 or 2"},
       [](O& o, V value) -> Verdict {
         const auto qos = parse_qos(value);
         if (!qos) return std::unexpected(qos.error());
         o.connection.qos = *qos;
         o.connection.is_qos_given = true;
         return {};
       }},
      {{"id", 'i', "ID", "", "client id; without it the server chooses one"},
       [](O& o, V value) -> Verdict {
         if (value.size() > 65'535) return wrong("must not be longer than 65535 bytes");
         o.connection.client_id = value;
         return {};
       }},
      {{"id-prefix", 'I', "PREFIX", "", "client id: this and the process id"},
       [](O& o, V value) -> Verdict {
         if (value.size() > 65'000) return wrong("must not be longer than 65000 bytes");
         o.connection.client_id_prefix = value;
         return {};
       }},
      {{"disable-clean-session", 'c', "", "",
        "keep the session: subscriptions, and messages that come while away; needs -i"},
       [](O& o, V) -> Verdict {
         o.connection.is_session_kept = true;
         return {};
       }},
      {{"session-expiry-interval", 'x', "SECONDS", "",
        "how long the server keeps the session; -1 for ever; makes it MQTT 5"},
       [](O& o, V value) { return set_session_expiry(o.connection, value); }},
      {{"keepalive", 'k', "SECONDS", "60", "the longest silence before a ping"},
       [](O& o, V value) -> Verdict {
         const auto seconds = parse_number<std::uint16_t>(value, 5, 65'535);
         if (!seconds) return wrong("must be a number of seconds, 5 to 65535");
         o.connection.keep_alive = *seconds;
         return {};
       }},
      {{"username", 'u', "NAME", "", "user name"},
       [](O& o, V value) -> Verdict {
         o.connection.user_name = value;
         o.connection.url.user_name.reset();
         return {};
       }},
      {{"pw", 'P', "PASSWORD", "", "password", Values::one, Secrecy::secret},
       [](O& o, V value) -> Verdict {
         o.connection.password = value;
         o.connection.url.password.reset();
         return {};
       }},
      {{"pw-file", 0, "FILE", "", "the password is the first line of this file"},
       [](O& o, V value) -> Verdict {
         if (value.empty()) return wrong("must not be empty");
         o.connection.password_file = value;
         o.connection.url.password.reset();
         return {};
       }},
      {{"pw-env", 0, "VARIABLE", "", "the password is in this variable of the environment"},
       [](O& o, V value) -> Verdict {
         if (value.empty()) return wrong("must not be empty");
         o.connection.password_variable = value;
         o.connection.url.password.reset();
         return {};
       }},
      {{"property", 'D', "COMMAND NAME VALUE", "",
        "MQTT 5: a property for a packet: connect, publish, subscribe, unsubscribe, disconnect or "
        "will; such as publish content-type text/plain, connect user-property KEY VALUE",
        Values::property},
       [](O& o, V value) { return set_property(o.connection, value); }},
      {{"protocol-version", 'V', "VERSION", "311", "31, 311 or 5 (also mqttv31, mqttv311, mqttv5)"},
       [](O& o, V value) { return set_version(o.connection, value); }},
      {{"max-inflight", 'M', "COUNT", "",
        "at most so many QoS 1 and 2 messages under way; by default what the server allows"},
       [](O& o, V value) -> Verdict {
         const auto count = parse_number<std::uint16_t>(value, 1, 65'535);
         if (!count) return wrong("must be a number from 1 to 65535");
         o.connection.in_flight_max = count;
         return {};
       }},
      {{"will-topic", 0, "TOPIC", "", "where the server publishes when this client dies"},
       [](O& o, V value) -> Verdict {
         o.connection.will_topic = value;
         return check_topic(value);
       }},
      {{"will-payload", 0, "TEXT", "", "what it publishes there"},
       [](O& o, V value) -> Verdict {
         if (value.size() > 65'535) return wrong("must not be longer than 65535 bytes");
         o.connection.will_payload = value;
         return {};
       }},
      {{"will-qos", 0, "QOS", "0", "QoS of that message: 0, 1 or 2"},
       [](O& o, V value) -> Verdict {
         const auto qos = parse_qos(value);
         if (!qos) return std::unexpected(qos.error());
         o.connection.will_qos = *qos;
         return {};
       }},
      {{"will-retain", 0, "", "", "the server keeps that message"},
       [](O& o, V) -> Verdict {
         o.connection.will_retain = true;
         return {};
       }},
      {{"connect-timeout", 0, "SECONDS", "30", "give up connecting after so long; 0 for never"},
       [](O& o, V value) -> Verdict {
         const auto timeout = parse_seconds(value);
         if (!timeout) return std::unexpected(timeout.error());
         o.connection.connect_timeout = *timeout;
         return {};
       }},
      {{"ack-timeout", 0, "SECONDS", "60",
        "give up when nothing is acknowledged for so long; 0 for never"},
       [](O& o, V value) -> Verdict {
         const auto timeout = parse_seconds(value);
         if (!timeout) return std::unexpected(timeout.error());
         o.connection.ack_timeout = *timeout;
         return {};
       }},
      {{"retry", 0, "", "", "also when the first connection fails, try again until it succeeds"},
       [](O& o, V) -> Verdict {
         o.connection.is_retrying = true;
         return {};
       }},
      {{kOptionsFile, 'o', "FILE", "", "read options from here instead of the usual file"},
       [](O&, V) -> Verdict { return {}; }},
      {{"debug", 'd', "", "", "show every packet on standard error"},
       [](O& o, V) -> Verdict {
         o.connection.is_debugging = true;
         return {};
       }},
      {{"quiet", 0, "", "", "no errors, warnings and hints; the exit code tells"},
       [](O& o, V) -> Verdict {
         o.connection.is_quiet = true;
         return {};
       }},
      {{"help", 0, "", "", "show this and exit"},
       [](O& o, V) -> Verdict {
         o.connection.wants_help = true;
         return {};
       }},
      {{"version", 0, "", "", "show the version and exit"},
       [](O& o, V) -> Verdict {
         o.connection.wants_version = true;
         return {};
       }},
  };
  for (const auto& added : {ws_rows<O>(), tls_rows<O>()}) {
    rows.insert(rows.end() - 4, added.begin(), added.end());  // before those about the program
  }
  return rows;
}

}  // namespace mq::cli

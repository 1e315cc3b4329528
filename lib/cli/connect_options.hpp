#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/prng.hpp"
#include "base/time.hpp"
#include "cli/option.hpp"
#include "cli/property_option.hpp"
#include "client/endpoint.hpp"
#include "client/settings.hpp"
#include "crypto/tls_options.hpp"
#include "web/options.hpp"

namespace mq::cli {

/// What a URL says beside the place and the topic.
struct UrlParts {
  bool is_tls = false;
  bool is_websocket = false;
  std::optional<std::string> user_name;
  std::optional<std::string> password;
};

/// What mqsub and mqpub have in common, as it was typed.
struct ConnectOptions {
  client::Endpoint endpoint;  ///< complete() sets the port
  std::optional<std::uint16_t> port;
  std::optional<crypto::TlsClientOptions> tls;
  bool is_tls_refused = false;
  std::optional<client::Proxy> proxy;
  std::optional<web::ClientOptions> websocket;
  UrlParts url;  ///< of the last one, as far as no later option says otherwise
  bool names_key_form = false;
  std::optional<std::string> client_id;
  std::optional<std::string> client_id_prefix;
  bool is_session_kept = false;
  std::optional<std::uint32_t> session_expiry_interval;
  std::uint16_t keep_alive = 60;
  std::optional<std::string> user_name;
  std::optional<std::string> password;
  std::optional<std::string> password_file;
  std::optional<std::string> password_variable;  ///< of the environment
  std::optional<wire::Version> version;
  wire::QoS qos = wire::QoS::at_most_once;
  bool is_qos_given = false;
  std::optional<std::string> will_topic;
  std::optional<std::string> will_payload;
  std::optional<wire::QoS> will_qos;
  bool will_retain = false;
  PropertyLists properties;
  bool has_properties = false;  ///< makes it MQTT 5
  bool uses_srv = false;
  std::optional<std::uint16_t> in_flight_max;
  Millis connect_timeout = Seconds(30);
  Millis ack_timeout = Seconds(60);  ///< of what was published or subscribed to; 0: none
  bool is_retrying = false;          ///< the first connection too
  bool is_debugging = false;
  bool is_quiet = false;
  bool wants_help = false;
  bool wants_version = false;
};

inline constexpr std::uint32_t kNeverExpires = 0xFFFF'FFFF;

/// Settles what depends on several options: what the URL says, the port, and whether it is TLS.
void complete(ConnectOptions& options);

/// Rules that involve several options.
Verdict check(const ConnectOptions& options);

/// pid   for --id-prefix
/// prng  for the client id that MQTT 3.1 wants
client::Settings settings_of(const ConnectOptions& options, std::uint64_t pid, Prng& prng);

/// One that nobody else has, of the 23 characters that every server takes.
std::string random_client_id(Prng& prng);

// What several tables need.
std::expected<wire::QoS, std::string> parse_qos(std::string_view value);
std::expected<Millis, std::string> parse_seconds(std::string_view value);
Verdict check_filter(std::string_view filter);
Verdict check_topic(std::string_view topic);

}  // namespace mq::cli

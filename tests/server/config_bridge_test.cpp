#include "server/config_bridge.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "server/config_file.hpp"

using namespace mq::server;

namespace {

/// What is said about a bridge with this line; empty when it is right.
std::string mistake_in(const std::string& line) {
  const auto config = parse_config(line, "x.conf", {});
  return config ? "" : config.error().message;
}

struct Values {
  std::string right;
  std::string wrong;  ///< empty: every text is right
};

/// Every option below `connection`, but for those that cannot be given twice or come in pairs.
const std::map<std::string, Values> kValues{
    {"bridge_alpn", {"mqtt", ""}},
    {"bridge_attempt_unsubscribe", {"false", "no"}},
    {"bridge_bind_address", {"10.0.0.1", ""}},
    {"bridge_cafile", {"ca.crt", ""}},
    {"bridge_capath", {"/etc/ssl", ""}},
    {"bridge_ciphers", {"HIGH", ""}},
    {"bridge_ciphers_tls1.3", {"TLS_AES_256_GCM_SHA384", ""}},
    {"bridge_insecure", {"true", "maybe"}},
    {"bridge_max_packet_size", {"100", "-1"}},
    {"bridge_max_topic_alias", {"0", "65536"}},
    {"bridge_outgoing_retain", {"0", "2"}},
    {"bridge_protocol_version", {"mqttv50", "mqttv4"}},
    {"bridge_receive_maximum", {"1", "0"}},
    {"bridge_reload_type", {"immediate", "eager"}},
    {"bridge_require_ocsp", {"true", "x"}},
    {"bridge_session_expiry_interval", {"4294967295", "4294967296"}},
    {"bridge_tcp_keepalive", {"60 10 3", "60 10"}},
    {"bridge_tcp_user_timeout", {"5000", "soon"}},
    {"bridge_tls_use_os_certs", {"true", "x"}},
    {"bridge_tls_version", {"tlsv1.3", "tlsv1.1"}},
    {"cleansession", {"true", "x"}},
    {"idle_timeout", {"1", "0"}},
    {"keepalive_interval", {"5", "4"}},
    {"local_cleansession", {"true", "x"}},
    {"local_clientid", {"here", ""}},
    {"local_password", {"secret", ""}},
    {"local_username", {"me", ""}},
    {"notification_topic", {"bridge/state", ""}},
    {"notifications", {"false", "x"}},
    {"notifications_local_only", {"true", "x"}},
    {"remote_clientid", {"there", ""}},
    {"remote_username", {"me", ""}},
    {"restart_timeout", {"5 30 600", "5 30 600 1"}},
    {"round_robin", {"true", "x"}},
    {"start_type", {"once", "never"}},
    {"threshold", {"1", "0"}},
    {"topic", {"a/# both 2 here/ there/", "a/# both 2 here/ there/ more"}},
    {"try_private", {"false", "x"}},
};

}  // namespace

TEST_CASE("each option of a bridge takes what is right and nothing else") {
  const std::string bridge = "connection b\naddress a\ntopic #\n";
  for (const auto& [name, values] : kValues) {
    CAPTURE(name);
    CHECK(mistake_in(bridge + name + " " + values.right) == "");
    if (values.wrong.empty()) continue;
    CHECK(mistake_in(bridge + name + " " + values.wrong).starts_with("x.conf:4: " + name + ": "));
  }
}

TEST_CASE("pairs of options of a bridge are right together") {
  const std::string bridge = "connection b\naddress a\ntopic #\n";
  CHECK(mistake_in(bridge + "remote_username a\nremote_password b") == "");
  CHECK(mistake_in(bridge + "bridge_identity a\nbridge_psk 00ff") == "");
  const std::string certificate = "bridge_certfile a\nbridge_keyfile b\n";
  CHECK(mistake_in(bridge + certificate + "bridge_cafile c") == "");
  CHECK(mistake_in(bridge + certificate) ==
        "x.conf:1: connection b: bridge_certfile needs bridge_cafile, bridge_capath or "
        "bridge_tls_use_os_certs");
  CHECK(mistake_in(bridge + "bridge_identity a\nbridge_psk 00\nbridge_cafile c") ==
        "x.conf:1: connection b: bridge_psk is in place of certificates: leave out one of them");
}

TEST_CASE("no option of a bridge is without a test of its values") {
  for (const ConfigOption& option : bridge_options()) {
    const bool is_in_pair = option.name == "connection" || option.name == "address" ||
                            option.name == "remote_password" || option.name == "bridge_certfile" ||
                            option.name == "bridge_keyfile" || option.name == "bridge_identity" ||
                            option.name == "bridge_psk";
    CAPTURE(option.name);
    CHECK((is_in_pair || kValues.contains(std::string(option.name))));
  }
}

TEST_CASE("options that mean nothing any more change nothing, and each is a warning") {
  const auto nothing = parse_config("", "x.conf", {});
  for (const char* line :
       {"autosave_interval 1800", "autosave_on_changes false", "auth_plugin_deny_special_chars 1",
        "dhparamfile /etc/dh.pem", "retry_interval 20", "websockets_log_level 7"}) {
    CAPTURE(std::string(line));
    auto config = parse_config(line, "x.conf", {});
    REQUIRE(config.has_value());
    REQUIRE(config->warnings.size() == 1);
    const std::string name(line, std::string_view(line).find(' '));
    CHECK(config->warnings[0].starts_with("x.conf:1: " + name + ": it has no effect: "));
    config->warnings.clear();
    CHECK((*config == *nothing));
  }
  const auto twice = parse_config("retry_interval 1\nretry_interval 2", "x.conf", {});
  CHECK(twice->warnings ==
        std::vector<std::string>{"x.conf:1: retry_interval: it has no effect: a message is sent "
                                 "again when its client comes back, and not before",
                                 "x.conf:2: retry_interval: it has no effect: a message is sent "
                                 "again when its client comes back, and not before"});
}

TEST_CASE("what mqbroker does not do is refused with a line that says why") {
  const std::map<std::string, std::string> lines{
      {"enable_control_api true", "clients cannot control mqbroker"},
      {"http_dir /srv/www", "mqbroker serves no files"},
      {"tls_keyform engine", "keys are read from PEM files"},
      {"tls_engine dynamic", "OpenSSL's engines are not supported"},
      {"tls_engine_kpass_sha1 00", "OpenSSL's engines are not supported"},
  };
  for (const auto& [line, words] : lines) {
    CAPTURE(line);
    CHECK(mistake_in(line).find(words) != std::string::npos);
  }
}

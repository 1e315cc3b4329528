#include "server/config_draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/config_bridge.hpp"

namespace mq::server {
namespace {

constexpr std::uint16_t kDefaultPort = 1883;

/// What a listener behind a proxy must not have.
std::string proxy_objection(const Listener& listener) {
  const crypto::TlsServerOptions& tls = listener.tls;
  const bool is_v2 = listener.proxy.version == 2;
  if (listener.proxy.requires_tls && !is_v2) {
    return "proxy_protocol_v2_require_tls: it needs enable_proxy_protocol 2, for the same listener";
  }
  if (is_v2 && (!tls.certificate.empty() || !tls.key.empty() || !tls.psk_hint.empty())) {
    return "enable_proxy_protocol 2: TLS ends at the proxy, so leave out certfile, keyfile and "
           "psk_hint";
  }
  if (is_v2 && tls.user_name == crypto::UserName::subject) {
    return "enable_proxy_protocol 2: the proxy tells no subject, so leave out "
           "use_subject_as_username";
  }
  return {};
}

/// What a listener lacks for its TLS.
std::string tls_objection(const Listener& listener) {
  const crypto::TlsServerOptions& tls = listener.tls;
  if (listener.proxy.version == 2) return {};
  if (tls.certificate.empty() != tls.key.empty()) {
    return fmt::format("{}: it needs {} beside it, for the same listener",
                       tls.key.empty() ? "certfile" : "keyfile",
                       tls.key.empty() ? "keyfile" : "certfile");
  }
  if (!tls.psk_hint.empty()) {
    if (tls.psk_file.empty()) return "psk_hint: it needs psk_file, which holds the keys";
    const bool has_certificate = !tls.certificate.empty() || tls.requires_certificate;
    return has_certificate ? "psk_hint: it is in place of certificates, so leave out certfile" : "";
  }
  const bool has_ca = !tls.ca_file.empty() || !tls.ca_path.empty();
  const bool wants_certificate =
      tls.requires_certificate || tls.user_name != crypto::UserName::as_given;
  if (tls == crypto::TlsServerOptions()) return {};
  if (tls.certificate.empty()) {
    return fmt::format("{}: it needs certfile and keyfile, for the same listener",
                       has_ca ? "cafile" : "an option about TLS");
  }
  if (wants_certificate && !has_ca) {
    return "require_certificate: it needs cafile or capath, which say whose certificates are good";
  }
  if (!tls.crl_file.empty() && !wants_certificate) {
    return "crlfile: it needs require_certificate true";
  }
  return {};
}

void listen_on_loopback(std::vector<ListenerDraft>& listeners, std::vector<std::uint16_t> ports) {
  const ListenerDraft base = listeners.front();
  listeners.clear();
  if (ports.empty()) ports.push_back(kDefaultPort);
  for (const std::uint16_t port : ports) {
    listeners.push_back(base);
    listeners.back().where.port = port;
    listeners.back().where.is_loopback = true;
  }
}

}  // namespace

std::expected<Config, Error> ConfigDraft::finish(const std::vector<std::uint16_t>& ports) && {
  config.is_local_only = std::ranges::none_of(listeners, &ListenerDraft::is_named);
  if (config.is_local_only) {
    listen_on_loopback(listeners, ports);
  } else if (!listeners.front().is_named) {
    listeners.erase(listeners.begin());
  }

  if (auto words = objection_to(bridges); !words.empty()) return std::unexpected(Error{words});
  config.warnings = warnings_about(bridges);
  if (is_persistent) config.data_file = persistence_location + persistence_file;
  config.broker.persistence = is_persistent;

  config.broker.listeners.clear();
  for (ListenerDraft& draft : listeners) {
    if (!draft.where.tls.psk_hint.empty()) draft.where.tls.psk_file = psk_file;
    for (const auto& words : {proxy_objection(draft.where), tls_objection(draft.where)}) {
      if (!words.empty()) return std::unexpected(Error{fmt::format("{}: {}", draft.place, words)});
    }
    if (draft.where.proxy.version == 2) {
      draft.where.proxy.requires_certificate = draft.where.tls.requires_certificate;
      draft.where.proxy.names_user = draft.where.tls.user_name == crypto::UserName::common_name;
    }
    draft.where.web.header_size_max = web_header_size_max;
    broker::ListenerConfig granted = draft.limits;
    draft.where.password_file = is_per_listener ? draft.password_file : password_file;
    draft.where.acl_file = is_per_listener ? draft.acl_file : acl_file;
    granted.has_passwords = !draft.where.password_file.path.empty();
    granted.allow_anonymous =
        draft.allow_anonymous.value_or(allow_anonymous.value_or(config.is_local_only));
    const auto& prefix = draft.auto_id_prefix ? draft.auto_id_prefix : auto_id_prefix;
    if (prefix) granted.auto_id_prefix = *prefix;
    config.broker.listeners.push_back(std::move(granted));
    config.listeners.push_back(draft.where);
  }
  return std::move(config);
}

}  // namespace mq::server

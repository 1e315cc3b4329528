#include "server/config_draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <initializer_list>
#include <system_error>
#include <utility>

#include "base/printable.hpp"
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

using AllPlaces = decltype(ConfigDraft::places);

/// Where an option of a listener was given; nothing: it was not.
const std::string* find_place(const AllPlaces& places, std::string_view option,
                              const ListenerDraft& listener) {
  const auto found = places.find({option, listener.index});
  return found == places.end() ? nullptr : &found->second;
}

/// One of these options that the listener has; empty: none.
std::string_view first_given(const AllPlaces& places, const ListenerDraft& listener,
                             std::initializer_list<std::string_view> options) {
  for (const auto option : options) {
    if (find_place(places, option, listener) != nullptr) return option;
  }
  return {};
}

/// Words that begin with an option's name, behind the place where it was given.
std::unexpected<Error> mistake(const AllPlaces& places, const ListenerDraft& listener,
                               const std::string& words) {
  const std::string* place =
      find_place(places, words.substr(0, words.find_first_of(": ")), listener);
  return std::unexpected(
      Error{fmt::format("{}: {}", place == nullptr ? listener.place : *place, words)});
}

/// What the error lines of later need to know of them.
Places places_of(const AllPlaces& places, std::size_t owner, const std::string& whole) {
  Places own{whole, {}};
  for (const auto& [key, place] : places) {
    if (key.second == owner) own.options.emplace(key.first, place);
  }
  return own;
}

/// What a listener is told in vain.
void warn_about(const AllPlaces& places, const ListenerDraft& listener,
                std::vector<std::string>& warnings) {
  const bool is_unix = !listener.where.unix_path.empty();
  const auto warn = [&](std::string_view option, std::string_view why) {
    const std::string* place = find_place(places, option, listener);
    if (place == nullptr) return;
    warnings.push_back(fmt::format("{}: {}: it has no effect: {}", *place, option, why));
  };
  const crypto::TlsServerOptions& tls = listener.where.tls;
  if (tls.is_wanted() && tls.wants_certificate() && tls.ca_file.empty() && tls.ca_path.empty()) {
    const std::string_view option = tls.requires_certificate ? "require_certificate"
                                    : tls.user_name == crypto::UserName::common_name
                                        ? "use_identity_as_username"
                                        : "use_subject_as_username";
    warnings.push_back(
        fmt::format("{}: {}: nobody comes in by this listener: cafile or capath "
                    "would say whose certificates are good",
                    *find_place(places, option, listener), option));
  }
  if (!listener.where.is_websocket) {
    warn("websockets_origin", "the listener speaks no WebSockets (protocol websockets)");
  }
  if (!is_unix) {
    for (const auto* option : {"socket_mode", "socket_group"}) {
      warn(option, "the listener is no Unix socket (listener 0 PATH)");
    }
  } else {
    for (const auto* option : {"bind_interface", "socket_domain"}) {
      warn(option, "the listener is a Unix socket");
    }
  }
}

bool is_everywhere(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "::";
}

/// Whether a listener without socket_domain has addresses of this family, as far as its text says.
bool may_have(net::Family family, const std::string& host) {
  const bool is_v6 = host.contains(':');
  const bool is_v4 = host.find_first_not_of("0123456789.") == std::string::npos && !host.empty();
  return family == net::Family::ipv6 ? !is_v4 : !is_v6;
}

bool is_name(const std::string& host) {
  return may_have(net::Family::ipv4, host) && may_have(net::Family::ipv6, host) && !host.empty();
}

/// Whether one has the addresses of the other among its own; a name may have any.
bool covers(const Listener& one, const Listener& other) {
  if (is_name(other.host)) return one.host.empty() && one.family == net::Family::any;
  return is_everywhere(one.host);
}

/// Whether two listeners want the same socket, as far as their text says.
bool are_in_the_way(const Listener& a, const Listener& b) {
  if (!a.unix_path.empty() || !b.unix_path.empty()) return a.unix_path == b.unix_path;
  const bool is_any_shared = std::ranges::any_of(
      std::array{net::Family::ipv4, net::Family::ipv6}, [&a, &b](net::Family family) {
        return std::ranges::all_of(std::array{&a, &b}, [family](const Listener* one) {
          return (one->family == net::Family::any || one->family == family) &&
                 may_have(family, one->host);
        });
      });
  const bool is_other_interface =
      a.interface != b.interface && !a.interface.empty() && !b.interface.empty();
  return a.port == b.port && is_any_shared && !is_other_interface &&
         (a.host == b.host || covers(a, b) || covers(b, a));
}

/// Two listeners that are in each other's way; empty: there are none.
std::string double_listener(const std::vector<ListenerDraft>& listeners) {
  for (auto one = listeners.begin(); one != listeners.end(); ++one) {
    const auto other = std::find_if(listeners.begin(), one, [&one](const ListenerDraft& earlier) {
      return are_in_the_way(one->where, earlier.where);
    });
    if (other == one || !one->is_named) continue;
    const bool is_same =
        one->where.host == other->where.host && one->where.unix_path == other->where.unix_path;
    return fmt::format(
        "{}: listener: {}: give it another {}", one->place,
        is_same ? fmt::format("it is the one of {} again", other->place)
                : fmt::format("the one of {} has that port of all addresses",
                              is_everywhere(other->where.host) ? other->place : one->place),
        one->where.unix_path.empty() ? "port or address" : "path");
  }
  return {};
}

/// What a listener is told about its addresses that cannot be.
std::string family_objection(const Listener& listener) {
  if (listener.family == net::Family::any || may_have(listener.family, listener.host)) return {};
  return fmt::format("socket_domain: {}, the address of the listener, is no {} address",
                     printable(listener.host),
                     listener.family == net::Family::ipv6 ? "ipv6" : "ipv4");
}

/// What a listener lacks for its TLS.
///
/// given  an option about TLS that it has beside certfile; empty: none
std::string tls_objection(const Listener& listener, std::string_view given) {
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
  if (tls == crypto::TlsServerOptions()) return {};
  if (tls.certificate.empty()) {
    return fmt::format("{}: it needs certfile and keyfile, for the same listener", given);
  }
  if (!tls.crl_file.empty() && !tls.wants_certificate()) {
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

/// A directory may lack its slash, as for mosquitto 2.0; any other text is what the name begins
/// with.
std::string data_file_of(const std::string& location, const std::string& name) {
  std::error_code error;
  const bool lacks_slash =
      std::filesystem::is_directory(location, error) && !location.ends_with('/');
  return location + (lacks_slash ? "/" : "") + name;
}

}  // namespace

std::string Places::before(std::string_view option) const {
  const auto found = options.find(option);
  const std::string& place = found == options.end() ? whole : found->second;
  return place.empty() ? "" : fmt::format("{}: {}: ", place, option);
}

std::expected<Config, Error> ConfigDraft::finish(const std::vector<std::uint16_t>& ports) && {
  config.is_local_only = std::ranges::none_of(listeners, &ListenerDraft::is_named);
  if (config.is_local_only) {
    listen_on_loopback(listeners, ports);
  } else if (!listeners.front().is_named) {
    listeners.erase(listeners.begin());
  } else {
    const auto named_by = first_given(places, listeners.front(), {"port", "bind_address"});
    listeners.front().place = *find_place(places, named_by, listeners.front());
  }

  if (auto words = objection_to(bridges); !words.empty()) return std::unexpected(Error{words});
  for (auto& words : warnings_about(bridges)) config.warnings.push_back(std::move(words));
  if (is_persistent) config.data_file = data_file_of(persistence_location, persistence_file);
  config.broker.persistence = is_persistent;

  const ListenerDraft file_itself;
  if (is_per_listener_late) {
    return mistake(places, file_itself,
                   "per_listener_settings: it belongs before the first listener");
  }
  if (auto words = double_listener(listeners); !words.empty()) return std::unexpected(Error{words});
  const auto wants_psk = [](const auto& draft) { return !draft.where.tls.psk_hint.empty(); };
  if (!psk_file.empty() && std::ranges::none_of(listeners, wants_psk)) {
    config.warnings.push_back(
        fmt::format("{}: psk_file: it has no effect: no listener has psk_hint",
                    *find_place(places, "psk_file", file_itself)));
  }

  config.allow_anonymous = allow_anonymous.value_or(config.is_local_only);
  if (!is_per_listener) config.files = {password_file, acl_file};
  config.broker.listeners.clear();
  for (ListenerDraft& draft : listeners) {
    if (wants_psk(draft)) draft.where.tls.psk_file = psk_file;
    const auto given =
        first_given(places, draft,
                    {"cafile", "capath", "require_certificate", "use_identity_as_username",
                     "use_subject_as_username", "crlfile", "tls_version", "ciphers",
                     "ciphers_tls1.3", "disable_client_cert_date_checks"});
    for (const auto& words : {family_objection(draft.where), proxy_objection(draft.where),
                              tls_objection(draft.where, given)}) {
      if (!words.empty()) return mistake(places, draft, words);
    }
    warn_about(places, draft, config.warnings);
    if (draft.where.proxy.version == 2) {
      draft.where.proxy.requires_certificate = draft.where.tls.requires_certificate;
      draft.where.proxy.names_user = draft.where.tls.user_name == crypto::UserName::common_name;
    }
    draft.where.web.header_size_max = web_header_size_max;
    broker::ListenerConfig granted = draft.limits;
    if (draft.where.unix_path.empty()) granted.port = draft.where.port;
    draft.where.password_file = is_per_listener ? draft.password_file : password_file;
    draft.where.acl_file = is_per_listener ? draft.acl_file : acl_file;
    granted.has_passwords = !draft.where.password_file.path.empty();
    draft.where.allow_anonymous = draft.allow_anonymous;
    granted.allow_anonymous = draft.allow_anonymous.value_or(config.allow_anonymous);
    const auto& prefix = draft.auto_id_prefix ? draft.auto_id_prefix : auto_id_prefix;
    if (prefix) granted.auto_id_prefix = *prefix;
    draft.where.places = places_of(places, draft.index, draft.is_named ? draft.place : "");
    if (const auto* found = find_place(places, "psk_file", file_itself); found != nullptr) {
      draft.where.places.options.emplace("psk_file", *found);
    }
    config.broker.listeners.push_back(std::move(granted));
    config.listeners.push_back(draft.where);
  }
  config.places = places_of(places, 0, {});
  return std::move(config);
}

}  // namespace mq::server

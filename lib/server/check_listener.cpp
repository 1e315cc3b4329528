#include "server/check_listener.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "base/printable.hpp"

namespace mq::server {
namespace {

using broker::Right;
using Lines = std::vector<std::string>;

bool lets_nameless_in(const Listener& listener, const broker::ListenerConfig& granted) {
  return granted.allow_anonymous && !granted.use_username_as_clientid && !is_proving(listener);
}

std::string head_line(const Listener& listener, const broker::ListenerConfig& granted) {
  std::string line = place_of(listener) + ": MQTT";
  if (listener.is_websocket) line += " in WebSockets";
  line += listener.tls.is_wanted() ? ", encrypted by TLS" : ", not encrypted";
  if (listener.proxy.version != 0) line += ", behind a proxy";
  if (!granted.mount_point.empty()) {
    line += fmt::format(", all topics below {}", printable(granted.mount_point));
  }
  return line;
}

std::string issuers_of(const crypto::TlsServerOptions& tls) {
  return printable(tls.ca_file.empty() ? tls.ca_path : tls.ca_file);
}

void add_proofs(const Listener& listener, Lines& lines) {
  const auto& tls = listener.tls;
  const bool is_psk = !tls.psk_file.empty();
  if (is_psk) {
    lines.push_back(fmt::format("  clients need a key of {}", printable(tls.psk_file)));
  } else if (listener.proxy.requires_certificate) {
    lines.emplace_back("  clients need a certificate that the proxy has verified");
  } else if (tls.requires_certificate) {
    const std::string issuers = issuers_of(tls);
    lines.push_back("  clients need a certificate" +
                    (issuers.empty() ? ", and there is no cafile or capath to say whose is good"
                                     : " issued by " + issuers));
  }
  if (!is_proving(listener)) return;
  const std::string_view name = is_psk ? "the identity of its key"
                                : tls.user_name == crypto::UserName::subject
                                    ? "the subject of its certificate"
                                    : "the common name of its certificate";
  lines.push_back(fmt::format("  a client comes in under {}, without a password", name));
}

void add_names(const Listener& listener, const broker::ListenerConfig& granted,
               const PasswordFile* passwords, Lines& lines) {
  if (is_proving(listener)) return;  // neither a password nor its absence counts
  if (passwords != nullptr) {
    lines.push_back(fmt::format("  users in {} come in with their passwords: {}",
                                printable(listener.password_file.path), passwords->size()));
    lines.emplace_back(lets_nameless_in(listener, granted)
                           ? "  clients without a name come in, too"
                           : "  clients without a name do not come in");
  } else if (granted.allow_anonymous) {
    lines.push_back(fmt::format("  clients come in under any name that they give{}, unasked",
                                lets_nameless_in(listener, granted) ? ", or none" : ""));
  } else {
    lines.emplace_back(
        "  nobody comes in: allow_anonymous is false, and there is no password_file");
  }
}

std::string rights_in(const std::vector<broker::AccessRule>& rules) {
  Lines words;
  for (const auto& rule : rules) {
    words.push_back(fmt::format("{} {}", word_for(rule), printable(rule.filter)));
  }
  return words.empty() ? "nothing" : fmt::format("{}", fmt::join(words, ", "));
}

void add_rules(const Listener& listener, const broker::ListenerConfig& granted,
               const AccessFiles::Entry& files, Lines& lines) {
  const broker::AccessRules& rules = *files.rules;
  const PasswordFile* passwords = is_proving(listener) ? nullptr : files.passwords.get();
  lines.push_back(fmt::format("  what they may do, as {} says:", printable(rules.file)));
  if (lets_nameless_in(listener, granted)) {
    lines.push_back("    without a name: " + rights_in(rules.anonymous.rules()));
  }
  const std::map<std::string, broker::RuleList> users(rules.users.begin(), rules.users.end());
  for (const auto& [name, list] : users) {
    const bool is_unknown = passwords != nullptr && !passwords->find(name).is_known;
    lines.push_back(fmt::format("    user {}{}: {}", printable(name),
                                is_unknown ? ", who has no password here" : "",
                                rights_in(list.rules())));
  }
  lines.push_back((rules.patterns.empty() ? "    all others: " : "    everybody, besides: ") +
                  rights_in(rules.patterns));
}

}  // namespace

std::string place_of(const Listener& listener) {
  if (!listener.unix_path.empty()) return printable(listener.unix_path);
  if (listener.is_loopback) return fmt::format("port {} of this machine only", listener.port);
  if (listener.host.empty()) return fmt::format("port {}", listener.port);
  return fmt::format("port {} of {}", listener.port, printable(listener.host));
}

std::string_view word_for(const broker::AccessRule& rule) {
  if (rule.is_denial()) return "deny";
  if (!rule.grants(Right::write)) return "read";
  return rule.grants(Right::read) ? "readwrite" : "write";
}

bool is_proving(const Listener& listener) {
  return listener.tls.user_name != crypto::UserName::as_given;
}

std::vector<std::string> lines_about(const Listener& listener,
                                     const broker::ListenerConfig& granted,
                                     const AccessFiles::Entry& files) {
  Lines lines{head_line(listener, granted)};
  add_proofs(listener, lines);
  add_names(listener, granted, files.passwords.get(), lines);
  if (files.rules == nullptr) {
    lines.emplace_back("  they may read and write everything: there is no acl_file");
  } else {
    add_rules(listener, granted, files, lines);
  }
  return lines;
}

}  // namespace mq::server

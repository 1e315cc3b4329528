#pragma once

#include <string>
#include <vector>

#include "cli/connect_options.hpp"
#include "cli/option.hpp"

namespace mq::cli {

Verdict set_tls_version(crypto::TlsClientOptions& tls, std::string_view value);
Verdict set_key_form(ConnectOptions& options, std::string_view value);
Verdict check_tls(const ConnectOptions& options);

/// A row that takes text and wants TLS. `Member` is of TlsClientOptions.
template <class Options, auto Member>
Verdict set_tls_text(Options& options, std::string_view value) {
  if (value.empty()) return wrong("must not be empty");
  auto& tls = options.connection.tls;
  if (!tls) tls.emplace();
  (*tls).*Member = value;
  return {};
}

/// A row that is a switch and wants TLS.
template <class Options, auto Member, bool Value>
Verdict set_tls_switch(Options& options, std::string_view) {
  auto& tls = options.connection.tls;
  if (!tls) tls.emplace();
  (*tls).*Member = Value;
  return {};
}

inline constexpr std::string_view kNoEngines =
    "OpenSSL's engines are not supported; give the key as a PEM file with --key";

/// The rows about TLS; each of them but --no-tls means that there is to be TLS.
template <class Options>
std::vector<OptionRow<Options>> tls_rows() {
  using O = Options;
  using V = std::string_view;
  using T = crypto::TlsClientOptions;
  return {
      {{"cafile", 0, "FILE", "", "TLS: trust the CA certificates in this PEM file"},
       set_tls_text<O, &T::ca_file>},
      {{"capath", 0, "DIRECTORY", "", "TLS: trust those in this directory, see openssl-rehash(1)"},
       set_tls_text<O, &T::ca_path>},
      {{"tls-use-os-certs", 0, "", "", "TLS: trust what the system trusts, which is the default"},
       set_tls_switch<O, &T::trusts_system, true>},
      {{"cert", 0, "FILE", "", "TLS: show the server this certificate (PEM); needs --key"},
       set_tls_text<O, &T::certificate>},
      {{"key", 0, "FILE", "", "TLS: the key of that certificate (PEM)"}, set_tls_text<O, &T::key>},
      {{"keyform", 0, "FORM", "pem", "the form of that key; there is only pem"},
       [](O& o, V value) { return set_key_form(o.connection, value); }},
      {{"insecure", 0, "", "", "TLS: take a certificate that is for another host, too"},
       set_tls_switch<O, &T::is_host_checked, false>},
      {{"tls-version", 0, "VERSION", "", "TLS: tlsv1.2 or tlsv1.3, and no other"},
       [](O& o, V value) {
         if (!o.connection.tls) o.connection.tls.emplace();
         return set_tls_version(*o.connection.tls, value);
       }},
      {{"ciphers", 0, "LIST", "", "TLS: these ciphers, as openssl-ciphers(1) writes them"},
       set_tls_text<O, &T::ciphers>},
      {{"tls-alpn", 0, "PROTOCOL", "", "TLS: ask for this application protocol (ALPN)"},
       [](O& o, V value) -> Verdict {
         if (value.size() > 255) return wrong("must not be longer than 255 bytes");
         return set_tls_text<O, &T::alpn>(o, value);
       }},
      {{"psk", 0, "HEX", "", "TLS: a key shared with the server, in place of certificates",
        Values::one, Secrecy::secret},
       [](O& o, V value) -> Verdict {
         const auto key = crypto::psk_of(value);
         if (!key) return wrong("must be hexadecimal digits, an even number");
         return set_tls_text<O, &T::psk>(o, *key);
       }},
      {{"psk-identity", 0, "NAME", "", "TLS: whose key that is; needs --psk"},
       set_tls_text<O, &T::psk_identity>},
      {{"tls-keylog", 0, "FILE", "", "TLS: append the session keys to FILE, for Wireshark"},
       set_tls_text<O, &T::keylog_file>},
      {{"tls-engine", 0, "ENGINE", "", "refused: OpenSSL's engines are not supported"},
       [](O&, V) { return wrong(kNoEngines); }},
      {{"tls-engine-kpass-sha1", 0, "HASH", "", "refused likewise"},
       [](O&, V) { return wrong(kNoEngines); }},
      {{"no-tls", 0, "", "", "no TLS, whatever the other options say"},
       [](O& o, V) -> Verdict {
         o.connection.is_tls_refused = true;
         return {};
       }},
  };
}

}  // namespace mq::cli

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mq::crypto {

enum class TlsVersion : std::uint8_t { any, v1_2, v1_3 };

/// TLS as a client speaks it. The empty string: not given.
struct TlsClientOptions {
  std::string ca_file = {};      ///< certificates to trust, PEM
  std::string ca_path = {};      ///< a directory of them, hashed
  bool trusts_system = false;    ///< what the system trusts, too; alone when neither is given
  std::string certificate = {};  ///< our own, with its chain, PEM
  std::string key = {};          ///< its key, PEM
  std::string ciphers = {};      ///< as openssl-ciphers(1) has it; up to TLS 1.2
  std::string alpn = {};         ///< the protocol to ask for
  TlsVersion version = TlsVersion::any;  ///< this one and no other
  bool is_host_checked = true;           ///< the certificate must be for the host
  std::string psk_identity = {};         ///< with a key shared beforehand, instead of certificates
  std::string psk = {};                  ///< that key, its bytes
  std::string keylog_file = {};          ///< where to note the keys of each connection
};

/// What decides the user name of a client with a certificate.
enum class UserName : std::uint8_t {
  as_given,     ///< the client says it in CONNECT
  common_name,  ///< of the certificate; with a shared key, its identity
  subject,      ///< of the certificate, whole, as RFC 2253 writes it
};

/// TLS as a listener speaks it. The empty string: not given.
struct TlsServerOptions {
  std::string certificate = {};     ///< with its chain, PEM
  std::string key = {};             ///< PEM
  std::string ca_file = {};         ///< who may issue the clients' certificates, PEM
  std::string ca_path = {};         ///< likewise, a directory
  std::string crl_file = {};        ///< certificates that are not good any more, PEM
  std::string ciphers = {};         ///< up to TLS 1.2
  std::string psk_file = {};        ///< keys shared with clients, a line each: identity:hexadecimal
  std::string psk_hint = {};        ///< what those clients are told
  std::string ciphers_tls1_3 = {};  ///< from TLS 1.3 on
  TlsVersion version = TlsVersion::any;  ///< the oldest
  bool requires_certificate = false;     ///< of the client
  bool checks_dates = true;              ///< of that certificate
  UserName user_name = UserName::as_given;
  std::string keylog_file = {};
  std::string alpn = {};  ///< the protocol that is chosen where a client offers it
  /// Of the client, be it only for its name.
  bool wants_certificate() const {
    return psk_file.empty() && (requires_certificate || user_name != UserName::as_given);
  }
  bool is_wanted() const { return !certificate.empty() || !psk_file.empty(); }
  bool operator==(const TlsServerOptions&) const = default;
};

/// The bytes of a shared key as it is written, in hexadecimal digits; nothing when it is not.
std::optional<std::string> psk_of(std::string_view digits);

}  // namespace mq::crypto

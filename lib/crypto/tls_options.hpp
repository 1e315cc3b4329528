#pragma once

#include <cstdint>
#include <string>

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
  std::string keylog_file = {};          ///< where to note the keys of each connection
};

}  // namespace mq::crypto

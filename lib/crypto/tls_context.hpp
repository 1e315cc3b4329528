#pragma once

#include <expected>
#include <fstream>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/text_map.hpp"
#include "crypto/openssl.hpp"
#include "crypto/tls_options.hpp"

/// What the connections of one side share. Only lib/crypto's own sources include it.
namespace mq::crypto {

struct TlsContext {
  std::shared_ptr<SSL_CTX> ssl;
  std::unique_ptr<std::ofstream> keylog;
  std::string certificate;    ///< its file
  std::string alpn;           ///< a server's, as a list that begins with its length
  std::string psk_identity;   ///< a client's
  TextMap<std::string> psks;  ///< keys by identity
};

using ContextPtr = std::shared_ptr<TlsContext>;
using Done = std::expected<void, Error>;

/// With the habits that both sides have.
ContextPtr make_context(const SSL_METHOD* method);

// Each fails with a line that names the file, or the value, and the reason.

Done trust_file(TlsContext& context, const std::string& path);
Done trust_directory(TlsContext& context, const std::string& path);
Done use_certificate(TlsContext& context, const std::string& path);
/// Of the certificate that is used.
Done use_key(TlsContext& context, const std::string& path);
Done use_ciphers(TlsContext& context, const std::string& list);
Done use_ciphersuites(TlsContext& context, const std::string& list);
Done use_revocations(TlsContext& context, const std::string& path);
/// Of a file with lines such as alice:0123456789abcdef, and comments behind #.
Done use_psk_file(TlsContext& context, const std::string& path);
void use_psk(TlsContext& context, const std::string& identity, const std::string& key);
Done log_keys(TlsContext& context, const std::string& path);

}  // namespace mq::crypto

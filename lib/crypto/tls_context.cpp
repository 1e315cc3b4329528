#include "crypto/tls_context.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>

#include "base/check.hpp"
#include "crypto/tls_filter.hpp"
#include "crypto/tls_words.hpp"

namespace mq::crypto {

namespace {

std::unexpected<Error> failed(const std::string& what, const std::string& why) {
  return std::unexpected(Error{what + ": " + why});
}

/// OpenSSL says less about a file that cannot be opened than the system does.
Done check_readable(const std::string& what, const std::string& path) {
  const std::ifstream file(path);
  if (!file) return failed("cannot read " + what + " " + path, std::strerror(errno));
  struct stat status{};
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return failed("cannot read " + what + " " + path, std::strerror(EISDIR));
  }
  return {};
}

std::unexpected<Error> rejected(const std::string& what, const std::string& path) {
  return failed("cannot use " + what + " " + path, openssl_words());
}

void write_key(const SSL* ssl, const char* line) {
  TlsContext& context = TlsFilter::of(ssl).context();
  *context.keylog << line << '\n' << std::flush;
}

/// Either way in which PEM says so.
bool is_encrypted(const std::string& key) {
  std::ifstream file(key);
  for (std::string line; std::getline(file, line);) {
    if (line.find("ENCRYPTED") != std::string::npos) return true;
  }
  return false;
}

}  // namespace

ContextPtr make_context(const SSL_METHOD* method) {
  auto context = std::make_shared<TlsContext>();
  context->ssl.reset(SSL_CTX_new(method), std::cref(SSL_CTX_free));
  MQ_CHECK(context->ssl != nullptr);
  SSL_CTX* ssl = context->ssl.get();
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  return context;
}

Done trust_file(TlsContext& context, const std::string& path) {
  if (auto readable = check_readable("the CA file", path); !readable) return readable;
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(context.ssl.get(), path.c_str()) != 1) {
    return rejected("the CA file", path);
  }
  return {};
}

Done trust_directory(TlsContext& context, const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    return failed("cannot read the CA directory " + path, std::strerror(errno));
  }
  if (!S_ISDIR(status.st_mode)) return failed("cannot read the CA directory " + path, "is a file");
  ERR_clear_error();
  if (SSL_CTX_load_verify_dir(context.ssl.get(), path.c_str()) != 1) {
    return rejected("the CA directory", path);
  }
  return {};
}

Done use_certificate(TlsContext& context, const std::string& path) {
  if (auto readable = check_readable("the certificate", path); !readable) return readable;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context.ssl.get(), path.c_str()) != 1) {
    return rejected("the certificate", path);
  }
  context.certificate = path;
  return {};
}

Done use_key(TlsContext& context, const std::string& path) {
  if (auto readable = check_readable("the key", path); !readable) return readable;
  const auto mismatch = [&] {
    return failed("cannot use the key " + path, "it does not belong to " + context.certificate);
  };
  ERR_clear_error();
  if (SSL_CTX_use_PrivateKey_file(context.ssl.get(), path.c_str(), SSL_FILETYPE_PEM) == 1) {
    // So far, a key of another type than the certificate's is the first half of another pair.
    if (SSL_CTX_check_private_key(context.ssl.get()) == 1) return {};
    return mismatch();
  }
  if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH) return mismatch();
  if (is_encrypted(path)) {
    return failed("cannot use the key " + path,
                  "it is encrypted with a pass phrase (openssl pkey -in FILE -out FILE writes it "
                  "without)");
  }
  return rejected("the key", path);
}

Done use_ciphers(TlsContext& context, const std::string& list) {
  ERR_clear_error();
  if (SSL_CTX_set_cipher_list(context.ssl.get(), list.c_str()) != 1) {
    return failed("no cipher of \"" + list + "\" is known (see openssl-ciphers(1))",
                  openssl_words());
  }
  return {};
}

Done use_ciphersuites(TlsContext& context, const std::string& list) {
  ERR_clear_error();
  if (SSL_CTX_set_ciphersuites(context.ssl.get(), list.c_str()) != 1) {
    return failed("not every cipher of \"" + list + "\" is known (see openssl-ciphers(1))",
                  openssl_words());
  }
  return {};
}

Done use_revocations(TlsContext& context, const std::string& path) {
  if (auto readable = check_readable("the CRL file", path); !readable) return readable;
  ERR_clear_error();
  X509_STORE* store = SSL_CTX_get_cert_store(context.ssl.get());
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, path.c_str(), X509_FILETYPE_PEM) < 1) {
    return rejected("the CRL file", path);
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  return {};
}

Done log_keys(TlsContext& context, const std::string& path) {
  errno = 0;
  // What is in it decrypts everything: it is for nobody else to read.
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file >= 0) close(file);
  context.keylog = std::make_unique<std::ofstream>(path, std::ios::app);
  if (!*context.keylog) return failed("cannot write the key log " + path, std::strerror(errno));
  SSL_CTX_set_keylog_callback(context.ssl.get(), write_key);
  return {};
}

}  // namespace mq::crypto

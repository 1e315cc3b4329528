#include <array>
#include <utility>

#include "crypto/openssl.hpp"
#include "crypto/tls.hpp"
#include "crypto/tls_context.hpp"
#include "crypto/tls_filter.hpp"
#include "crypto/tls_words.hpp"

namespace mq::crypto {

namespace {

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

/// The common name; empty when there is none, or one that no user can have.
std::string common_name_of(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place < 0) return {};
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return name.contains('\0') ? std::string() : name;
}

class ServerFilter final : public TlsFilter {
 public:
  ServerFilter(ContextPtr context, const TlsServerOptions& options)
      : TlsFilter(std::move(context)), source_(options.user_name) {
    if (options.wants_certificate()) {
      verify(SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, {});
    }
    if (!options.checks_dates) {
      X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl()), X509_V_FLAG_NO_CHECK_TIME);
    }
    SSL_set_accept_state(ssl());
  }

  std::optional<std::string> user_name() const override {
    return name_.empty() ? std::nullopt : std::optional(name_);
  }

 private:
  void on_open() override {
    if (source_ == UserName::as_given) return;
    if (!psk_identity().empty()) {
      name_ = psk_identity();
      return;
    }
    const std::unique_ptr<X509, FreeCertificate> certificate(SSL_get1_peer_certificate(ssl()));
    if (!certificate) return fail("it has shown no certificate, which would name its user");
    name_ = source_ == UserName::common_name
                ? common_name_of(certificate.get())
                : text_of(X509_get_subject_name(certificate.get()), XN_FLAG_RFC2253);
    if (name_.empty()) fail("its certificate has no common name, which would name its user");
  }

  std::string words_for_no_tls(ByteView bytes) const override {
    constexpr Byte kConnect = 0x10;
    if (bytes[0] == kConnect) return "it speaks MQTT without TLS, and this listener is for TLS";
    const std::string_view text = mq::text_of(bytes);
    if (text.starts_with("PROXY ") || text.starts_with("\r\n\r\n")) {
      return "it begins with a PROXY header, and enable_proxy_protocol is not given";
    }
    for (const std::string_view method : {"GET ", "HEAD ", "POST ", "PUT ", "OPTIONS "}) {
      if (text.starts_with(method)) return "it speaks HTTP, and this listener is for MQTT in TLS";
    }
    return "what it speaks is no TLS, and this listener is for TLS";
  }

  UserName source_;
  std::string name_;
};

Done trust_clients(TlsContext& context, const std::string& file) {
  if (auto done = trust_file(context, file); !done) return done;
  SSL_CTX_set_client_CA_list(context.ssl.get(), SSL_load_client_CA_file(file.c_str()));
  return {};
}

/// Who offers nothing that we speak is not turned away: what it offers is an offer.
int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  const std::string& ours = TlsFilter::of(ssl).context().alpn;
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Done offer(TlsContext& context, const std::string& protocol) {
  context.alpn = static_cast<char>(protocol.size()) + protocol;
  SSL_CTX_set_alpn_select_cb(context.ssl.get(), choose_protocol, nullptr);
  return {};
}

/// What each option does to the context, in an order that works.
struct Step {
  std::string TlsServerOptions::* option;
  Done (*use)(TlsContext& context, const std::string& value);
};
constexpr std::array kSteps{Step{&TlsServerOptions::certificate, use_certificate},
                            Step{&TlsServerOptions::key, use_key},
                            Step{&TlsServerOptions::psk_file, use_psk_file},
                            Step{&TlsServerOptions::ca_file, trust_clients},
                            Step{&TlsServerOptions::ca_path, trust_directory},
                            Step{&TlsServerOptions::crl_file, use_revocations},
                            Step{&TlsServerOptions::ciphers, use_ciphers},
                            Step{&TlsServerOptions::ciphers_tls1_3, use_ciphersuites},
                            Step{&TlsServerOptions::keylog_file, log_keys},
                            Step{&TlsServerOptions::alpn, offer}};

}  // namespace

std::expected<void, Error> check_ciphers(const std::string& list) {
  return use_ciphers(*make_context(TLS_server_method()), list);
}

std::expected<void, Error> check_ciphersuites(const std::string& list) {
  return use_ciphersuites(*make_context(TLS_server_method()), list);
}

std::expected<MakeFilter, TlsServerError> tls_server(const TlsServerOptions& options) {
  const ContextPtr context = make_context(TLS_server_method());
  SSL_CTX* ssl = context->ssl.get();
  SSL_CTX_set_dh_auto(ssl, 1);
  // A broker has nobody to ask, least of all when it reads its key again.
  SSL_CTX_set_default_passwd_cb(ssl, [](char*, int, int, void*) { return -1; });
  SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (options.version == TlsVersion::v1_3) SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION);
  if (!options.psk_hint.empty()) SSL_CTX_use_psk_identity_hint(ssl, options.psk_hint.c_str());
  for (const auto& [option, use] : kSteps) {
    if ((options.*option).empty()) continue;
    if (auto done = use(*context, options.*option); !done) {
      return std::unexpected(TlsServerError{option, done.error().message});
    }
  }
  return [context, options] { return std::make_unique<ServerFilter>(context, options); };
}

}  // namespace mq::crypto

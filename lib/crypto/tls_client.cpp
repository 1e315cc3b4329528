#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "crypto/openssl.hpp"
#include "crypto/tls.hpp"
#include "crypto/tls_context.hpp"
#include "crypto/tls_filter.hpp"
#include "crypto/tls_words.hpp"

namespace mq::crypto {

namespace {

bool is_address(const std::string& host) {
  std::array<Byte, 16> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

class ClientFilter final : public TlsFilter {
 public:
  ClientFilter(ContextPtr context, const std::string& host, bool is_host_checked)
      : TlsFilter(std::move(context)) {
    verify(SSL_VERIFY_PEER, is_host_checked ? host : std::string());
    if (!is_address(host)) SSL_set_tlsext_host_name(ssl(), host.c_str());
    SSL_set_connect_state(ssl());
    shake_hands();
  }

 private:
  std::string words_for_no_tls(ByteView) const override { return "the server does not speak TLS"; }
};

Done trust(TlsContext& context, const TlsClientOptions& options) {
  const bool names_nobody = options.ca_file.empty() && options.ca_path.empty();
  if (options.trusts_system || names_nobody) SSL_CTX_set_default_verify_paths(context.ssl.get());
  if (!options.ca_file.empty()) {
    if (auto done = trust_file(context, options.ca_file); !done) return done;
  }
  return options.ca_path.empty() ? Done() : trust_directory(context, options.ca_path);
}

Done use_version(TlsContext& context, TlsVersion version) {
  if (version == TlsVersion::any) return {};
  const int number = version == TlsVersion::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  SSL_CTX_set_min_proto_version(context.ssl.get(), number);
  SSL_CTX_set_max_proto_version(context.ssl.get(), number);
  return {};
}

void ask_for(TlsContext& context, const std::string& alpn) {
  std::vector<Byte> list{static_cast<Byte>(alpn.size())};
  list.insert(list.end(), alpn.begin(), alpn.end());
  SSL_CTX_set_alpn_protos(context.ssl.get(), list.data(), static_cast<unsigned>(list.size()));
}

/// Asks on the terminal. Standard input, which OpenSSL would take for want of one, has messages.
int ask_pass_phrase(char* room, int size, int for_writing, void*) {
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (terminal < 0) return -1;
  close(terminal);
  return PEM_def_callback(room, size, for_writing, nullptr);
}

}  // namespace

std::expected<MakeFilter, Error> tls_client(const TlsClientOptions& options,
                                            const std::string& host) {
  const ContextPtr context = make_context(TLS_client_method());
  SSL_CTX_set_default_passwd_cb(context->ssl.get(), ask_pass_phrase);
  Done done;
  if (options.psk.empty()) {
    done = trust(*context, options);
  } else {
    use_psk(*context, options.psk_identity, options.psk);
  }
  if (done) done = use_version(*context, options.version);
  if (done && !options.certificate.empty()) {
    done = use_certificate(*context, options.certificate);
    if (done) done = use_key(*context, options.key);
  }
  if (done && !options.ciphers.empty()) done = use_ciphers(*context, options.ciphers);
  if (done && !options.keylog_file.empty()) done = log_keys(*context, options.keylog_file);
  if (!done) return std::unexpected(done.error());
  if (!options.alpn.empty()) ask_for(*context, options.alpn);
  return [context, host, is_host_checked = options.is_host_checked] {
    return std::make_unique<ClientFilter>(context, host, is_host_checked);
  };
}

}  // namespace mq::crypto

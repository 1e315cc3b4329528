#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/filter.hpp"
#include "crypto/openssl.hpp"
#include "crypto/tls_context.hpp"

namespace mq::crypto {

/// One connection's TLS, between two buffers in memory.
class TlsFilter : public Filter {
 public:
  void on_received(ByteView bytes) final;
  std::size_t read(std::span<Byte> room) final;
  void write(ByteView bytes) final;
  void close() final;
  void take_output(std::vector<Byte>& out) final;
  bool has_output() const final { return BIO_ctrl_pending(out_) > 0; }
  State state() const final { return state_; }
  const std::string& trouble() const final { return trouble_; }

  TlsContext& context() const { return *context_; }
  /// Whose connection it is, for OpenSSL's callbacks.
  static TlsFilter& of(const SSL* ssl);
  /// The key of the peer that says it is `identity`; nullptr when nobody is.
  const std::string* find_psk(std::string_view identity);

 protected:
  explicit TlsFilter(ContextPtr context);
  SSL* ssl() const { return ssl_.get(); }
  const std::string& psk_identity() const { return psk_identity_; }
  /// Goes on with the handshake as far as it can.
  void shake_hands();
  void fail(std::string words);
  /// Lets OpenSSL check the peer's certificate, and remembers what is wrong with it.
  ///
  /// mode  SSL_VERIFY_…
  /// host  whom it must be for; empty: anybody
  void verify(int mode, std::string host);
  /// What is wrong with the peer, if the handshake is about to fail.
  void object(std::string words) { objection_ = std::move(words); }
  /// The handshake is done: the last word on whether the peer is welcome.
  virtual void on_open() {}
  /// What the peer speaks whose first bytes are no TLS.
  virtual std::string words_for_no_tls(ByteView bytes) const = 0;

 private:
  static int on_certificate(int is_good, X509_STORE_CTX* store);
  void handle_failure(int result);

  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  ContextPtr context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* in_;  ///< both belong to ssl_
  BIO* out_;
  std::string host_;
  std::string psk_identity_;  ///< whose key was found
  std::string objection_;     ///< to the peer's certificate
  bool has_received_ = false;
  State state_ = State::opening;
  std::string trouble_;
};

}  // namespace mq::crypto

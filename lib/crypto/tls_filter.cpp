#include "crypto/tls_filter.hpp"

#include <utility>

#include "base/check.hpp"
#include "base/printable.hpp"
#include "crypto/tls_words.hpp"

// OpenSSL reads from one memory buffer and writes to another. Neither is ever full, so all it can
// lack is input; a handshake goes on whenever there is some.

namespace mq::crypto {

namespace {

constexpr Byte kHandshakeRecord = 0x16;

}  // namespace

TlsFilter::TlsFilter(ContextPtr context)
    : context_(std::move(context)),
      ssl_(SSL_new(context_->ssl.get())),
      in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())) {
  MQ_CHECK(ssl_ != nullptr && in_ != nullptr && out_ != nullptr);
  SSL_set_bio(ssl(), in_, out_);
  SSL_set_app_data(ssl(), this);
}

TlsFilter& TlsFilter::of(const SSL* ssl) {
  return *static_cast<TlsFilter*>(SSL_get_app_data(ssl));
}

const std::string* TlsFilter::find_psk(std::string_view identity) {
  const auto found = context_->psks.find(identity);
  if (found == context_->psks.end()) {
    object("no key is shared with " + quoted(identity) + " (see psk_file)");
    return nullptr;
  }
  psk_identity_ = identity;
  return &found->second;
}

void TlsFilter::verify(int mode, std::string host) {
  host_ = std::move(host);
  SSL_set_verify(ssl(), mode, on_certificate);
  if (host_.empty()) return;
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl());
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, host_.c_str()) == 1) return;
  X509_VERIFY_PARAM_set1_host(rules, host_.data(), host_.size());
}

int TlsFilter::on_certificate(int is_good, X509_STORE_CTX* store) {
  if (is_good == 1) return 1;
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsFilter& filter = of(ssl);
  filter.objection_ = verification_words(X509_STORE_CTX_get_current_cert(store),
                                         X509_STORE_CTX_get_error(store), filter.host_);
  return 0;
}

void TlsFilter::on_received(ByteView bytes) {
  if (state_ == State::failed || state_ == State::closed || bytes.empty()) return;
  if (!std::exchange(has_received_, true) && bytes[0] != kHandshakeRecord &&
      bytes[0] != SSL3_RT_ALERT) {
    return fail(words_for_no_tls(bytes));
  }
  BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  if (state_ == State::opening) shake_hands();
}

void TlsFilter::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl());
  if (result != 1) return handle_failure(result);
  state_ = State::open;
  on_open();
}

std::size_t TlsFilter::read(std::span<Byte> room) {
  if (state_ != State::open) return 0;
  ERR_clear_error();
  std::size_t size = 0;
  const int result = SSL_read_ex(ssl(), room.data(), room.size(), &size);
  if (result == 1) return size;
  handle_failure(result);
  return 0;
}

void TlsFilter::write(ByteView bytes) {
  if (state_ != State::open || bytes.empty()) return;
  ERR_clear_error();
  std::size_t size = 0;
  const int result = SSL_write_ex(ssl(), bytes.data(), bytes.size(), &size);
  if (result != 1) handle_failure(result);
}

void TlsFilter::close() {
  if (state_ == State::open) SSL_shutdown(ssl());
}

void TlsFilter::take_output(std::vector<Byte>& out) {
  const std::size_t size = BIO_ctrl_pending(out_);
  if (size == 0) return;
  out.resize(out.size() + size);
  BIO_read(out_, out.data() + out.size() - size, static_cast<int>(size));
}

void TlsFilter::handle_failure(int result) {
  const int error = SSL_get_error(ssl(), result);
  if (error == SSL_ERROR_WANT_READ) return;
  if (error == SSL_ERROR_ZERO_RETURN) {
    state_ = State::closed;
    return;
  }
  std::string words = objection_.empty() ? "TLS: " + openssl_words() : objection_;
  if (state_ == State::opening && !psk_identity_.empty()) {
    words += ", with the key of " + quoted(psk_identity_) + " (see psk_file)";
  }
  fail(std::move(words));
}

void TlsFilter::fail(std::string words) {
  state_ = State::failed;
  trouble_ = std::move(words);
  ERR_clear_error();
}

}  // namespace mq::crypto

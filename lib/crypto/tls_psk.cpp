#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "crypto/tls_context.hpp"
#include "crypto/tls_filter.hpp"

// Keys that both sides have beforehand. OpenSSL asks for them with the same callbacks in TLS 1.2
// and 1.3.

namespace mq::crypto {

namespace {

/// With encryption, and forward secrecy before those without.
constexpr const char* kCiphers = "kECDHEPSK:kDHEPSK:kPSK:!eNULL";

/// Returns the size of the key, 0 when there is no room for it.
unsigned hand_over(const std::string& key, unsigned char* room, unsigned size) {
  if (key.size() > size) return 0;
  std::memcpy(room, key.data(), key.size());
  return static_cast<unsigned>(key.size());
}

unsigned on_client_asked(SSL* ssl, const char*, char* identity, unsigned identity_size,
                         unsigned char* key, unsigned key_size) {
  const TlsContext& context = TlsFilter::of(ssl).context();
  const std::string& own = context.psk_identity;
  if (own.size() + 1 > identity_size) return 0;
  std::memcpy(identity, own.c_str(), own.size() + 1);
  return hand_over(context.psks.at(own), key, key_size);
}

unsigned on_server_asked(SSL* ssl, const char* identity, unsigned char* key, unsigned key_size) {
  const std::string* found = identity == nullptr ? nullptr : TlsFilter::of(ssl).find_psk(identity);
  return found == nullptr ? 0 : hand_over(*found, key, key_size);
}

}  // namespace

std::optional<std::string> psk_of(std::string_view digits) {
  if (digits.empty() || digits.size() % 2 != 0) return std::nullopt;
  std::string key;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const char* at = digits.data() + i;
    unsigned value = 0;
    if (std::from_chars(at, at + 2, value, 16).ptr != at + 2) return std::nullopt;
    key += static_cast<char>(value);
  }
  return key;
}

void use_psk(TlsContext& context, const std::string& identity, const std::string& key) {
  context.psk_identity = identity;
  context.psks[identity] = key;
  SSL_CTX_set_psk_client_callback(context.ssl.get(), on_client_asked);
  SSL_CTX_set_cipher_list(context.ssl.get(), kCiphers);
}

Done use_psk_file(TlsContext& context, const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  if (!file) {
    return std::unexpected(Error{"cannot read the psk_file " + path + ": " + std::strerror(errno)});
  }
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);  // of some editors
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    const auto colon = line.find(':');
    const auto key = colon == std::string::npos ? std::nullopt
                                                : psk_of(std::string_view(line).substr(colon + 1));
    if (!key || colon == 0) {
      return std::unexpected(Error{path + ":" + std::to_string(number) +
                                   ": should be a name, a colon and a key in hexadecimal digits"});
    }
    context.psks.try_emplace(line.substr(0, colon), *key);
  }
  SSL_CTX_set_psk_server_callback(context.ssl.get(), on_server_asked);
  SSL_CTX_set_cipher_list(context.ssl.get(), kCiphers);
  return {};
}

}  // namespace mq::crypto

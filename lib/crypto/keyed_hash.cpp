#include "crypto/keyed_hash.hpp"

#include "base/check.hpp"
#include "crypto/openssl.hpp"

namespace mq::crypto {

Digest keyed_hash(std::span<const Byte> key, std::string_view text) {
  Digest digest{};
  unsigned size = 0;
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  MQ_CHECK(done != nullptr && size == digest.size());
  return digest;
}

Digest random_key() {
  Digest key{};
  MQ_CHECK(RAND_bytes(key.data(), static_cast<int>(key.size())) == 1);
  return key;
}

}  // namespace mq::crypto

#pragma once

#include <mutex>
#include <string_view>

#include "base/text_map.hpp"
#include "base/time.hpp"
#include "crypto/keyed_hash.hpp"

namespace mq::server {

/// Passwords that were right a short while ago, so that a thousand clients that come back at once
/// do not cost a thousand verifications. It holds no password, but what a key that dies with the
/// process makes of user and password. Any thread may use it.
class VerifiedPasswords {
 public:
  static constexpr Seconds kMemory{300};
  /// Whom it can remember. When there are more, all are forgotten.
  static constexpr std::size_t kMost = 100'000;

  bool knows(std::string_view user, std::string_view password, Instant now) const;
  void remember(std::string_view user, std::string_view password, Instant now);

 private:
  struct Entry {
    crypto::Digest digest;
    Instant until;
  };
  crypto::Digest digest_of(std::string_view user, std::string_view password) const;

  mutable std::once_flag is_key_made_;
  mutable crypto::Digest key_{};  ///< made for the first password: who has none needs no OpenSSL
  mutable std::mutex mutex_;
  TextMap<Entry> entries_;  ///< by user
};

}  // namespace mq::server

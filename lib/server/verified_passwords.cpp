#include "server/verified_passwords.hpp"

#include <string>

namespace mq::server {

crypto::Digest VerifiedPasswords::digest_of(std::string_view user,
                                            std::string_view password) const {
  std::call_once(is_key_made_, [this] { key_ = crypto::random_key(); });
  // A user name has no NUL in it, so no two pairs make one text.
  return crypto::keyed_hash(key_, std::string(user) + '\0' + std::string(password));
}

bool VerifiedPasswords::knows(std::string_view user, std::string_view password, Instant now) const {
  const auto digest = digest_of(user, password);
  const std::scoped_lock lock(mutex_);
  const auto known = entries_.find(user);
  return known != entries_.end() && known->second.until > now && known->second.digest == digest;
}

void VerifiedPasswords::remember(std::string_view user, std::string_view password, Instant now) {
  const auto digest = digest_of(user, password);
  const std::scoped_lock lock(mutex_);
  if (entries_.size() >= kMost) entries_.clear();
  entries_[std::string(user)] = {digest, now + kMemory};
}

}  // namespace mq::server

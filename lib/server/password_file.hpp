#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/text_map.hpp"
#include "crypto/password_hash.hpp"

namespace mq::server {

/// The users of a password file: lines of `user:hash`; those that begin with '#' or have no ':'
/// mean nothing.
class PasswordFile {
 public:
  using Hash = std::shared_ptr<const crypto::PasswordHash>;

  /// name   what an error line calls it
  /// Fails  a user without a name, or twice, or with something else than a hash, such as the
  ///        password itself; the line names the place and the way out
  static std::expected<PasswordFile, Error> parse(std::string_view text, const std::string& name);

  /// What the user's password must match; for an unknown user the dearest hash of the others, so
  /// that finding out takes no less time. nullptr when there are no users.
  struct Found {
    Hash hash;
    bool is_known = false;
  };
  Found find(std::string_view user) const;

  /// Who is not there any more, or has another password, in `next`.
  std::vector<std::string> changed_in(const PasswordFile& next) const;
  std::size_t size() const { return users_.size(); }

 private:
  TextMap<Hash> users_;
  Hash decoy_;
};

/// Changes of a password file's text, which leave all other lines as they are.
namespace password_text {

struct Changed {
  std::string text;
  std::size_t lines = 0;  ///< that were changed or removed
};
/// Gives the user this hash, in the line that he has or in a new one.
Changed put(std::string_view text, std::string_view user, std::string_view hash);
Changed drop(std::string_view text, std::string_view user);
/// Hashes what is behind a user's colon and is no hash.
///
/// name   what an error line calls the file
/// Fails  a damaged hash, which is no password; as PasswordHash::make()
std::expected<Changed, Error> hash_all(std::string_view text, const std::string& name,
                                       const crypto::PasswordHash::Recipe& recipe);

}  // namespace password_text

}  // namespace mq::server

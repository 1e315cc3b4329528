#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace mq::crypto {

enum class HashKind : std::uint8_t {
  sha512,         ///< $6$: one SHA-512 over password and salt; cheap to guess, for old files
  sha512_pbkdf2,  ///< $7$: PBKDF2 with HMAC-SHA512 (RFC 8018 §5.2)
  argon2id,       ///< $argon2id$: RFC 9106, as PHC string
};

/// What a password file keeps of a password, in the forms of mosquitto.
class PasswordHash {
 public:
  /// text     "$6$SALT$HASH", "$7$ITERATIONS$SALT$HASH" with base64, or "$argon2id$v=19$..."
  /// Returns  nothing for any other text: an unknown form, a salt of other than 12 or 64 bytes, a
  ///          hash of other than 64
  static std::optional<PasswordHash> parse(std::string_view text);
  /// Whether a text that is none was one before it was damaged, for it begins like one.
  static bool begins_like_one(std::string_view text);

  struct Recipe {
    HashKind kind = HashKind::sha512_pbkdf2;
    std::uint32_t iterations = 100'000;  ///< of $7$; 1 to 2^31 - 1
  };
  /// Makes the text for a password, with a new salt.
  ///
  /// Fails  the machine has no randomness, or not the 46 MiB that argon2id takes
  static std::expected<std::string, Error> make(std::string_view password, const Recipe& recipe);

  /// Whether it is this password's. The time it takes says nothing about how near it is.
  ///
  /// Cost  tens of milliseconds, on purpose; argon2id also the memory that it names
  bool matches(std::string_view password) const;
  /// How long that takes, in something like microseconds.
  std::uint64_t cost() const;
  HashKind kind() const { return kind_; }
  bool operator==(const PasswordHash&) const = default;

 private:
  HashKind kind_{};
  std::uint32_t iterations_ = 0;
  std::vector<Byte> salt_;
  std::vector<Byte> hash_;
  std::string encoded_;  ///< of argon2id, whose text says it all
};

}  // namespace mq::crypto

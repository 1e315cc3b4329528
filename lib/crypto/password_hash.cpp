#include "crypto/password_hash.hpp"

#include <argon2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>

#include "crypto/openssl.hpp"

namespace mq::crypto {
namespace {

constexpr std::size_t kHashSize = 64;
constexpr std::size_t kShortSalt = 12;  // what mosquitto_passwd makes for $6$ and $7$
constexpr std::size_t kLongSalt = 64;
// As mosquitto 2.1 makes them; OWASP's choice for one thread.
constexpr std::uint32_t kArgonPasses = 1;
constexpr std::uint32_t kArgonMemory = 47'104;  // KiB
constexpr std::uint32_t kArgonLanes = 1;
/// More memory than this is a slip in the file, and would be taken for every guess.
constexpr std::uint32_t kArgonMemoryMax = 1U << 20U;

const unsigned char* data_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<std::vector<Byte>> from_base64(std::string_view text) {
  const auto padding = text.size() - std::min(text.find_last_not_of('=') + 1, text.size());
  const std::string_view digits = text.substr(0, text.size() - padding);
  const bool is_well_formed =
      text.size() % 4 == 0 && padding <= 2 && std::ranges::all_of(digits, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/';
      });
  if (!is_well_formed || text.empty() || text.size() > 1024) return std::nullopt;
  std::vector<Byte> bytes(text.size() / 4 * 3);
  const int size = EVP_DecodeBlock(bytes.data(), data_of(text), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::string to_base64(const std::vector<Byte>& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

/// Empty when OpenSSL cannot.
std::vector<Byte> sha512(std::string_view password, const std::vector<Byte>& salt) {
  std::vector<Byte> text(password.begin(), password.end());
  text.insert(text.end(), salt.begin(), salt.end());
  std::vector<Byte> hash(kHashSize);
  const bool is_done =
      EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha512(), nullptr) == 1;
  OPENSSL_cleanse(text.data(), text.size());
  return is_done ? hash : std::vector<Byte>();
}

std::vector<Byte> pbkdf2(std::string_view password, const std::vector<Byte>& salt,
                         std::uint32_t iterations) {
  std::vector<Byte> hash(kHashSize);
  const bool is_done =
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha512(),
                        kHashSize, hash.data()) == 1;
  return is_done ? hash : std::vector<Byte>();
}

/// "$argon2id$v=19$m=47104,t=1,p=1$...": asks for no more memory than is sane. All else is
/// argon2's to judge.
bool is_argon2id(std::string_view text) {
  const auto at = text.find("$m=");
  if (!text.starts_with("$argon2id$v=19$m=") || at == std::string_view::npos) return false;
  std::uint32_t memory = 0;
  const auto [end, code] = std::from_chars(text.data() + at + 3, text.data() + text.size(), memory);
  const auto fields = std::ranges::count(text, '$');
  const bool goes_on = end != text.data() + text.size() && *end == ',';
  return code == std::errc() && goes_on && memory <= kArgonMemoryMax && fields == 5;
}

/// What is behind a name such as "$m=" in an argon2id hash; 0 where there is no number.
std::uint64_t number_behind(std::string_view name, std::string_view text) {
  const auto at = text.find(name);
  if (at == std::string_view::npos) return 0;
  std::uint64_t number = 0;
  std::from_chars(text.data() + at + name.size(), text.data() + text.size(), number);
  return number;
}

std::string_view next_field(std::string_view& rest) {
  const auto end = std::min(rest.find('$'), rest.size());
  const auto field = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return field;
}

std::optional<std::uint32_t> iterations_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_good =
      code == std::errc() && end == text.data() + text.size() && number >= 1 && number <= INT_MAX;
  return is_good ? std::optional(number) : std::nullopt;
}

std::expected<std::string, Error> make_argon2id(std::string_view password,
                                                const std::vector<Byte>& salt) {
  std::string text(argon2_encodedlen(kArgonPasses, kArgonMemory, kArgonLanes,
                                     static_cast<std::uint32_t>(salt.size()), kHashSize, Argon2_id),
                   '\0');
  const int code = argon2id_hash_encoded(kArgonPasses, kArgonMemory, kArgonLanes, password.data(),
                                         password.size(), salt.data(), salt.size(), kHashSize,
                                         text.data(), text.size());
  if (code != ARGON2_OK) {
    return std::unexpected(
        Error{std::string("cannot hash the password: ") + argon2_error_message(code)});
  }
  text.resize(text.find('\0'));
  return text;
}

}  // namespace

std::optional<PasswordHash> PasswordHash::parse(std::string_view text) {
  PasswordHash parsed;
  if (is_argon2id(text)) {
    parsed.kind_ = HashKind::argon2id;
    parsed.encoded_ = text;
    return parsed;
  }
  std::string_view rest = text;
  if (!next_field(rest).empty()) return std::nullopt;
  const std::string_view id = next_field(rest);
  if (id == "7") {
    const auto iterations = iterations_of(next_field(rest));
    if (!iterations) return std::nullopt;
    parsed.kind_ = HashKind::sha512_pbkdf2;
    parsed.iterations_ = *iterations;
  } else if (id != "6") {
    return std::nullopt;
  }
  const auto salt = from_base64(next_field(rest));
  const auto hash = from_base64(rest);
  if (!salt || !hash || hash->size() != kHashSize) return std::nullopt;
  if (salt->size() != kShortSalt && salt->size() != kLongSalt) return std::nullopt;
  parsed.salt_ = *salt;
  parsed.hash_ = *hash;
  return parsed;
}

std::uint64_t PasswordHash::cost() const {
  // A round of PBKDF2 takes half a microsecond, argon2 a whole one for each KiB that it goes over.
  if (kind_ == HashKind::argon2id) {
    return number_behind("$m=", encoded_) * number_behind(",t=", encoded_);
  }
  return iterations_ / 2;
}

bool PasswordHash::begins_like_one(std::string_view text) {
  return text.starts_with("$6$") || text.starts_with("$7$") || text.starts_with("$argon2id$");
}

std::expected<std::string, Error> PasswordHash::make(std::string_view password,
                                                     const Recipe& recipe) {
  const bool is_argon = recipe.kind == HashKind::argon2id;
  std::vector<Byte> salt(is_argon ? kLongSalt : kShortSalt);
  if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) {
    return std::unexpected(Error{"cannot hash the password: no randomness"});
  }
  if (is_argon) return make_argon2id(password, salt);
  const bool is_pbkdf2 = recipe.kind == HashKind::sha512_pbkdf2;
  const auto hash = is_pbkdf2 ? pbkdf2(password, salt, recipe.iterations) : sha512(password, salt);
  if (hash.empty()) return std::unexpected(Error{"cannot hash the password: OpenSSL refuses"});
  const std::string start = is_pbkdf2 ? "$7$" + std::to_string(recipe.iterations) : "$6";
  return start + "$" + to_base64(salt) + "$" + to_base64(hash);
}

bool PasswordHash::matches(std::string_view password) const {
  if (kind_ == HashKind::argon2id) {
    return argon2id_verify(encoded_.c_str(), password.data(), password.size()) == ARGON2_OK;
  }
  const auto hash = kind_ == HashKind::sha512_pbkdf2 ? pbkdf2(password, salt_, iterations_)
                                                     : sha512(password, salt_);
  return hash.size() == hash_.size() && CRYPTO_memcmp(hash.data(), hash_.data(), hash.size()) == 0;
}

}  // namespace mq::crypto

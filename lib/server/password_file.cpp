#include "server/password_file.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/printable.hpp"
#include "server/text_file.hpp"

namespace mq::server {
namespace {

std::string damage_of(std::string_view user) {
  return fmt::format(
      "the hash of user {0} is damaged; \"mqbroker passwd FILE {0}\" gives a new password",
      printable(user));
}

}  // namespace

std::expected<PasswordFile, Error> PasswordFile::parse(std::string_view text,
                                                       const std::string& name) {
  PasswordFile file;
  TextMap<std::size_t> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto mistake = [&](const std::string& words) {
      return std::unexpected(Error{fmt::format("{}:{}: {}", name, number, words)});
    };
    const std::string_view line = trimmed(take_line(text));
    const auto colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    const std::string_view user = trimmed(line.substr(0, colon));
    if (user.empty()) return mistake("a user's name is missing in front of the colon");
    const auto [known, is_new] = lines.try_emplace(user, number);
    if (!is_new) {
      return mistake(fmt::format("user {} is there already, in line {}; keep one of the two",
                                 printable(user), known->second));
    }
    const std::string_view kept = trimmed(line.substr(colon + 1));
    auto hash = crypto::PasswordHash::parse(kept);
    if (!hash && crypto::PasswordHash::begins_like_one(kept)) return mistake(damage_of(user));
    if (!hash) {
      return mistake(
          fmt::format("what user {} has is no hash of a password ($6$, $7$ or $argon2id$); if it "
                      "is the password, \"mqbroker passwd -U FILE\" hashes it",
                      printable(user)));
    }
    auto shared = std::make_shared<const crypto::PasswordHash>(*std::move(hash));
    if (file.decoy_ == nullptr || file.decoy_->cost() < shared->cost()) file.decoy_ = shared;
    file.users_.emplace(user, std::move(shared));
  }
  return file;
}

namespace password_text {
namespace {

struct Line {
  std::size_t number;
  std::string_view user;  ///< empty: the line means nothing
  std::string_view hash;
};

Line parsed(std::size_t number, std::string_view text) {
  text = trimmed(text);
  const auto colon = text.find(':');
  if (text.starts_with('#') || colon == std::string_view::npos) return {number, {}, {}};
  return {number, trimmed(text.substr(0, colon)), trimmed(text.substr(colon + 1))};
}

/// Lets `change` add what becomes of each user's line.
template <class Change>
void for_each_user(std::string_view text, std::string& out, Change change) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto whole = take_line(text);
    const Line line = parsed(number, whole);
    if (!line.user.empty() && change(line)) continue;
    out += whole;
    out += '\n';
  }
}

std::string line_of(std::string_view user, std::string_view hash) {
  return fmt::format("{}:{}\n", user, hash);
}

}  // namespace

Changed put(std::string_view text, std::string_view user, std::string_view hash) {
  Changed changed;
  for_each_user(text, changed.text, [&](const Line& line) {
    if (line.user != user) return false;
    if (changed.lines++ == 0) changed.text += line_of(user, hash);
    return true;
  });
  if (changed.lines == 0) changed.text += line_of(user, hash);
  return changed;
}

Changed drop(std::string_view text, std::string_view user) {
  Changed changed;
  for_each_user(text, changed.text, [&](const Line& line) {
    if (line.user == user) ++changed.lines;
    return line.user == user;
  });
  return changed;
}

std::expected<Changed, Error> hash_all(std::string_view text, const std::string& name,
                                       const crypto::PasswordHash::Recipe& recipe) {
  Changed changed;
  std::optional<Error> trouble;
  for_each_user(text, changed.text, [&](const Line& line) {
    const auto& [number, user, password] = line;
    if (trouble || password.empty() || crypto::PasswordHash::parse(password)) return false;
    if (crypto::PasswordHash::begins_like_one(password)) {
      trouble = Error{fmt::format("{}:{}: {}", name, number, damage_of(user))};
      return false;
    }
    const auto hash = crypto::PasswordHash::make(password, recipe);
    if (!hash) {
      trouble = hash.error();
      return false;
    }
    changed.text += line_of(user, *hash);
    ++changed.lines;
    return true;
  });
  if (trouble) return std::unexpected(*trouble);
  return changed;
}

}  // namespace password_text

PasswordFile::Found PasswordFile::find(std::string_view user) const {
  const auto known = users_.find(user);
  if (known == users_.end()) return {decoy_, false};
  return {known->second, true};
}

std::vector<std::string> PasswordFile::changed_in(const PasswordFile& next) const {
  std::vector<std::string> changed;
  for (const auto& [user, hash] : users_) {
    const auto kept = next.users_.find(user);
    if (kept == next.users_.end() || *kept->second != *hash) changed.push_back(user);
  }
  return changed;
}

}  // namespace mq::server

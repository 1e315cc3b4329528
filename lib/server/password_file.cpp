#include "server/password_file.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/printable.hpp"
#include "server/text_file.hpp"

namespace mq::server {

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
    auto hash = crypto::PasswordHash::parse(trimmed(line.substr(colon + 1)));
    if (!hash) {
      return mistake(
          fmt::format("what user {} has is no hash of a password ($6$, $7$ or $argon2id$); if it "
                      "is the password, \"mqbroker passwd -U FILE\" hashes it",
                      printable(user)));
    }
    auto shared = std::make_shared<const crypto::PasswordHash>(*std::move(hash));
    if (file.decoy_ == nullptr) file.decoy_ = shared;
    file.users_.emplace(user, std::move(shared));
  }
  return file;
}

namespace password_text {
namespace {

/// The user of a line; empty: the line means nothing.
std::string_view user_of(std::string_view line) {
  line = trimmed(line);
  const auto colon = line.find(':');
  if (line.starts_with('#') || colon == std::string_view::npos) return {};
  return trimmed(line.substr(0, colon));
}

/// Lets `change` add what becomes of each user's line.
template <class Change>
void for_each_user(std::string_view text, std::string& out, Change change) {
  while (!text.empty()) {
    const auto line = take_line(text);
    const auto user = user_of(line);
    if (!user.empty() && change(user, trimmed(line.substr(line.find(':') + 1)))) continue;
    out += line;
    out += '\n';
  }
}

std::string line_of(std::string_view user, std::string_view hash) {
  return fmt::format("{}:{}\n", user, hash);
}

}  // namespace

Changed put(std::string_view text, std::string_view user, std::string_view hash) {
  Changed changed;
  for_each_user(text, changed.text, [&](std::string_view one, std::string_view) {
    if (one != user) return false;
    if (changed.lines++ == 0) changed.text += line_of(user, hash);
    return true;
  });
  if (changed.lines == 0) changed.text += line_of(user, hash);
  return changed;
}

Changed drop(std::string_view text, std::string_view user) {
  Changed changed;
  for_each_user(text, changed.text, [&](std::string_view one, std::string_view) {
    if (one == user) ++changed.lines;
    return one == user;
  });
  return changed;
}

std::expected<Changed, Error> hash_all(std::string_view text,
                                       const crypto::PasswordHash::Recipe& recipe) {
  Changed changed;
  std::optional<Error> trouble;
  for_each_user(text, changed.text, [&](std::string_view user, std::string_view password) {
    if (password.empty() || crypto::PasswordHash::parse(password)) return false;
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

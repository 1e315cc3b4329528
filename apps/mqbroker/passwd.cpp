#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "cli/ask_password.hpp"
#include "cli/passwd_options.hpp"
#include "commands.hpp"
#include "server/password_file.hpp"
#include "server/replace_file.hpp"
#include "server/text_file.hpp"

namespace mq::app {
namespace {

using Change = std::function<std::expected<std::string, Error>(std::string_view text)>;

/// Gives the user a password: the one that was typed, or one that is asked for now.
std::expected<Change, Error> new_password(const cli::PasswdOptions& options) {
  const std::expected<std::string, Error> password =
      options.is_batch ? options.password : cli::ask_new_password();
  if (!password) {
    return std::unexpected(Error{"passwd: " + password.error().message + ", nothing is changed"});
  }
  const auto hash = crypto::PasswordHash::make(*password, options.recipe);
  if (!hash) return std::unexpected(hash.error());
  return [&options, hash = *hash](std::string_view text) {
    auto changed = server::password_text::put(text, options.user, hash);
    if (options.file != "-") {
      fmt::print("{} password for user {}\n", changed.lines > 0 ? "Updating" : "Adding",
                 options.user);
    }
    return changed.text;
  };
}

std::expected<std::string, Error> hash_all(const cli::PasswdOptions& options,
                                           std::string_view text) {
  auto changed = server::password_text::hash_all(text, options.file, options.recipe);
  if (!changed) return std::unexpected(changed.error());
  fmt::print("Hashed {} of the passwords\n", changed->lines);
  return changed->text;
}

std::expected<std::string, Error> drop_user(const cli::PasswdOptions& options,
                                            std::string_view text) {
  auto changed = server::password_text::drop(text, options.user);
  if (changed.lines > 0) return changed.text;
  return std::unexpected(Error{fmt::format("user {} is not in {}", options.user, options.file)});
}

/// What was asked for. Everything that takes its time, such as a person at a keyboard, comes before
/// the change.
std::expected<Change, Error> change_of(const cli::PasswdOptions& options) {
  if (options.hashes_all) return std::bind_front(hash_all, std::cref(options));
  if (options.deletes) return std::bind_front(drop_user, std::cref(options));
  return new_password(options);
}

}  // namespace

int edit_passwords(std::span<char* const> arguments) {
  const auto options = cli::parse_passwd(arguments);
  if (!options) return fail(options.error(), kUsage);
  if (options->wants_help) return show(cli::passwd_help());
  if (options->is_batch) std::memset(arguments.back(), 'x', std::strlen(arguments.back()));
  if (!options->creates) {
    const auto text = server::contents_of(options->file);
    if (!text) return fail({text.error().message + " (-c makes a new file)"}, kCannotStart);
  } else if (!options->overwrites && std::filesystem::exists(options->file)) {
    return fail({options->file + " is there already (-f replaces it, without -c it is changed)"},
                kCannotStart);
  }
  const auto change = change_of(*options);
  if (!change) return fail(change.error(), kCannotStart);
  if (!options->creates) {
    const auto edited = server::edit_file(options->file, *change);
    return edited ? 0 : fail(edited.error(), kCannotStart);
  }
  const auto text = (*change)("");
  if (!text) return fail(text.error(), kCannotStart);
  if (options->file == "-") return show(*text);
  using server::Existing;
  const auto written = server::replace_file(
      options->file, *text, options->overwrites ? Existing::is_replaced : Existing::is_kept);
  return written ? 0 : fail(written.error(), kCannotStart);
}

}  // namespace mq::app

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
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

/// mqbroker passwd: the text that the file is to have.
std::expected<std::string, Error> change_passwords(const cli::PasswdOptions& options,
                                                   std::string_view text) {
  namespace change = server::password_text;
  if (options.hashes_all) {
    auto changed = change::hash_all(text, options.file, options.recipe);
    if (!changed) return std::unexpected(changed.error());
    fmt::print("Hashed {} of the passwords\n", changed->lines);
    return changed->text;
  }
  if (options.deletes) {
    auto changed = change::drop(text, options.user);
    if (changed.lines > 0) return changed.text;
    return std::unexpected(Error{fmt::format("user {} is not in {}", options.user, options.file)});
  }
  const std::expected<std::string, Error> password =
      options.is_batch ? options.password : cli::ask_new_password();
  if (!password) {
    return std::unexpected(Error{"passwd: " + password.error().message + ", nothing is changed"});
  }
  const auto hash = crypto::PasswordHash::make(*password, options.recipe);
  if (!hash) return std::unexpected(hash.error());
  auto changed = change::put(text, options.user, *hash);
  if (options.file != "-") {
    fmt::print("{} password for user {}\n", changed.lines > 0 ? "Updating" : "Adding",
               options.user);
  }
  return changed.text;
}

}  // namespace

int edit_passwords(std::span<char* const> arguments) {
  const auto options = cli::parse_passwd(arguments);
  if (!options) return fail(options.error(), kUsage);
  if (options->wants_help) return show(cli::passwd_help());
  if (options->is_batch) std::memset(arguments.back(), 'x', std::strlen(arguments.back()));
  std::string before;
  if (!options->creates) {
    auto text = server::contents_of(options->file);
    if (!text) return fail({text.error().message + " (-c makes a new file)"}, kCannotStart);
    before = *std::move(text);
  } else if (!options->overwrites && std::filesystem::exists(options->file)) {
    return fail({options->file + " is there already (-f replaces it, without -c it is changed)"},
                kCannotStart);
  }
  const auto after = change_passwords(*options, before);
  if (!after) return fail(after.error(), kCannotStart);
  if (options->creates && options->file == "-") return show(*after);
  const bool may_replace = !options->creates || options->overwrites;
  using server::Existing;
  const auto written = server::replace_file(
      options->file, *after, may_replace ? Existing::is_replaced : Existing::is_kept);
  return written ? 0 : fail(written.error(), kCannotStart);
}

}  // namespace mq::app

#include "cli/passwd_options.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/help.hpp"
#include "cli/number.hpp"

namespace mq::cli {

namespace {

constexpr std::string_view kUsage =
    "mqbroker passwd adds a user to a password file, or changes the password, which\n"
    "it asks for. A file that is not there yet needs -c.\n"
    "\n"
    "  mqbroker passwd [-c [-f]] [-H HASH] [-I NUMBER] FILE USER\n"
    "  mqbroker passwd -b [-c [-f]] [-H HASH] [-I NUMBER] FILE USER PASSWORD\n"
    "  mqbroker passwd -D FILE USER\n"
    "  mqbroker passwd -U [-H HASH] [-I NUMBER] FILE\n"
    "\n";

using O = PasswdOptions;
using V = std::string_view;
using crypto::HashKind;

constexpr std::size_t kLongestName = 65'535;

template <bool O::* Member>
Verdict turn_on(O& options, V) {
  options.*Member = true;
  return {};
}

Verdict set_hash(O& options, V value) {
  constexpr std::array<std::pair<V, HashKind>, 3> kKinds{
      {{"sha512", HashKind::sha512},
       {"sha512-pbkdf2", HashKind::sha512_pbkdf2},
       {"argon2id", HashKind::argon2id}}};
  const auto* kind = std::ranges::find(kKinds, value, &std::pair<V, HashKind>::first);
  if (kind == kKinds.end()) return wrong("must be sha512-pbkdf2, argon2id or sha512");
  options.recipe.kind = kind->second;
  return {};
}

Verdict set_iterations(O& options, V value) {
  const auto number = parse_number<std::uint32_t>(value, 1, INT_MAX);
  if (!number) return wrong("must be a number from 1 to 2147483647");
  options.recipe.iterations = *number;
  return {};
}

constexpr std::array<OptionRow<O>, 8> kTable{{
    {{"batch", 'b', "", "", "take the password from the command line, where ps may show it"},
     turn_on<&O::is_batch>},
    {{"create", 'c', "", "", "make the file, or with - for FILE print what would be in it"},
     turn_on<&O::creates>},
    {{"delete", 'D', "", "", "remove USER"}, turn_on<&O::deletes>},
    {{"force", 'f', "", "", "with -c, replace a file that is there"}, turn_on<&O::overwrites>},
    {{"hash", 'H', "HASH", "sha512-pbkdf2", "sha512-pbkdf2, argon2id or sha512"}, set_hash},
    {{"help", 'h', "", "", "show this text and exit"}, turn_on<&O::wants_help>},
    {{"iterations", 'I', "NUMBER", "100000", "how much work a guess is, with sha512-pbkdf2"},
     set_iterations},
    {{"update", 'U', "", "", "hash all passwords in FILE that are plain text"},
     turn_on<&O::hashes_all>},
}};

/// What keeps a name from being one in a password file; nullptr: nothing.
const char* objection_to(V user) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (user.empty() || user.size() > kLongestName) return "must have 1 to 65535 bytes";
  if (user.contains(':') || std::ranges::any_of(user, is_control)) {
    return "must have no colon and no control characters";
  }
  if (user.starts_with('#')) return "must not begin with #, which begins comments";
  if (user.starts_with(' ') || user.ends_with(' ')) return "must not begin or end with a blank";
  return nullptr;
}

Error misuse(const std::string& words) {
  return {"passwd: " + words + "; mqbroker passwd --help shows how"};
}

}  // namespace

std::expected<PasswdOptions, Error> parse_passwd(std::span<char* const> arguments) {
  std::vector<std::string> operands;
  auto options = apply(std::span<const OptionRow<O>>(kTable), O{}, arguments, &operands);
  if (!options || options->wants_help) return options;
  if (options->deletes + options->hashes_all + (options->creates || options->is_batch) > 1) {
    return std::unexpected(misuse("-D, -U, and -c with -b are three different things"));
  }
  if (options->overwrites && !options->creates) {
    return std::unexpected(misuse("-f is about -c, which is missing"));
  }
  const std::size_t wanted = options->hashes_all ? 1 : options->is_batch ? 3 : 2;
  if (operands.size() != wanted) {
    constexpr std::array<const char*, 3> kWanted{"FILE and nothing else", "FILE and USER",
                                                 "FILE, USER and PASSWORD"};
    return std::unexpected(misuse(std::string("it takes ") + kWanted[wanted - 1]));
  }
  options->file = operands[0];
  if (wanted > 1) options->user = operands[1];
  if (wanted > 2) options->password = operands[2];
  if (const char* words = wanted > 1 ? objection_to(options->user) : nullptr) {
    return std::unexpected(Error{std::string("passwd: the user's name ") + words});
  }
  if (options->is_batch && options->password.empty()) {
    return std::unexpected(Error{"passwd: the password is empty"});
  }
  return options;
}

std::string passwd_help() {
  return help_text(kUsage, names_of(std::span<const OptionRow<O>>(kTable)));
}

}  // namespace mq::cli

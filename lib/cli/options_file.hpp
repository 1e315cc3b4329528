#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/option.hpp"

namespace mq::cli {

/// The option that names the file.
inline constexpr std::string_view kOptionsFile = "options-file";

/// Where a program looks for options, in this order: its own file, then that of the program whose
/// place it takes.
///
/// config_home, home  XDG_CONFIG_HOME and HOME of the environment; nullptr: it has none
std::vector<std::string> default_options_files(std::string_view program, std::string_view other,
                                               const char* config_home, const char* home);

/// What a file of options says: one on each line, -n value or --name value, where everything behind
/// the first space is the value. Lines that begin with # and empty ones say nothing.
///
/// text   of the file
/// path   for the messages
/// Fails  path, line and what is wrong
std::expected<std::vector<Given>, Error> parse_options_file(std::span<const OptionName> table,
                                                            std::string_view text,
                                                            const std::string& path);

/// What the file says that goes with a command line, but for what that says in another way; see
/// apply_with_file().
std::expected<std::vector<Given>, Error> given_by_file(std::span<const OptionName> table,
                                                       std::span<const Given> command_line,
                                                       std::span<const std::string> default_files);

}  // namespace mq::cli

#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cli/option.hpp"

namespace mq::cli {

/// An option as it stood on the command line, or in a file.
struct Given {
  std::size_t row;          ///< in the table
  std::string value;        ///< empty for a flag
  std::string origin = {};  ///< "file:3: " when it stood in a file
};

/// Reads a command line: --name value, --name=value, -n value, -nvalue, bundled flags -vd, `--`.
/// A value may begin with '-', except where there may be none.
///
/// operands  takes what stands there without an option; nullptr: there must be no such thing
/// Returns  what was given, in that order
/// Fails    one line that names the option and, where there is one, the nearest that exists
std::expected<std::vector<Given>, Error> parse_arguments(
    std::span<const OptionName> table, std::span<char* const> arguments,
    std::vector<std::string>* operands = nullptr);

/// How an option is called in a message: by its letter when it has one.
std::string label(const OptionName& option);

/// An option and the value that it was given, for a message; of a secret one the option only.
std::string shown(const OptionName& option, std::string_view value);

/// Overwrites the values of secret options on a command line that parse_arguments() has read, so
/// that `ps` does not show them.
void wipe_secrets(std::span<const OptionName> table, std::span<char* const> arguments);

}  // namespace mq::cli

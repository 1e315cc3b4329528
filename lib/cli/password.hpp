#pragma once

#include <expected>

#include "base/error.hpp"
#include "cli/connect_options.hpp"

namespace mq::cli {

/// Finds the password where the options say it is: in a file, in the environment; or asks for it
/// where there is a user name, nothing says more, and a person at a terminal can answer, whatever
/// standard input is.
///
/// Fails  a file that cannot be read, a variable that is not set, Ctrl-C
std::expected<void, Error> find_password(ConnectOptions& options);

}  // namespace mq::cli

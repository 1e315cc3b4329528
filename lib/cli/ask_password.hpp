#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"

namespace mq::cli {

/// Reads a password. From a terminal it asks for it, on stderr, and shows nothing.
///
/// input  where it is typed
/// Fails  Ctrl-C
std::expected<std::string, Error> ask_password(const std::string& prompt, int input);

/// The same from stdin, twice, for one that is to be remembered.
///
/// Fails  an empty one, two that differ, the end of the input, Ctrl-C
std::expected<std::string, Error> ask_new_password();

}  // namespace mq::cli

#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"

namespace mq::cli {

/// Reads a password from stdin. On a terminal it asks, on stderr, and shows nothing.
///
/// Fails  Ctrl-C
std::expected<std::string, Error> ask_password(const std::string& prompt);

/// The same, twice, for one that is to be remembered.
///
/// Fails  an empty one, two that differ, the end of the input, Ctrl-C
std::expected<std::string, Error> ask_new_password();

}  // namespace mq::cli

#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"

namespace mq::cli {

/// Reads a password from stdin, twice. On a terminal it asks, on stderr, and shows nothing.
///
/// Fails  an empty one, two that differ, the end of the input, Ctrl-C
std::expected<std::string, Error> ask_password();

}  // namespace mq::cli

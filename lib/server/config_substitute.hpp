#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace mq::server {

/// A value with ${NAME} replaced by that environment variable and ${file:PATH} by what the file
/// holds, so that secrets need not stand in the configuration. $${ stands for ${; whatever else
/// has a $ in it stays as it is.
///
/// Fails  no such variable; a file that cannot be read or holds more than one line
std::expected<std::string, Error> substituted(std::string_view value);

}  // namespace mq::server

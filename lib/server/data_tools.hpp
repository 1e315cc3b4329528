#pragma once

#include <cstdio>
#include <expected>
#include <string>

#include "base/error.hpp"

/// What mqbroker's db commands print: JSON, an object a line.
namespace mq::server {

/// One line: {"ok": whether nothing is wrong, "faults": [what is]}.
///
/// Returns  whether nothing is wrong
/// Fails    the file cannot be read, or is not a broker's
std::expected<bool, Error> print_faults(const std::string& path, std::FILE* out);

/// A line with what the file holds in all, then one for each session.
std::expected<void, Error> print_stats(const std::string& path, std::FILE* out);

/// A line for each thing in the file; "kind" says what it is.
std::expected<void, Error> print_all(const std::string& path, std::FILE* out);

}  // namespace mq::server

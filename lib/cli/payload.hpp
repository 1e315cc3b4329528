#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"
#include "cli/pub_options.hpp"

namespace mq::cli {

/// The whole content of a file.
std::expected<std::string, Error> read_file(const std::string& path);
/// Everything that comes until the end of a descriptor. `name` is for the message.
std::expected<std::string, Error> read_all(int descriptor, const std::string& name);

/// The message that mqpub is to send; empty when its source is lines.
///
/// Fails  a file that cannot be read, standard input without a byte
std::expected<std::string, Error> payload_of(const PubOptions& options, int input);

}  // namespace mq::cli

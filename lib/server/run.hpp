#pragma once

#include <expected>

#include "base/error.hpp"
#include "server/config.hpp"

namespace mq::server {

/// Runs a broker until SIGINT or SIGTERM.
///
/// Fails  what keeps it from starting: a listener, the log or the pid_file that cannot be opened
std::expected<void, Error> run(const Config& config);

}  // namespace mq::server

#pragma once

#include <expected>
#include <functional>

#include "base/error.hpp"
#include "server/config.hpp"

namespace mq::server {

/// Reads the configuration again, as the broker was told to at its start.
using Reread = std::function<std::expected<Config, Error>()>;

/// Runs a broker until SIGINT or SIGTERM.
///
/// reread  called on SIGHUP
/// Fails   what keeps it from starting: a listener, the log or the pid_file that cannot be opened
std::expected<void, Error> run(const Config& config, const Reread& reread);

}  // namespace mq::server

#pragma once

#include <sys/types.h>

#include <vector>

namespace mq::server {

/// The processes on this machine that run a broker, this one not among them.
std::vector<pid_t> brokers_that_run();

}  // namespace mq::server

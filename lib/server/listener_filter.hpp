#pragma once

#include <expected>

#include "base/error.hpp"
#include "base/filter.hpp"
#include "server/config.hpp"

namespace mq::server {

/// What the connections of a listener pass through: the header of a proxy, TLS, the WebSocket;
/// none: nothing.
///
/// Fails  a file that the listener's options name, or an option
std::expected<MakeFilter, Error> filter_for(const Listener& listener);

}  // namespace mq::server

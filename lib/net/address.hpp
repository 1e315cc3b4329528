#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace mq::net {

/// "127.0.0.1" or "::1"; empty for what is neither IPv4 nor IPv6.
std::string text_of(const sockaddr_storage& address);
std::uint16_t port_of(const sockaddr_storage& address);

}  // namespace mq::net

#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace mq::net {

/// "127.0.0.1" or "::1"; empty for what is neither IPv4 nor IPv6.
std::string text_of(const sockaddr_storage& address);
std::uint16_t port_of(const sockaddr_storage& address);
/// Its network, as far as one neighbour has it for himself: an IPv4 address, 64 bits of IPv6.
std::string neighbour_of(const sockaddr_storage& address);
/// The other way round; for a text that is no address, an address that is neither.
sockaddr_storage address_of(const std::string& text, std::uint16_t port);
/// An IPv4 address as such where a socket for both families says "::ffff:127.0.0.1"; any other as
/// it is.
sockaddr_storage unmapped(const sockaddr_storage& address);

/// Where one listens on a host, each address once.
///
/// host   a name or an address; empty: all interfaces
/// Fails  the name is not known, or names no address
std::expected<std::vector<sockaddr_storage>, Error> addresses_of(const std::string& host,
                                                                 std::uint16_t port);

}  // namespace mq::net

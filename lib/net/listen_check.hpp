#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "net/listen_options.hpp"

/// What keeps a broker from listening, as far as that shows before it does.
namespace mq::net {

/// Of these addresses those of a family.
///
/// Fails  there are none
std::expected<std::vector<sockaddr_storage>, Error> of_family(
    std::vector<sockaddr_storage> addresses, Family family);

/// Whether libuv's code says that this machine has no such address, for example because it has no
/// IPv6.
bool is_missing(int code);

/// Why nobody can listen there, in one line.
///
/// code  libuv's
Error cannot_listen(const sockaddr_storage& address, const std::string& interface, int code);

/// Where a listener would be: the host's addresses that this machine has. Nothing listens for that,
/// and the port may be taken by somebody else.
///
/// Fails  the name is not known, none of its addresses of that family is of this machine, or this
///        process may not listen there
std::expected<std::vector<sockaddr_storage>, Error> check_host(const std::string& host,
                                                               std::uint16_t port,
                                                               const ListenOptions& options);

/// Whether only one of them can be listened on, on the same interface.
bool are_in_the_way(const sockaddr_storage& one, const sockaddr_storage& other);

/// Fails  there can be no Unix socket: for want of a directory or a right, or because another file
///        is there
std::expected<void, Error> check_unix_path(const std::string& path);

}  // namespace mq::net

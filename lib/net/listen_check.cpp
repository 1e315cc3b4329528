#include "net/listen_check.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "net/address.hpp"

namespace mq::net {
namespace {

std::string way_out(int code) {
  if (code == UV_EADDRINUSE) {
    return " (is another broker running? choose another port, with -p or for this listener)";
  }
  if (code == UV_EACCES) return " (ports below 1024 are for root: choose a higher one)";
  if (code == UV_EINVAL) return " (a link-local address needs its interface, as in fe80::1%eth0)";
  if (code == UV_EADDRNOTAVAIL) return " (ip address lists those of this machine)";
  return {};
}

/// Whether this process may have a socket there; libuv's code. It does not listen, and keeps nobody
/// else from it.
int try_address(const sockaddr_storage& address, const std::string& interface) {
  const int probe = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return uv_translate_sys_error(errno);
  constexpr int kOn = 1;
  const bool is_v6 = address.ss_family == AF_INET6;
  if (is_v6) setsockopt(probe, IPPROTO_IPV6, IPV6_V6ONLY, &kOn, sizeof(kOn));
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof(kOn));
  const bool is_kept =
      interface.empty() || setsockopt(probe, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                      static_cast<socklen_t>(interface.size())) == 0;
  const socklen_t size = is_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const bool is_bound =
      is_kept && bind(probe, reinterpret_cast<const sockaddr*>(&address), size) == 0;
  const int code = is_bound ? 0 : uv_translate_sys_error(errno);
  close(probe);
  return code;
}

bool is_wildcard(const sockaddr_storage& address) {
  if (address.ss_family != AF_INET6) {
    return reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr == INADDR_ANY;
  }
  return IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

/// What is wrong with a path, in words; empty: nothing.
std::string objection_to(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return uv_strerror(UV_ENAMETOOLONG);
  struct stat status{};
  if (stat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    return "it is a file already, and no socket (move it away)";
  }
  const auto directory = std::filesystem::path(path).parent_path();
  const char* place = directory.empty() ? "." : directory.c_str();
  if (access(place, W_OK | X_OK) == 0) return {};
  return uv_strerror(uv_translate_sys_error(errno));
}

}  // namespace

std::expected<std::vector<sockaddr_storage>, Error> of_family(
    std::vector<sockaddr_storage> addresses, Family family) {
  const std::string named = addresses.empty() ? "nothing" : text_of(addresses[0]);
  std::erase_if(addresses, [family](const sockaddr_storage& address) {
    return family != Family::any && (address.ss_family == AF_INET6) != (family == Family::ipv6);
  });
  if (!addresses.empty()) return addresses;
  return std::unexpected(Error{"cannot listen on " + named + ": that is no " +
                               (family == Family::ipv6 ? "ipv6" : "ipv4") +
                               " address (see socket_domain)"});
}

bool is_missing(int code) {
  return code == UV_EADDRNOTAVAIL || code == UV_EAFNOSUPPORT || code == UV_EPROTONOSUPPORT;
}

Error cannot_listen(const sockaddr_storage& address, const std::string& interface, int code) {
  std::string place = text_of(address) + " port " + std::to_string(port_of(address));
  if (!interface.empty()) place += " of interface " + interface;
  return {"cannot listen on " + place + ": " + uv_strerror(code) + way_out(code)};
}

std::expected<std::vector<sockaddr_storage>, Error> check_host(const std::string& host,
                                                               std::uint16_t port,
                                                               const ListenOptions& options) {
  auto known = addresses_of(host, port);
  if (!known) return std::unexpected(known.error());
  const auto addresses = of_family(*std::move(known), options.family);
  if (!addresses) return std::unexpected(addresses.error());
  std::vector<sockaddr_storage> found;
  for (const auto& address : *addresses) {
    const int code = try_address(address, options.interface);
    if (is_missing(code)) continue;
    if (code != 0 && code != UV_EADDRINUSE) {
      return std::unexpected(cannot_listen(address, options.interface, code));
    }
    found.push_back(address);
  }
  if (!found.empty()) return found;
  const auto& first = addresses->front();
  return std::unexpected(
      cannot_listen(first, options.interface, try_address(first, options.interface)));
}

bool are_in_the_way(const sockaddr_storage& one, const sockaddr_storage& other) {
  if (one.ss_family != other.ss_family || port_of(one) != port_of(other)) return false;
  return is_wildcard(one) || is_wildcard(other) || std::memcmp(&one, &other, sizeof(one)) == 0;
}

std::expected<void, Error> check_unix_path(const std::string& path) {
  const std::string words = objection_to(path);
  if (words.empty()) return {};
  return std::unexpected(Error{"cannot listen on Unix socket " + path + ": " + words});
}

}  // namespace mq::net

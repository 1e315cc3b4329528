#include "net/listen_check.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
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
  if (code == UV_EADDRNOTAVAIL) return " (ip address lists those of this machine)";
  return {};
}

/// Whether this machine has the address; libuv's code. No port is taken for that.
int try_address(sockaddr_storage address) {
  reinterpret_cast<sockaddr_in&>(address).sin_port = 0;
  const int probe = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return uv_translate_sys_error(errno);
  const socklen_t size = address.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const bool is_bound = bind(probe, reinterpret_cast<const sockaddr*>(&address), size) == 0;
  const int code = is_bound ? 0 : uv_translate_sys_error(errno);
  close(probe);
  return code;
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

std::expected<void, Error> check_host(const std::string& host, std::uint16_t port, Family family) {
  auto known = addresses_of(host, port);
  if (!known) return std::unexpected(known.error());
  const auto addresses = of_family(*std::move(known), family);
  if (!addresses) return std::unexpected(addresses.error());
  for (const auto& address : *addresses) {
    if (!is_missing(try_address(address))) return {};
  }
  const auto& first = addresses->front();
  return std::unexpected(cannot_listen(first, {}, try_address(first)));
}

std::expected<void, Error> check_unix_path(const std::string& path) {
  const std::string words = objection_to(path);
  if (words.empty()) return {};
  return std::unexpected(Error{"cannot listen on Unix socket " + path + ": " + words});
}

}  // namespace mq::net

#include "server/systemd.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "base/lazy_function.hpp"
#include "base/printable.hpp"

namespace mq::server {

namespace {

// A broker that systemd has not started does without its library, and all the others that this
// one needs: a megabyte of memory.
constexpr char kSystemd[] = "libsystemd.so.0";
template <class Signature>
using Function = LazyFunction<LazyLibrary<kSystemd>, Signature>;
constinit const Function<decltype(::sd_is_socket)> sd_is_socket("sd_is_socket");
constinit const Function<decltype(::sd_listen_fds)> sd_listen_fds("sd_listen_fds");
constinit const Function<decltype(::sd_notify)> sd_notify("sd_notify");
constinit const Function<decltype(::sd_watchdog_enabled)> sd_watchdog_enabled(
    "sd_watchdog_enabled");

void notify(const char* state) {
  if (std::getenv("NOTIFY_SOCKET") != nullptr) sd_notify(0, state);
}

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    constexpr std::uint32_t kLoopbackNetwork = 127;
    const auto host = ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr);
    return host >> 24U == kLoopbackNetwork;
  }
  return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr) != 0;
}

std::expected<InheritedSocket, Error> described(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (sd_is_socket(descriptor, AF_UNSPEC, SOCK_STREAM, 1) <= 0 ||
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return std::unexpected(Error{fmt::format(
        "systemd has handed over descriptor {}, which is no socket that streams come in by: let "
        "ListenStream= open it, with Accept=no",
        descriptor)});
  }
  InheritedSocket socket{.descriptor = descriptor};
  if (address.ss_family == AF_UNIX) {
    socket.unix_path = reinterpret_cast<const sockaddr_un&>(address).sun_path;
    socket.is_loopback = true;
  } else {
    socket.port = ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    socket.is_loopback = is_loopback(address);
  }
  return socket;
}

}  // namespace

std::expected<std::vector<InheritedSocket>, Error> inherited_sockets() {
  std::vector<InheritedSocket> sockets;
  const int count = std::getenv("LISTEN_FDS") == nullptr ? 0 : sd_listen_fds(1);
  for (int i = 0; i < count; ++i) {
    auto socket = described(SD_LISTEN_FDS_START + i);
    if (!socket) return std::unexpected(socket.error());
    sockets.push_back(*std::move(socket));
  }
  return sockets;
}

std::vector<InheritedSocket> take_sockets(std::vector<InheritedSocket>& sockets,
                                          const Listener& listener) {
  const auto is_for_another = [&listener](const InheritedSocket& socket) {
    if (!listener.unix_path.empty()) return socket.unix_path != listener.unix_path;
    return !socket.unix_path.empty() || socket.port != listener.port;
  };
  const auto first = std::ranges::stable_partition(sockets, is_for_another).begin();
  std::vector<InheritedSocket> taken(std::make_move_iterator(first),
                                     std::make_move_iterator(sockets.end()));
  sockets.erase(first, sockets.end());
  return taken;
}

std::string place_of(const InheritedSocket& socket) {
  return socket.unix_path.empty() ? fmt::format("port {}", socket.port)
                                  : printable(socket.unix_path);
}

void tell_systemd_ready() {
  notify("READY=1");
}

void tell_systemd_stopping() {
  notify("STOPPING=1");
}

void tell_systemd_alive() {
  notify("WATCHDOG=1");
}

std::optional<Millis> watchdog_pause() {
  std::uint64_t limit_us = 0;
  if (std::getenv("WATCHDOG_USEC") == nullptr) return std::nullopt;
  if (sd_watchdog_enabled(0, &limit_us) <= 0) return std::nullopt;
  return Millis(std::max<std::uint64_t>(limit_us / 2000, 1));  // twice within the limit
}

}  // namespace mq::server

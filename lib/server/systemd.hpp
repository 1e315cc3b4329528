#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "server/config.hpp"

/// What systemd does for a service, and what it wants to know of it. Without systemd there are no
/// sockets, there is no watchdog, and nobody hears what is told.
///
/// Spec  sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3)
namespace mq::server {

/// A socket that was opened, and bound, before this process began.
struct InheritedSocket {
  int descriptor = -1;
  std::string unix_path = {};  ///< empty: it is one of TCP
  std::uint16_t port = 0;      ///< of TCP
  bool is_loopback = false;
};

/// To be called once.
///
/// Fails  a socket that cannot be listened on
std::expected<std::vector<InheritedSocket>, Error> inherited_sockets();

/// Takes those out of `sockets` that have the listener's port or path.
std::vector<InheritedSocket> take_sockets(std::vector<InheritedSocket>& sockets,
                                          const Listener& listener);

/// "port 1883", "/run/mq.sock".
std::string place_of(const InheritedSocket& socket);

void tell_systemd_ready();
void tell_systemd_stopping();
void tell_systemd_alive();
/// How often tell_systemd_alive() is to be called; nothing: never.
std::optional<Millis> watchdog_pause();

}  // namespace mq::server

#include <arpa/inet.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "net/address.hpp"
#include "net/broker_handles.hpp"
#include "net/listen_check.hpp"

// Where a broker listens: TCP on all addresses of a name or on none of them, and Unix sockets.

namespace mq::net {
namespace {

constexpr int kBacklog = 4096;
constexpr int kPortAttempts = 8;

Error error_of(const std::string& what, int code) {
  return {what + ": " + uv_strerror(code)};
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

socklen_t size_of(const sockaddr_storage& address) {
  return address.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

int open_socket(int family) {
  return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/// A socket file whose owner is gone.
bool is_stale_socket(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const sockaddr_un address = unix_address(path);
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool is_refused =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      errno == ECONNREFUSED;
  close(probe);
  return is_refused;
}

// These return false, with errno, when it cannot be so.

/// Connections to an address that were closed a moment ago do not keep it from being listened on;
/// and an address of IPv6 is none of IPv4.
bool make_exclusive(int socket, int family) {
  const int yes = 1;
  return setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
         (family != AF_INET6 ||
          setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) == 0);
}

bool keep_to_interface(int socket, const std::string& interface) {
  return interface.empty() || setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                         static_cast<socklen_t>(interface.size())) == 0;
}

/// Says who may use a socket file. Nobody can before it is listened on. Returns libuv's code.
int let_in(const std::string& path, const ListenOptions& options) {
  constexpr auto kSame = static_cast<uid_t>(-1);
  const bool is_given = options.owner || options.group;
  if (is_given &&
      lchown(path.c_str(), options.owner.value_or(kSame), options.group.value_or(kSame)) != 0) {
    return uv_translate_sys_error(errno);
  }
  if (options.mode && chmod(path.c_str(), *options.mode) != 0) return uv_translate_sys_error(errno);
  return 0;
}

}  // namespace

auto BrokerDriver::listen(std::uint16_t listener, const std::string& host, std::uint16_t port,
                          const ListenOptions& options)
    -> std::expected<std::vector<Bound>, Error> {
  auto addresses = addresses_of(host, port);
  if (!addresses) return std::unexpected(addresses.error());
  return listen_on_all(listener, *std::move(addresses), options);
}

auto BrokerDriver::listen_loopback(std::uint16_t listener, std::uint16_t port,
                                   const ListenOptions& options)
    -> std::expected<std::vector<Bound>, Error> {
  std::vector<sockaddr_storage> addresses(2);
  uv_ip4_addr("127.0.0.1", port, reinterpret_cast<sockaddr_in*>(&addresses[0]));
  uv_ip6_addr("::1", port, reinterpret_cast<sockaddr_in6*>(&addresses[1]));
  return listen_on_all(listener, std::move(addresses), options);
}

auto BrokerDriver::listen_on_all(std::uint16_t listener, std::vector<sockaddr_storage> all,
                                 const ListenOptions& options)
    -> std::expected<std::vector<Bound>, Error> {
  const auto addresses = of_family(std::move(all), options.family);
  if (!addresses) return std::unexpected(addresses.error());
  const std::size_t first = listeners_.size();
  for (int attempt = 1;; ++attempt) {
    auto bound = try_addresses(listener, *addresses, options);
    if (bound) return *std::move(bound);
    while (listeners_.size() > first) {
      close_listener(std::move(listeners_.back()));
      listeners_.pop_back();
    }
    // A port that the system chose for the first address may be taken on the second.
    const bool may_differ = port_of(addresses->front()) == 0 && bound.error().code == UV_EADDRINUSE;
    if (may_differ && attempt < kPortAttempts) continue;
    return std::unexpected(
        cannot_listen(bound.error().address, options.interface, bound.error().code));
  }
}

auto BrokerDriver::try_addresses(std::uint16_t listener, std::vector<sockaddr_storage> addresses,
                                 const ListenOptions& options)
    -> std::expected<std::vector<Bound>, NotBound> {
  std::vector<Bound> bound;
  std::optional<NotBound> missing;
  for (sockaddr_storage& address : addresses) {
    if (!bound.empty()) {
      reinterpret_cast<sockaddr_in&>(address).sin_port = htons(bound[0].port);
    }
    auto one = listen_on(listener, address, options);
    if (one) {
      bound.push_back(*one);
    } else if (!is_missing(one.error())) {
      return std::unexpected(NotBound{address, one.error()});
    } else if (!missing) {
      missing = NotBound{address, one.error()};
    }
  }
  if (bound.empty()) return std::unexpected(*missing);
  return bound;
}

auto BrokerDriver::make_listener(std::uint16_t index, const ListenOptions& options)
    -> std::unique_ptr<Listener> {
  auto listener = std::make_unique<Listener>();
  listener->driver = this;
  listener->index = index;
  listener->has_nodelay = options.has_nodelay;
  listener->make_filter = options.make_filter;
  listener->connections_max = options.connections_max;
  if (connection_counts_.size() <= index) {
    connection_counts_.resize(index + 1U);
    listener_labels_.resize(index + 1U);
  }
  return listener;
}

std::expected<void, Error> BrokerDriver::adapt(std::uint16_t listener,
                                               const ListenOptions& options) {
  for (const auto& open : listeners_) {
    if (open->index != listener) continue;
    if (!open->path.empty()) {
      if (const int code = let_in(open->path, options); code != 0) {
        return std::unexpected(error_of("cannot change who may use " + open->path, code));
      }
    }
    open->has_nodelay = options.has_nodelay && !open->is_unix;
    open->connections_max = options.connections_max;
  }
  return {};
}

void BrokerDriver::Listener::shut() {
  // In this order: a socket file that nobody answers at is removed by who comes next.
  if (!path.empty()) unlink(std::exchange(path, {}).c_str());
  if (socket != -1) close(std::exchange(socket, -1));
}

void BrokerDriver::close_listener(std::unique_ptr<Listener> listener) {
  Listener* closed = listener.release();
  uv_close(reinterpret_cast<uv_handle_t*>(&closed->handle),
           [](uv_handle_t* handle) { delete static_cast<Listener*>(handle->data); });
  closed->shut();
}

int BrokerDriver::start(std::unique_ptr<Listener> listener) {
  if (::listen(listener->socket, kBacklog) != 0) return uv_translate_sys_error(errno);
  const int code = uv_poll_init(&loop_, &listener->handle, listener->socket);
  if (code != 0) return code;
  Listener& started = *listeners_.emplace_back(std::move(listener));
  started.handle.data = &started;
  wait_for_connections(started);
  return 0;
}

auto BrokerDriver::listen_on(std::uint16_t index, const sockaddr_storage& address,
                             const ListenOptions& options) -> std::expected<Bound, int> {
  auto listener = make_listener(index, options);
  listener->socket = open_socket(address.ss_family);
  sockaddr_storage actual{};
  socklen_t size = sizeof(actual);
  const bool is_bound =
      listener->socket != -1 && make_exclusive(listener->socket, address.ss_family) &&
      keep_to_interface(listener->socket, options.interface) &&
      bind(listener->socket, reinterpret_cast<const sockaddr*>(&address), size_of(address)) == 0 &&
      getsockname(listener->socket, reinterpret_cast<sockaddr*>(&actual), &size) == 0;
  if (!is_bound) return std::unexpected(uv_translate_sys_error(errno));
  if (const int code = start(std::move(listener)); code != 0) return std::unexpected(code);
  Bound bound{text_of(actual), port_of(actual)};
  listener_labels_[index] = "port " + std::to_string(bound.port);
  return bound;
}

auto BrokerDriver::listen_unix(std::uint16_t index, const std::string& path, ListenOptions options)
    -> std::expected<Bound, Error> {
  if (auto done = check_unix_path(path); !done) return std::unexpected(done.error());
  if (is_stale_socket(path)) unlink(path.c_str());
  options.has_nodelay = false;
  auto listener = make_listener(index, options);
  listener->is_unix = true;
  listener->socket = open_socket(AF_UNIX);
  const sockaddr_un address = unix_address(path);
  int code = 0;
  if (listener->socket != -1 &&
      bind(listener->socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    listener->path = path;
    code = let_in(path, options);
  } else {
    code = uv_translate_sys_error(errno);
  }
  if (code == 0) code = start(std::move(listener));
  if (code != 0) {
    Error error = error_of("cannot listen on Unix socket " + path, code);
    if (code == UV_EADDRINUSE) {
      error.message += " (is another broker running?)";
    }
    return std::unexpected(error);
  }
  listener_labels_[index] = path;
  return Bound{path, 0};
}

auto BrokerDriver::listen_on_descriptor(std::uint16_t index, int descriptor, ListenOptions options)
    -> std::expected<Bound, Error> {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  const bool is_unix = address.ss_family == AF_UNIX;
  options.has_nodelay = options.has_nodelay && !is_unix;
  auto listener = make_listener(index, options);
  listener->is_unix = is_unix;
  listener->socket = descriptor;
  Bound bound{text_of(address), port_of(address)};
  if (is_unix) bound = {reinterpret_cast<const sockaddr_un&>(address).sun_path, 0};
  listener_labels_[index] = is_unix ? bound.address : "port " + std::to_string(bound.port);
  if (const int code = start(std::move(listener)); code != 0) {
    return std::unexpected(
        error_of("cannot listen on the open socket of " + listener_labels_[index], code));
  }
  return bound;
}

}  // namespace mq::net

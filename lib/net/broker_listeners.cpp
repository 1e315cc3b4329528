#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <utility>

#include "net/address.hpp"
#include "net/broker_handles.hpp"
#include "net/listen_check.hpp"

// Where a broker listens: TCP on all addresses of a name or on none of them, and Unix sockets.

namespace mq::net {
namespace {

constexpr int kBacklog = 4096;
constexpr int kPortAttempts = 8;
constexpr std::size_t kLastDescriptors = 16;
constexpr std::uint64_t kRoomEveryMs = 1000;
/// A shortage is over when this part of the connections is gone: not whenever one comes and goes.
constexpr std::size_t kEnoughFree = 16;

Error error_of(const std::string& what, int code) {
  return {what + ": " + uv_strerror(code)};
}

/// descriptor  one that is open
bool is_descriptor_free(int descriptor) {
  const int next = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (next >= 0) close(next);
  return next >= 0;
}

/// A socket file whose owner is gone.
bool is_stale_socket(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool is_refused =
      connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 &&
      errno == ECONNREFUSED;
  close(probe);
  return is_refused;
}

/// Returns libuv's code.
int keep_to_interface(uv_handle_t& handle, const std::string& interface) {
  if (interface.empty()) return 0;
  uv_os_fd_t socket = -1;
  if (const int code = uv_fileno(&handle, &socket); code != 0) return code;
  const int done = setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                              static_cast<socklen_t>(interface.size()));
  return done == 0 ? 0 : uv_translate_sys_error(errno);
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
    open->has_nodelay = options.has_nodelay && open->handle.type == UV_TCP;
    open->connections_max = options.connections_max;
  }
  return {};
}

bool BrokerDriver::is_full(const Listener& listener) const {
  return listener.connections_max > 0 &&
         connection_counts_[listener.index] >= listener.connections_max;
}

void BrokerDriver::turn_away(Peer& peer) {
  if (fact_sink_) {
    fact_sink_(broker::fact::Ended{{},
                                   {},
                                   broker::fact::End::broken,
                                   {},
                                   "its listener has as many connections as max_connections says"},
               label_of(peer) + " on " + listener_labels_[peer.listener]);
  }
  uv_close(&peer.handle, [](uv_handle_t* handle) { delete static_cast<Peer*>(handle->data); });
}

// libuv closes whom it has no descriptor for, with one that it keeps for that, and tells nobody. So
// we look ahead. A new descriptor is the lowest that is free: whether there is another is only
// worth a try for one of the last ones, and when there are about as many connections as when they
// ran out.

void BrokerDriver::look_for_shortage(const Peer& newest) {
  uv_os_fd_t descriptor = -1;
  if (short_at_ > 0 || uv_fileno(&newest.handle, &descriptor) != 0) return;
  const auto count = std::reduce(connection_counts_.begin(), connection_counts_.end());
  const bool is_last = static_cast<std::size_t>(descriptor) + kLastDescriptors >=
                       static_cast<std::size_t>(sysconf(_SC_OPEN_MAX));
  if (!is_last && count + kLastDescriptors < ran_out_at_) return;
  if (is_descriptor_free(descriptor)) return;
  short_at_ = ran_out_at_ = count;
  room_due_ = uv_now(&loop_);
  if (shortage_sink_) shortage_sink_(Shortage::begins);
}

/// Who has most to send above a rate has to go, though not what was read of it already. Whether it
/// is there at all nobody can tell: its end comes behind what is not read.
void BrokerDriver::make_room() {
  if (uv_now(&loop_) < room_due_) return;
  room_due_ = uv_now(&loop_) + kRoomEveryMs;
  if (is_descriptor_free(uv_backend_fd(&loop_))) return;
  std::vector<std::pair<std::size_t, Peer*>> fastest;
  for (Peer* peer : peers_) {
    const auto unread = peer != nullptr && core_.is_above_rate(peer->id) ? unread_of(*peer) : 0;
    if (unread > 0) fastest.emplace_back(unread, peer);
  }
  std::ranges::sort(fastest, std::greater());
  fastest.resize(std::min(fastest.size(), short_at_ / kEnoughFree + 1));
  for (const auto& [unread, peer] : fastest) fail(*peer);
}

void BrokerDriver::look_for_its_end() {
  if (short_at_ == 0) return;
  const auto left = std::reduce(connection_counts_.begin(), connection_counts_.end());
  if (left + short_at_ / kEnoughFree >= short_at_) return;
  short_at_ = 0;
  room_due_ = UINT64_MAX;
  if (shortage_sink_) shortage_sink_(Shortage::ends);
}

void BrokerDriver::close_listener(std::unique_ptr<Listener> listener) {
  Listener* closed = listener.release();
  uv_close(&closed->handle, [](uv_handle_t* h) { delete static_cast<Listener*>(h->data); });
}

auto BrokerDriver::listen_on(std::uint16_t listener, const sockaddr_storage& address,
                             const ListenOptions& options) -> std::expected<Bound, int> {
  auto server = make_listener(listener, options);
  uv_tcp_init_ex(&loop_, &server->tcp, address.ss_family);
  server->handle.data = server.get();
  const unsigned flags = address.ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
  int code = keep_to_interface(server->handle, options.interface);
  if (code == 0) {
    code = uv_tcp_bind(&server->tcp, reinterpret_cast<const sockaddr*>(&address), flags);
  }
  if (code == 0) code = uv_listen(&server->stream, kBacklog, on_connection);
  sockaddr_storage actual{};
  int size = sizeof(actual);
  if (code == 0) {
    code = uv_tcp_getsockname(&server->tcp, reinterpret_cast<sockaddr*>(&actual), &size);
  }
  if (code != 0) {
    close_listener(std::move(server));
    return std::unexpected(code);
  }
  Bound bound;
  bound.address = text_of(actual);
  bound.port = port_of(actual);
  listener_labels_[listener] = "port " + std::to_string(bound.port);
  listeners_.push_back(std::move(server));
  return bound;
}

auto BrokerDriver::listen_unix(std::uint16_t listener, const std::string& path,
                               ListenOptions options) -> std::expected<Bound, Error> {
  if (auto done = check_unix_path(path); !done) return std::unexpected(done.error());
  if (is_stale_socket(path)) unlink(path.c_str());
  options.has_nodelay = false;
  auto server = make_listener(listener, options);
  uv_pipe_init(&loop_, &server->pipe, 0);
  server->path = listener_labels_[listener] = path;
  server->handle.data = server.get();
  int code = uv_pipe_bind(&server->pipe, path.c_str());
  if (code == 0) code = let_in(path, options);
  if (code == 0) code = uv_listen(&server->stream, kBacklog, on_connection);
  if (code != 0) {
    close_listener(std::move(server));
    Error error = error_of("cannot listen on Unix socket " + path, code);
    if (code == UV_EADDRINUSE) {
      error.message += " (is another broker running?)";
    }
    return std::unexpected(error);
  }
  listeners_.push_back(std::move(server));
  return Bound{path, 0};
}

auto BrokerDriver::listen_on_descriptor(std::uint16_t listener, int descriptor,
                                        ListenOptions options) -> std::expected<Bound, Error> {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  const bool is_unix = address.ss_family == AF_UNIX;
  options.has_nodelay = options.has_nodelay && !is_unix;
  auto server = make_listener(listener, options);
  int code = 0;
  Bound bound;
  if (is_unix) {
    uv_pipe_init(&loop_, &server->pipe, 0);
    code = uv_pipe_open(&server->pipe, descriptor);
    bound.address = reinterpret_cast<const sockaddr_un&>(address).sun_path;
    listener_labels_[listener] = bound.address;
  } else {
    uv_tcp_init(&loop_, &server->tcp);
    code = uv_tcp_open(&server->tcp, descriptor);
    bound = {text_of(address), port_of(address)};
    listener_labels_[listener] = "port " + std::to_string(bound.port);
  }
  server->handle.data = server.get();
  if (code == 0) code = uv_listen(&server->stream, kBacklog, on_connection);
  if (code != 0) {
    close_listener(std::move(server));
    return std::unexpected(
        error_of("cannot listen on the open socket of " + listener_labels_[listener], code));
  }
  listeners_.push_back(std::move(server));
  return bound;
}

}  // namespace mq::net

#include "net/broker_driver.hpp"

#include <arpa/inet.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "base/check.hpp"

// Reading: all streams share the pool's memory, and what was read stays there until the turn's
// flush, because what is forwarded refers to it. Writing: one gathering uv_try_write a connection
// and turn; only when the socket is full does a uv_write wait for it, one at a time, and meanwhile
// the core's queue grows.
//
// A connection that the core has ended still gets its last bytes: reading goes on, into nothing,
// since closing a socket with unread input would reset it and could destroy what was sent.

namespace mq::net {

using broker::Closing;
using broker::ConnectionId;
using broker::SendQueue;

namespace {

constexpr int kBacklog = 4096;
constexpr int kPortAttempts = 8;
constexpr std::size_t kPiecesPerWrite = 1024;
constexpr int kRoundsPerTurn = 4;
constexpr std::uint64_t kLingerMs = 2000;

Error error_of(const std::string& what, int code) {
  return {what + ": " + uv_strerror(code)};
}

std::string address_of(const sockaddr_storage& storage, std::uint16_t& port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    uv_ip4_name(&in, text.data(), text.size());
    port = ntohs(in.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(storage);
    uv_ip6_name(&in, text.data(), text.size());
    port = ntohs(in.sin6_port);
  }
  return text.data();
}

std::uint16_t port_of(const sockaddr_storage& address) {
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::string way_out(int code) {
  if (code == UV_EADDRINUSE) {
    return " (is another broker running? choose another port, with -p or for this listener)";
  }
  if (code == UV_EACCES) return " (ports below 1024 are for root: choose a higher one)";
  return {};
}

/// This machine has no such address, for example because it has no IPv6.
bool is_missing(int code) {
  return code == UV_EADDRNOTAVAIL || code == UV_EAFNOSUPPORT || code == UV_EPROTONOSUPPORT;
}

/// A socket file whose owner is gone.
bool is_stale_socket(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return false;
  path.copy(address.sun_path, path.size());
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool is_refused =
      connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 &&
      errno == ECONNREFUSED;
  close(probe);
  return is_refused;
}

}  // namespace

struct BrokerDriver::Listener {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  BrokerDriver* driver;
  std::uint16_t index;
  bool has_nodelay = false;
  std::string label;
};

struct BrokerDriver::NotBound {
  sockaddr_storage address;
  int code;  ///< libuv's
};

struct BrokerDriver::Peer {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  BrokerDriver* driver;
  ConnectionId id;
  bool is_writing = false;
  bool is_ending = false;
  bool is_tail_read = false;  ///< the buffer under way is the core's own
  std::uint64_t ends_by = 0;
  SendQueue rest;
};

struct BrokerDriver::Write {
  uv_write_t request;
  Peer* peer;
  std::size_t size;
};

struct BrokerDriver::Signal {
  uv_signal_t handle;
  std::function<void()> handler;
};

BrokerDriver::BrokerDriver(broker::Core& core, FactSink facts, OpenSink opened)
    : core_(core), fact_sink_(std::move(facts)), open_sink_(std::move(opened)) {
  MQ_CHECK(uv_loop_init(&loop_) == 0);
  uv_check_init(&loop_, &check_);
  uv_timer_init(&loop_, &timer_);
  uv_idle_init(&loop_, &idle_);
  check_.data = timer_.data = idle_.data = this;
  uv_check_start(&check_, on_check);
  on_signal(SIGINT, [this] { stop(); });
  on_signal(SIGTERM, [this] { stop(); });
}

BrokerDriver::~BrokerDriver() {
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) {
        if (!uv_is_closing(handle)) uv_close(handle, nullptr);
      },
      nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  MQ_CHECK(uv_loop_close(&loop_) == 0);
}

Now BrokerDriver::now() const {
  uv_timeval64_t wall{};
  uv_gettimeofday(&wall);
  return {Instant(Millis(uv_now(&loop_))),
          WallTime(std::chrono::microseconds(wall.tv_sec * 1'000'000 + wall.tv_usec))};
}

auto BrokerDriver::listen(std::uint16_t listener, const std::string& host, std::uint16_t port,
                          ListenOptions options) -> std::expected<std::vector<Bound>, Error> {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  uv_getaddrinfo_t request;
  if (const int code =
          uv_getaddrinfo(&loop_, &request, nullptr, host.empty() ? nullptr : host.c_str(),
                         std::to_string(port).c_str(), &hints);
      code != 0) {
    return std::unexpected(error_of("cannot listen on " + host, code));
  }
  std::vector<sockaddr_storage> addresses;
  for (const addrinfo* info = request.addrinfo; info != nullptr; info = info->ai_next) {
    sockaddr_storage address{};
    std::copy_n(reinterpret_cast<const Byte*>(info->ai_addr), info->ai_addrlen,
                reinterpret_cast<Byte*>(&address));
    const bool is_known = std::ranges::any_of(addresses, [&address](const auto& known) {
      return std::memcmp(&known, &address, sizeof(address)) == 0;
    });
    if (!is_known) addresses.push_back(address);
  }
  uv_freeaddrinfo(request.addrinfo);
  return listen_on_all(listener, std::move(addresses), options);
}

auto BrokerDriver::listen_loopback(std::uint16_t listener, std::uint16_t port,
                                   ListenOptions options)
    -> std::expected<std::vector<Bound>, Error> {
  std::vector<sockaddr_storage> addresses(2);
  uv_ip4_addr("127.0.0.1", port, reinterpret_cast<sockaddr_in*>(&addresses[0]));
  uv_ip6_addr("::1", port, reinterpret_cast<sockaddr_in6*>(&addresses[1]));
  return listen_on_all(listener, std::move(addresses), options);
}

auto BrokerDriver::listen_on_all(std::uint16_t listener, std::vector<sockaddr_storage> addresses,
                                 ListenOptions options)
    -> std::expected<std::vector<Bound>, Error> {
  std::erase_if(addresses, [&options](const sockaddr_storage& address) {
    return options.family != Family::any &&
           (address.ss_family == AF_INET6) != (options.family == Family::ipv6);
  });
  if (addresses.empty()) return std::unexpected(Error{"cannot listen: no address of the family"});
  const std::size_t first = listeners_.size();
  for (int attempt = 1;; ++attempt) {
    auto bound = try_addresses(listener, addresses, options);
    if (bound) return *std::move(bound);
    while (listeners_.size() > first) {
      close_listener(std::move(listeners_.back()));
      listeners_.pop_back();
    }
    // A port that the system chose for the first address may be taken on the second.
    const bool may_differ = port_of(addresses[0]) == 0 && bound.error().code == UV_EADDRINUSE;
    if (may_differ && attempt < kPortAttempts) continue;
    const NotBound& failure = bound.error();
    std::uint16_t port = 0;
    const std::string host = address_of(failure.address, port);
    return std::unexpected(Error{"cannot listen on " + host + " port " + std::to_string(port) +
                                 ": " + uv_strerror(failure.code) + way_out(failure.code)});
  }
}

auto BrokerDriver::try_addresses(std::uint16_t listener, std::vector<sockaddr_storage> addresses,
                                 ListenOptions options)
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

void BrokerDriver::close_listener(std::unique_ptr<Listener> listener) {
  Listener* closed = listener.release();
  uv_close(&closed->handle, [](uv_handle_t* h) { delete static_cast<Listener*>(h->data); });
}

auto BrokerDriver::listen_on(std::uint16_t listener, const sockaddr_storage& address,
                             ListenOptions options) -> std::expected<Bound, int> {
  auto server = std::make_unique<Listener>();
  uv_tcp_init(&loop_, &server->tcp);
  server->driver = this;
  server->index = listener;
  server->has_nodelay = options.has_nodelay;
  server->handle.data = server.get();
  const unsigned flags = address.ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
  int code = uv_tcp_bind(&server->tcp, reinterpret_cast<const sockaddr*>(&address), flags);
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
  bound.address = address_of(actual, bound.port);
  server->label = "port " + std::to_string(bound.port);
  listeners_.push_back(std::move(server));
  return bound;
}

auto BrokerDriver::listen_unix(std::uint16_t listener, const std::string& path)
    -> std::expected<Bound, Error> {
  if (is_stale_socket(path)) unlink(path.c_str());
  auto server = std::make_unique<Listener>();
  uv_pipe_init(&loop_, &server->pipe, 0);
  server->driver = this;
  server->index = listener;
  server->label = path;
  server->handle.data = server.get();
  int code = path.size() < sizeof(sockaddr_un::sun_path) ? uv_pipe_bind(&server->pipe, path.c_str())
                                                         : UV_ENAMETOOLONG;
  if (code == 0) code = uv_listen(&server->stream, kBacklog, on_connection);
  if (code != 0) {
    close_listener(std::move(server));
    Error error = error_of("cannot listen on Unix socket " + path, code);
    if (code == UV_EADDRINUSE) {
      error.message += " (is another broker running? if it is a file of yours, move it away)";
    }
    return std::unexpected(error);
  }
  listeners_.push_back(std::move(server));
  return Bound{path, 0};
}

void BrokerDriver::run() {
  uv_update_time(&loop_);
  arm_timer();
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void BrokerDriver::stop() {
  if (is_stopping_) return;
  is_stopping_ = true;
  for (auto& listener : listeners_) uv_close(&listener->handle, nullptr);
  core_.shut_down(now());
  flush();
  for (auto& signal : signals_) {
    uv_close(reinterpret_cast<uv_handle_t*>(&signal->handle), nullptr);
  }
  if (ending_.empty()) uv_stop(&loop_);
}

void BrokerDriver::on_signal(int signal, std::function<void()> handler) {
  auto& added = signals_.emplace_back(std::make_unique<Signal>());
  added->handler = std::move(handler);
  uv_signal_init(&loop_, &added->handle);
  added->handle.data = added.get();
  uv_signal_start(
      &added->handle,
      [](uv_signal_t* handle, int) { static_cast<Signal*>(handle->data)->handler(); }, signal);
}

void BrokerDriver::on_connection(uv_stream_t* server, int status) {
  if (status != 0) return;
  auto& listener = *static_cast<Listener*>(server->data);
  auto& driver = *listener.driver;
  auto* peer = new Peer{};
  peer->driver = &driver;
  if (server->type == UV_TCP) {
    uv_tcp_init(&driver.loop_, &peer->tcp);
  } else {
    uv_pipe_init(&driver.loop_, &peer->pipe, 0);
  }
  peer->handle.data = peer;
  if (uv_accept(server, &peer->stream) != 0) {
    uv_close(&peer->handle, [](uv_handle_t* h) { delete static_cast<Peer*>(h->data); });
    return;
  }
  if (listener.has_nodelay) uv_tcp_nodelay(&peer->tcp, 1);
  peer->id = driver.core_.on_open(listener.index, driver.now());
  if (driver.peers_.size() <= peer->id.slot) driver.peers_.resize(peer->id.slot + 1);
  driver.peers_[peer->id.slot] = peer;
  if (driver.open_sink_) driver.open_sink_(driver.label_of(*peer), listener.label);
  uv_read_start(&peer->stream, on_alloc, on_read);
}

void BrokerDriver::on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  auto& peer = *static_cast<Peer*>(handle->data);
  auto& driver = *peer.driver;
  auto room = peer.is_ending ? std::span<Byte>() : driver.core_.tail(peer.id);
  peer.is_tail_read = !room.empty();
  if (!peer.is_tail_read) room = driver.pool_.room();
  *buffer = uv_buf_init(reinterpret_cast<char*>(room.data()), static_cast<unsigned>(room.size()));
}

void BrokerDriver::on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  auto& peer = *static_cast<Peer*>(stream->data);
  auto& driver = *peer.driver;
  if (size == 0) return;
  if (peer.is_ending) {
    if (size < 0) driver.destroy(peer);
    return;
  }
  if (size < 0) return driver.fail(peer);
  const auto length = static_cast<std::size_t>(size);
  if (peer.is_tail_read) {
    driver.core_.on_tail(peer.id, length, driver.now());
  } else {
    driver.pool_.use(length);
    driver.core_.on_bytes(peer.id, {reinterpret_cast<const Byte*>(buffer->base), length},
                          driver.now());
  }
  if (driver.pool_.is_full()) driver.flush();
}

void BrokerDriver::on_check(uv_check_t* check) {
  static_cast<BrokerDriver*>(check->data)->flush();
}

void BrokerDriver::on_timer(uv_timer_t* timer) {
  auto& driver = *static_cast<BrokerDriver*>(timer->data);
  driver.core_.on_deadline(driver.now());
  driver.end_overdue();
  driver.flush();
}

void BrokerDriver::flush() {
  // Who has taken everything may be given more at once, but not for ever.
  for (int round = 0; round < kRoundsPerTurn && core_.has_dirty(); ++round) {
    for (const ConnectionId id : core_.take_dirty()) {
      if (Peer* peer = find(id)) write_some(*peer);
    }
  }
  tell_facts();
  for (Closing& closing : core_.take_closing()) {
    if (Peer* peer = find(closing.connection)) end(*peer, std::move(closing.rest));
  }
  core_.end_turn();
  for (Peer* peer : ending_) peer->rest.keep();
  for (Peer* peer : std::exchange(stalled_, {})) write_rest(*peer);
  pool_.reset();
  arm_timer();
}

SendQueue* BrokerDriver::queue_of(Peer& peer) {
  return peer.is_ending ? &peer.rest : core_.output(peer.id);
}

void BrokerDriver::write_some(Peer& peer) {
  SendQueue* queue = queue_of(peer);
  if (peer.is_writing || queue == nullptr) return;
  std::array<ByteView, kPiecesPerWrite> pieces;
  std::array<uv_buf_t, kPiecesPerWrite> buffers;
  while (!queue->empty()) {
    const auto count = queue->gather(pieces);
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      auto* data = const_cast<char*>(reinterpret_cast<const char*>(pieces[i].data()));
      buffers[i] = uv_buf_init(data, static_cast<unsigned>(pieces[i].size()));
      size += pieces[i].size();
    }
    const int sent = uv_try_write(&peer.stream, buffers.data(), static_cast<unsigned>(count));
    if (sent < 0 && sent != UV_EAGAIN) return fail(peer);
    if (sent > 0) queue->sent(static_cast<std::size_t>(sent));
    if (sent < 0 || static_cast<std::size_t>(sent) < size) {
      stalled_.push_back(&peer);
      return;
    }
  }
  on_all_sent(peer);
}

void BrokerDriver::write_rest(Peer& peer) {
  SendQueue* queue = queue_of(peer);
  if (queue == nullptr || queue->empty() || peer.is_writing || uv_is_closing(&peer.handle)) return;
  std::array<ByteView, kPiecesPerWrite> pieces;
  std::array<uv_buf_t, kPiecesPerWrite> buffers;
  const auto count = queue->gather(pieces);
  auto* write = new Write{{}, &peer, 0};
  for (std::size_t i = 0; i < count; ++i) {
    auto* data = const_cast<char*>(reinterpret_cast<const char*>(pieces[i].data()));
    buffers[i] = uv_buf_init(data, static_cast<unsigned>(pieces[i].size()));
    write->size += pieces[i].size();
  }
  peer.is_writing = true;
  write->request.data = write;
  const int code = uv_write(&write->request, &peer.stream, buffers.data(),
                            static_cast<unsigned>(count), on_written);
  MQ_CHECK(code == 0);
}

void BrokerDriver::on_written(uv_write_t* request, int status) {
  const std::unique_ptr<Write> write(static_cast<Write*>(request->data));
  Peer& peer = *write->peer;
  auto& driver = *peer.driver;
  peer.is_writing = false;
  if (uv_is_closing(&peer.handle)) return;
  if (status != 0) return driver.fail(peer);
  SendQueue* queue = driver.queue_of(peer);
  if (queue == nullptr) return;
  queue->sent(write->size);
  if (queue->empty()) {
    driver.on_all_sent(peer);
  } else {
    driver.write_some(peer);
  }
}

void BrokerDriver::on_all_sent(Peer& peer) {
  if (!peer.is_ending) {
    core_.on_drained(peer.id, now());
    return;
  }
  auto* request = new uv_shutdown_t;
  uv_shutdown(request, &peer.stream, [](uv_shutdown_t* done, int) { delete done; });
}

void BrokerDriver::end(Peer& peer, SendQueue rest) {
  peer.is_ending = true;
  peers_[peer.id.slot] = nullptr;
  peer.rest = std::move(rest);
  peer.ends_by = uv_now(&loop_) + kLingerMs;
  ending_.push_back(&peer);
  if (peer.rest.empty()) {
    destroy(peer);
  } else {
    write_some(peer);
  }
}

void BrokerDriver::fail(Peer& peer) {
  if (!peer.is_ending) {
    core_.on_close(peer.id, now());
    tell_facts();
    peers_[peer.id.slot] = nullptr;
  }
  destroy(peer);
}

void BrokerDriver::destroy(Peer& peer) {
  if (uv_is_closing(&peer.handle)) return;
  std::erase(ending_, &peer);
  std::erase(stalled_, &peer);
  uv_close(&peer.handle, [](uv_handle_t* handle) {
    auto* gone = static_cast<Peer*>(handle->data);
    auto& driver = *gone->driver;
    delete gone;
    if (driver.is_stopping_ && driver.ending_.empty()) uv_stop(&driver.loop_);
  });
}

void BrokerDriver::end_overdue() {
  for (Peer* peer : std::vector<Peer*>(ending_)) {
    if (peer->ends_by <= uv_now(&loop_)) destroy(*peer);
  }
}

void BrokerDriver::arm_timer() {
  const auto now_ms = uv_now(&loop_);
  const Instant next = core_.next_deadline();
  std::uint64_t at = UINT64_MAX;
  if (next != kNever) at = static_cast<std::uint64_t>(next.time_since_epoch().count());
  for (const Peer* peer : ending_) at = std::min(at, peer->ends_by);
  if (at == UINT64_MAX) {
    uv_timer_stop(&timer_);
  } else if (!uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_)) || at != armed_for_) {
    uv_timer_start(&timer_, on_timer, at > now_ms ? at - now_ms : 0, 0);
    armed_for_ = at;
  }
  if (core_.has_dirty()) {
    uv_idle_start(&idle_, [](uv_idle_t*) {});
  } else {
    uv_idle_stop(&idle_);
  }
}

void BrokerDriver::tell_facts() {
  for (const broker::Fact& fact : core_.take_facts()) {
    if (!fact_sink_) continue;
    const auto id = std::visit(
        [](const auto& f) {
          if constexpr (requires { f.connection; }) {
            return f.connection;
          } else {
            return ConnectionId{};
          }
        },
        fact);
    const Peer* peer = find(id);
    fact_sink_(fact, peer == nullptr ? std::string() : label_of(*peer));
  }
}

BrokerDriver::Peer* BrokerDriver::find(ConnectionId id) const {
  if (id.slot >= peers_.size()) return nullptr;
  Peer* peer = peers_[id.slot];
  return peer != nullptr && peer->id == id ? peer : nullptr;
}

std::string BrokerDriver::label_of(const Peer& peer) {
  if (peer.handle.type != UV_TCP) return "unix socket";
  sockaddr_storage address{};
  int size = sizeof(address);
  if (uv_tcp_getpeername(&peer.tcp, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  std::uint16_t port = 0;
  const std::string text = address_of(address, port);
  const bool is_v6 = address.ss_family == AF_INET6;
  return (is_v6 ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

}  // namespace mq::net

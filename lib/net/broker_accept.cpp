#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "net/broker_handles.hpp"

// Who comes in, and what is done when there is no file descriptor for one more.
//
// Without a descriptor nobody can be taken from the queue, not even to be closed. So one is kept in
// reserve: it is given back, and everybody who waits is taken with it, one after the other, and
// closed. When somebody else was faster (another thread, or the whole machine has no files left),
// or nobody can be taken for another reason, nobody is listened to for a second: the loop would
// find the listener ready again and again.

namespace mq::net {
namespace {

constexpr std::uint64_t kAgainAfterMs = 1000;
/// A shortage is over when so many descriptors are free as this part of the connections would take:
/// not whenever one comes and goes.
constexpr std::size_t kEnoughFree = 16;
constexpr std::size_t kMostTried = 64;
/// So many come before it is somebody else's turn.
constexpr int kMostAccepted = 64;

int open_reserve() {
  return open("/", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
}

bool are_descriptors_free(std::size_t count) {
  std::vector<int> opened;
  count = std::min(count, kMostTried);
  while (opened.size() < count) {
    const int next = open_reserve();
    if (next == -1) break;
    opened.push_back(next);
  }
  std::ranges::for_each(opened, close);
  return opened.size() == count;
}

// Why there is nobody to be taken from a queue.

bool is_short(int error) {
  return error == EMFILE || error == ENFILE;
}
bool is_nobody_there(int error) {
  return error == EAGAIN;
}
/// He was there; others may be.
bool is_gone(int error) {
  return error == EINTR || error == ECONNABORTED;
}

}  // namespace

void BrokerDriver::wait_for_connections(Listener& listener) {
  if (reserve_ == -1) reserve_ = open_reserve();
  uv_poll_start(&listener.handle, UV_READABLE, on_connection);
}

void BrokerDriver::rest(Listener& listener) {
  uv_poll_stop(&listener.handle);
  listen_due_ = std::min(listen_due_, uv_now(&loop_) + kAgainAfterMs);
}

void BrokerDriver::on_connection(uv_poll_t* poll, int status, int) {
  auto& listener = *static_cast<Listener*>(poll->data);
  auto& driver = *listener.driver;
  if (status != 0) return driver.rest(listener);
  for (int turns = kMostAccepted; turns > 0 && listener.socket != -1; --turns) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    const int socket = accept4(listener.socket, reinterpret_cast<sockaddr*>(&address), &size,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket != -1) {
      driver.admit(listener, socket, address);
    } else if (is_short(errno)) {
      driver.begin_shortage();
      if (!driver.make_room()) return driver.turn_all_away(listener);
    } else if (!is_gone(errno)) {
      return is_nobody_there(errno) ? void() : driver.rest(listener);
    }
  }
}

void BrokerDriver::admit(Listener& listener, int socket, const sockaddr_storage& address) {
  auto* peer = new Peer{};
  peer->driver = this;
  if (listener.is_unix) {
    uv_pipe_init(&loop_, &peer->pipe, 0);
    MQ_CHECK(uv_pipe_open(&peer->pipe, socket) == 0);
  } else {
    uv_tcp_init(&loop_, &peer->tcp);  // [MQTT-4.2.0-1]
    MQ_CHECK(uv_tcp_open(&peer->tcp, socket) == 0);
    std::memcpy(&peer->address, &address, sizeof(peer->address));
  }
  peer->handle.data = peer;
  peer->listener = listener.index;
  if (is_full(listener)) return turn_away(*peer);
  ++connection_counts_[listener.index];
  if (listener.has_nodelay) uv_tcp_nodelay(&peer->tcp, 1);
  if (auto filter = listener.make_filter ? listener.make_filter() : nullptr) {
    peer->filtered = std::make_unique<Filtered>();
    peer->filtered->filter = std::move(filter);
  }
  peer->id = core_.on_open(listener.index, now());
  if (peers_.size() <= peer->id.slot) peers_.resize(peer->id.slot + 1);
  peers_[peer->id.slot] = peer;
  pass(peer->id, Passage::opened);
  uv_read_start(&peer->stream, on_alloc, on_read);
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

void BrokerDriver::turn_all_away(Listener& listener) {
  if (reserve_ != -1) close(reserve_);
  int socket = -1;
  bool is_over = false;
  for (int turns = kMostAccepted; turns > 0 && !is_over; --turns) {
    socket = accept4(listener.socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    is_over = socket == -1 && !is_gone(errno);
    if (socket != -1) close(socket);
  }
  if (is_over && !is_nobody_there(errno)) rest(listener);
  reserve_ = open_reserve();
}

std::size_t BrokerDriver::connection_count() const {
  return std::reduce(connection_counts_.begin(), connection_counts_.end());
}

void BrokerDriver::begin_shortage() {
  if (short_at_) return;
  short_at_ = connection_count();
  listen_due_ = std::min(listen_due_, uv_now(&loop_) + kAgainAfterMs);
  if (shortage_sink_) shortage_sink_(Shortage::begins);
}

void BrokerDriver::listen_again() {
  if (uv_now(&loop_) < listen_due_) return;
  listen_due_ = UINT64_MAX;
  for (const auto& listener : listeners_) wait_for_connections(*listener);
  if (!short_at_) return;
  if (are_descriptors_free(*short_at_ / kEnoughFree + 1)) {
    short_at_.reset();
    if (shortage_sink_) shortage_sink_(Shortage::ends);
  } else {
    make_room();
    listen_due_ = uv_now(&loop_) + kAgainAfterMs;
  }
}

void BrokerDriver::look_for_room() {
  if (short_at_ && connection_count() + *short_at_ / kEnoughFree < *short_at_) {
    listen_due_ = uv_now(&loop_);
  }
}

/// Who has most to send above a rate has to go, though not what was read of it already. Whether it
/// is there at all nobody can tell: its end comes behind what is not read.
bool BrokerDriver::make_room() {
  if (uv_now(&loop_) < room_due_) return false;
  room_due_ = uv_now(&loop_) + kAgainAfterMs;
  if (are_descriptors_free(1)) return false;
  std::vector<std::pair<std::size_t, Peer*>> fastest;
  for (Peer* peer : peers_) {
    const auto unread = peer != nullptr && core_.is_above_rate(peer->id) ? unread_of(*peer) : 0;
    if (unread > 0) fastest.emplace_back(unread, peer);
  }
  std::ranges::sort(fastest, std::greater());
  fastest.resize(std::min(fastest.size(), *short_at_ / kEnoughFree + 1));
  for (const auto& [unread, peer] : fastest) fail(*peer);
  return !fastest.empty();
}

}  // namespace mq::net

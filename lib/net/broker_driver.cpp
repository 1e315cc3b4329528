#include "net/broker_driver.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "net/address.hpp"
#include "net/broker_handles.hpp"
#include "net/buffers.hpp"

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

constexpr int kRoundsPerTurn = 4;
constexpr std::uint64_t kLingerMs = 2000;
/// So much is left to libuv at once, which tells when all of it is written.
constexpr std::size_t kRestSize = 256U << 10U;
constexpr std::uint64_t kReadingMs = 10;  ///< into a turn, nobody is read a second time in it

}  // namespace

struct BrokerDriver::Signal {
  uv_signal_t handle;
  std::function<void()> handler;
};

BrokerDriver::BrokerDriver(broker::Core& core, FactSink facts, OpenSink opened)
    : core_(core), fact_sink_(std::move(facts)), open_sink_(std::move(opened)) {
  MQ_CHECK(uv_loop_init(&loop_) == 0);
  uv_check_init(&loop_, &check_);
  uv_timer_init(&loop_, &timer_);
  uv_timer_init(&loop_, &verify_timer_);
  uv_timer_init(&loop_, &watch_timer_);
  uv_idle_init(&loop_, &idle_);
  uv_async_init(&loop_, &store_news_, [](uv_async_t* news) {
    static_cast<BrokerDriver*>(news->data)->take_store_news();
  });
  watch_timer_.data = this;
  check_.data = timer_.data = verify_timer_.data = idle_.data = store_news_.data = this;
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
  if (reserve_ != -1) close(reserve_);
}

Now BrokerDriver::now() const {
  uv_timeval64_t wall{};
  uv_gettimeofday(&wall);
  return {Instant(Millis(uv_now(&loop_))),
          WallTime(std::chrono::microseconds(wall.tv_sec * 1'000'000 + wall.tv_usec))};
}

void BrokerDriver::run() {
  uv_update_time(&loop_);
  flush();
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void BrokerDriver::stop() {
  if (is_stopping_) return;
  is_stopping_ = true;
  for (auto& listener : std::exchange(listeners_, {})) close_listener(std::move(listener));
  short_at_.reset();
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

void BrokerDriver::on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  auto& peer = *static_cast<Peer*>(handle->data);
  auto& driver = *peer.driver;
  if (driver.must_wait(peer) || driver.has_had_its_turn(peer)) {
    *buffer = uv_buf_init(nullptr, 0);  // on_read hears of UV_ENOBUFS
    return;
  }
  auto room = peer.is_ending || peer.filtered ? std::span<Byte>() : driver.core_.tail(peer.id);
  peer.is_tail_read = !room.empty();
  if (!peer.is_tail_read) room = driver.pool_.room();
  *buffer = uv_buf_init(reinterpret_cast<char*>(room.data()), static_cast<unsigned>(room.size()));
}

void BrokerDriver::on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  auto& peer = *static_cast<Peer*>(stream->data);
  auto& driver = *peer.driver;
  if (size == 0 || size == UV_ENOBUFS) return;
  driver.last_read_ = &peer;
  if (peer.is_ending) {
    if (size < 0) driver.destroy(peer);
    return;
  }
  if (size < 0) return driver.fail(peer);
  const auto length = static_cast<std::size_t>(size);
  const ByteView bytes(reinterpret_cast<const Byte*>(buffer->base), length);
  if (peer.filtered) {
    driver.on_filtered_read(peer, bytes);
  } else if (peer.is_tail_read) {
    driver.pass(peer.id, Passage::received, bytes);
    driver.core_.on_tail(peer.id, length, driver.now());
  } else {
    driver.pass(peer.id, Passage::received, bytes);
    driver.pool_.use(length);
    driver.core_.on_bytes(peer.id, bytes, driver.now());
  }
  if (driver.pool_.is_full()) driver.flush();
  driver.pause_if_deaf(*stream);
}

bool BrokerDriver::has_had_its_turn(const Peer& peer) const {
  return last_read_ == &peer && uv_hrtime() / 1'000'000 >= uv_now(&loop_) + kReadingMs;
}

bool BrokerDriver::is_much(const Peer& peer, std::size_t owed) const {
  // TLS answers by itself, too: while nothing is taken, one such answer is enough.
  return owed > core_.unread_max() ||
         (peer.filtered && peer.is_writing && peer.filtered->filter->has_output());
}

void BrokerDriver::pause_if_deaf(uv_stream_t& stream) {
  if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&stream))) return;
  auto& peer = *static_cast<Peer*>(stream.data);
  const auto owed = peer.is_ending ? std::nullopt : core_.owed_bytes(peer.id);
  if (!owed) return;
  peer.is_paused = peer.is_paused || is_much(peer, *owed);
  if (core_.is_store_behind()) hold_back(peer);
  if (!may_read(peer)) uv_read_stop(&stream);
}

void BrokerDriver::on_check(uv_check_t* check) {
  auto& driver = *static_cast<BrokerDriver*>(check->data);
  driver.opening_ns_ = 0;
  driver.last_read_ = nullptr;
  if (driver.is_due_) driver.heed_deadlines();
  driver.flush();
}

void BrokerDriver::on_timer(uv_timer_t* timer) {
  auto& driver = *static_cast<BrokerDriver*>(timer->data);
  driver.heed_deadlines();
  driver.flush();
}

void BrokerDriver::heed_deadlines() {
  look_at_heap();
  listen_again();
  core_.on_deadline(now());
  end_overdue();
}

void BrokerDriver::flush() {
  submit_changes();
  take_verifications();
  heed_throttle();
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
  submit_changes();  // those of this turn's writing, too: nothing else may wake the loop
  if (submitted_ <= stored_) read_on();
  for (Peer* peer : ending_) {
    if (peer->rest) core_.keep(*peer->rest);
  }
  core_.end_turn();
  for (Peer* peer : std::exchange(stalled_, {})) write_rest(*peer);
  pool_.reset();
  arm_timer();
}

SendQueue* BrokerDriver::queue_of(Peer& peer) {
  return peer.is_ending ? peer.rest.get() : core_.output(peer.id);
}

void BrokerDriver::write_some(Peer& peer) {
  if (peer.filtered) return write_filtered(peer);
  SendQueue* queue = queue_of(peer);
  if (peer.is_writing || queue == nullptr) return;
  while (!queue->empty()) {
    const Buffers buffers(*queue);
    const int sent = uv_try_write(&peer.stream, buffers.pieces.data(), buffers.count);
    if (sent < 0 && sent != UV_EAGAIN) return fail(peer);
    if (sent > 0) {
      const auto size = static_cast<std::size_t>(sent);
      if (byte_sink_) [[unlikely]] {
        pass_sent(peer.id, {buffers.pieces.data(), buffers.count}, size);
      }
      queue->sent(size);
    }
    if (sent < 0 || static_cast<std::size_t>(sent) < buffers.size) {
      stalled_.push_back(&peer);
      return;
    }
  }
  on_all_sent(peer);
}

void BrokerDriver::pass_sent(ConnectionId id, std::span<const uv_buf_t> pieces,
                             std::size_t size) const {
  for (const uv_buf_t& piece : pieces) {
    const std::size_t part = std::min(piece.len, size);
    if (part == 0) return;
    byte_sink_(id, Passage::sent, {reinterpret_cast<const Byte*>(piece.base), part});
    size -= part;
  }
}

void BrokerDriver::write_rest(Peer& peer) {
  SendQueue* queue = queue_of(peer);
  if (queue == nullptr || queue->empty() || peer.is_writing || uv_is_closing(&peer.handle)) return;
  Buffers buffers(*queue);
  buffers.cut(kRestSize);
  auto* write = new Write{{}, &peer, buffers.size};
  peer.is_writing = true;
  write->request.data = write;
  if (byte_sink_) pass_sent(peer.id, {buffers.pieces.data(), buffers.count}, buffers.size);
  const int code =
      uv_write(&write->request, &peer.stream, buffers.pieces.data(), buffers.count, on_written);
  MQ_CHECK(code == 0);
}

void BrokerDriver::on_written(uv_write_t* request, int status) {
  const std::unique_ptr<Write> write(static_cast<Write*>(request->data));
  Peer& peer = *write->peer;
  auto& driver = *peer.driver;
  peer.is_writing = false;
  if (uv_is_closing(&peer.handle)) return;
  if (status != 0) return driver.fail(peer);
  if (peer.filtered) {
    peer.filtered->out.clear();
    driver.core_.count_unread(peer.filtered->unread, 0);
    driver.write_filtered(peer);
  } else if (SendQueue* queue = driver.queue_of(peer)) {
    queue->sent(write->size);
    if (queue->empty()) {
      driver.on_all_sent(peer);
    } else {
      driver.write_some(peer);
    }
  } else {  // the core has ended it in this turn: it comes with the rest
    peer.rest_sent = write->size;
  }
  driver.unpause(peer);
  // libuv may call this before it polls: without a flush to come it would sleep on what is owed.
  driver.stay_awake();
}

void BrokerDriver::stay_awake() {
  uv_idle_start(&idle_, [](uv_idle_t*) {});
}

void BrokerDriver::unpause(Peer& peer) {
  if (!peer.is_paused || uv_is_closing(&peer.handle)) return;
  peer.is_paused = is_much(peer, core_.owed_bytes(peer.id).value_or(0));
  if (may_read(peer)) uv_read_start(&peer.stream, on_alloc, on_read);
}

void BrokerDriver::on_all_sent(Peer& peer) {
  unpause(peer);
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
  peer.rest = std::make_unique<SendQueue>(std::move(rest));
  peer.rest->sent(std::exchange(peer.rest_sent, 0));
  peer.ends_by = uv_now(&loop_) + kLingerMs;
  ending_.push_back(&peer);
  // Who is not read will not be told to go on any more: it is read into nothing, from now on.
  peer.is_paused = peer.is_held_back = peer.is_throttled = false;
  peer.is_verified = true;
  uv_read_start(&peer.stream, on_alloc, on_read);
  const bool owes_more = peer.filtered ? peer.filtered->is_open : unsent_of(peer) > 0;
  if (peer.rest->empty() && !owes_more) {
    destroy(peer);
  } else {
    write_some(peer);
  }
}

void BrokerDriver::fail(Peer& peer) {
  if (!peer.is_ending) {
    core_.on_close(peer.id, now(), may_read(peer) ? 0 : unread_of(peer));
    tell_facts();
    peers_[peer.id.slot] = nullptr;
  }
  destroy(peer);
}

void BrokerDriver::destroy(Peer& peer) {
  if (uv_is_closing(&peer.handle)) return;
  --connection_counts_[peer.listener];
  look_for_room();
  std::erase(ending_, &peer);
  std::erase(stalled_, &peer);
  forget_hang_up(peer);
  forget_verifying(peer);
  pass(peer.id, Passage::closed);
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
  at = std::min(at, listen_due_);
  // Not by the timer: libuv would call it again and again before it polls.
  is_due_ = at <= now_ms;
  if (is_due_ || at == UINT64_MAX) {
    uv_timer_stop(&timer_);
  } else if (!uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_)) || at != armed_for_) {
    uv_timer_start(&timer_, on_timer, at - now_ms, 0);
    armed_for_ = at;
  }
  if (is_due_ || core_.has_dirty()) {
    stay_awake();
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
    const auto* ended = std::get_if<broker::fact::Ended>(&fact);
    const bool had_session = ended != nullptr && !ended->client_id.empty();
    const bool may_have_more = peer != nullptr && had_session &&
                               (ended->end == broker::fact::End::taken_over || !may_read(*peer));
    const auto unread = may_have_more ? unread_of(*peer) : 0;
    if (unread > 0) {
      fact_sink_(broker::fact::Unread{id, ended->client_id, unread}, label_of(*peer));
    }
    if (peer == nullptr) {
      fact_sink_(fact, {});
    } else if (std::holds_alternative<broker::fact::Connected>(fact)) {
      if (open_sink_) open_sink_(label_of(*peer), listener_labels_[peer->listener]);
      fact_sink_(fact, label_of(*peer));
    } else {
      fact_sink_(fact, label_of(*peer) + " on " + listener_labels_[peer->listener]);
    }
  }
}

BrokerDriver::Peer* BrokerDriver::find(ConnectionId id) const {
  if (id.slot >= peers_.size()) return nullptr;
  Peer* peer = peers_[id.slot];
  return peer != nullptr && peer->id == id ? peer : nullptr;
}

/// Of no family when it is not known, as of a Unix socket.
sockaddr_storage BrokerDriver::address_of(const Peer& peer) {
  if (peer.filtered) {
    if (const auto place = peer.filtered->filter->place()) {
      return unmapped(net::address_of(place->address, place->port));
    }
  }
  sockaddr_storage address{};
  std::memcpy(&address, &peer.address, sizeof(peer.address));
  return unmapped(address);
}

std::string BrokerDriver::label_of(const Peer& peer) {
  const sockaddr_storage address = address_of(peer);
  if (address.ss_family == AF_UNSPEC) return "unix socket";
  const std::string text = text_of(address);
  const bool is_v6 = address.ss_family == AF_INET6;
  return (is_v6 ? "[" + text + "]" : text) + ":" + std::to_string(port_of(address));
}

}  // namespace mq::net

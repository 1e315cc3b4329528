#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "net/address.hpp"
#include "net/broker_handles.hpp"

// Passwords are verified by libuv's threads, a few at a time, in the order in which they came. Who
// keeps failing waits between two attempts and has one of them at a time, however many connections
// it opens; whose name has not failed there waits for few others, and whose password is known to be
// right for nobody. A connection is not read as long
// as it waits, so it is listened to for its end alone.

namespace mq::net {

using broker::Verdict;
using broker::Verification;

namespace {

/// libuv has four threads, and looking up a name needs one, too.
constexpr std::size_t kMostAtOnce = 3;

}  // namespace

void BrokerDriver::verify_with(Verify verify) {
  verify_ = std::move(verify);
}

void BrokerDriver::take_verifications() {
  for (Verification& asked : core_.take_verifications()) {
    Peer* peer = find(asked.connection);
    if (peer == nullptr) continue;
    MQ_CHECK(verify_ != nullptr);
    if (!verify_(asked)) {
      core_.on_verified(asked.connection, Verdict::right, now());
      continue;
    }
    peer->is_verified = false;
    uv_read_stop(&peer->stream);
    listen_for_hang_up(*peer);
    auto& added = verifying_.emplace_back(std::make_unique<Verifying>());
    added->driver = this;
    added->request.data = added.get();
    added->neighbour = neighbour_of(address_of(*peer));  // one for all on Unix sockets
    added->asked = std::move(asked);
  }
  start_verifying();
}

void BrokerDriver::start_verifying() {
  const Instant now = Instant(Millis(uv_now(&loop_)));
  Instant due = kNever;
  const auto is_busy = [this](const std::string& neighbour) {
    return std::ranges::any_of(verifying_, [&neighbour](const auto& other) {
      return other->is_running && other->neighbour == neighbour;
    });
  };
  std::erase_if(verifying_, [this](const auto& one) {
    return !one->is_running && find(one->asked.connection) == nullptr;  // it has left
  });
  for (const auto& one : verifying_) {
    if (verifying_at_once_ == kMostAtOnce) break;
    if (one->is_running) continue;
    const std::string& name = one->asked.user_name;
    if (const Instant next = brake_.next(one->neighbour, name, now); next > now) {
      due = std::min(due, next);
    } else if (!brake_.is_slowed(one->neighbour, name, now) || !is_busy(one->neighbour)) {
      start(*one);
    }
  }
  if (due == kNever) return;
  uv_timer_start(
      &verify_timer_,
      [](uv_timer_t* timer) { static_cast<BrokerDriver*>(timer->data)->start_verifying(); },
      static_cast<std::uint64_t>((due - now).count()), 0);
}

void BrokerDriver::start(Verifying& one) {
  forget_hang_up(*find(one.asked.connection));
  one.is_running = true;
  ++verifying_at_once_;
  one.job = verify_(one.asked);
  if (!one.job) one.job = [] { return true; };  // it has become known while it waited
  const int code = uv_queue_work(
      &loop_, &one.request,
      [](uv_work_t* work) {
        auto& running = *static_cast<Verifying*>(work->data);
        running.is_right = running.job();
      },
      [](uv_work_t* work, int) {
        auto& done = *static_cast<Verifying*>(work->data);
        done.driver->on_verified(done);
      });
  MQ_CHECK(code == 0);
}

void BrokerDriver::listen_for_hang_up(Peer& peer) {
  uv_os_fd_t socket = -1;
  if (uv_fileno(&peer.handle, &socket) != 0) return;
  const int descriptor = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) return;  // there is none left: it waits for its turn
  peer.hang_up = new HangUp{{}, descriptor};
  uv_poll_t& handle = peer.hang_up->handle;
  uv_poll_init(&loop_, &handle, descriptor);
  handle.data = &peer;
  uv_poll_start(&handle, UV_DISCONNECT, [](uv_poll_t* poll, int, int) {
    auto& gone = *static_cast<Peer*>(poll->data);
    gone.driver->fail(gone);
  });
}

void BrokerDriver::forget_hang_up(Peer& peer) {
  HangUp* forgotten = std::exchange(peer.hang_up, nullptr);
  if (forgotten == nullptr) return;
  forgotten->handle.data = forgotten;
  uv_close(reinterpret_cast<uv_handle_t*>(&forgotten->handle), [](uv_handle_t* handle) {
    const std::unique_ptr<HangUp> closed(static_cast<HangUp*>(handle->data));
    close(closed->descriptor);
  });
}

void BrokerDriver::on_verified(Verifying& done) {
  --verifying_at_once_;
  const auto at = std::ranges::find(verifying_, &done, &std::unique_ptr<Verifying>::get);
  const std::unique_ptr<Verifying> owned = std::move(*at);
  verifying_.erase(at);
  if (is_stopping_) return;
  if (done.is_right) {
    brake_.on_success(done.neighbour, done.asked.user_name);
  } else {
    brake_.on_failure(done.neighbour, done.asked.user_name, Instant(Millis(uv_now(&loop_))));
  }
  core_.on_verified(done.asked.connection, done.is_right ? Verdict::right : Verdict::wrong, now());
  if (Peer* peer = find(done.asked.connection)) {
    peer->is_verified = true;
    uv_read_start(&peer->stream, on_alloc, on_read);
    pause_if_deaf(peer->stream);
  }
  flush();
}

}  // namespace mq::net

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
  while (true) {  // what is known may let somebody else in who has to be verified
    auto verifications = core_.take_verifications();
    if (verifications.empty()) return;
    for (Verification& asked : verifications) verify(std::move(asked));
  }
}

void BrokerDriver::verify(Verification asked) {
  Peer* peer = find(asked.connection);
  if (peer == nullptr) return;
  MQ_CHECK(verify_ != nullptr);
  if (!verify_(asked)) return core_.on_verified(asked.connection, Verdict::right, now());
  peer->is_verified = false;
  uv_read_stop(&peer->stream);
  listen_for_hang_up(*peer);
  auto added = std::make_unique<Verifying>();
  added->driver = this;
  added->number = peer->verifying = ++last_verifying_;
  added->request.data = added.get();
  added->neighbour = neighbour_of(address_of(*peer));  // one for all on Unix sockets
  added->name = FailureBrake::name_of(asked.user_name);
  added->asked = std::move(asked);
  start_if_due(*verifying_.emplace(added->number, std::move(added)).first->second);
}

/// Only when somebody's turn may have come: there can be as many as there are connections.
void BrokerDriver::start_verifying() {
  for (const auto& [number, one] : verifying_) {
    if (verifying_now_.size() == kMostAtOnce) return;
    if (!one->is_running) start_if_due(*one);
  }
}

void BrokerDriver::start_if_due(Verifying& one) {
  if (verifying_now_.size() == kMostAtOnce) return;
  if (find(one.asked.connection) == nullptr) return;  // it is ending
  const Instant now = Instant(Millis(uv_now(&loop_)));
  const Instant next = brake_.next(one.neighbour, one.name, now);
  if (next > now) return verify_at(next);
  const bool is_slowed = next != Instant{};
  const bool is_busy = std::ranges::find(verifying_now_, one.neighbour, &Verifying::neighbour) !=
                       verifying_now_.end();
  if (!is_slowed || !is_busy) start(one);
}

void BrokerDriver::verify_at(Instant due) {
  if (verify_due_ <= due) return;
  verify_due_ = due;
  uv_timer_start(
      &verify_timer_,
      [](uv_timer_t* timer) {
        auto& driver = *static_cast<BrokerDriver*>(timer->data);
        driver.verify_due_ = kNever;
        driver.start_verifying();
      },
      static_cast<std::uint64_t>((due - Instant(Millis(uv_now(&loop_)))).count()), 0);
}

void BrokerDriver::forget_verifying(const Peer& peer) {
  const auto known = verifying_.find(peer.verifying);
  if (known != verifying_.end() && !known->second->is_running) verifying_.erase(known);
}

void BrokerDriver::start(Verifying& one) {
  forget_hang_up(*find(one.asked.connection));
  one.is_running = true;
  one.generation = verify_generation_;
  verifying_now_.push_back(&one);
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
  std::erase(verifying_now_, &done);
  const bool is_current = done.generation == verify_generation_ || is_stopping_;
  if (!is_current && find(done.asked.connection) != nullptr) return start(done);
  const auto owned = verifying_.extract(done.number);
  if (is_stopping_) return;
  if (done.is_right) {
    brake_.on_success(done.neighbour, done.name);
  } else {
    brake_.on_failure(done.neighbour, done.name, Instant(Millis(uv_now(&loop_))));
  }
  core_.on_verified(done.asked.connection, done.is_right ? Verdict::right : Verdict::wrong, now());
  if (Peer* peer = find(done.asked.connection)) {
    peer->is_verified = true;
    uv_read_start(&peer->stream, on_alloc, on_read);
    pause_if_deaf(peer->stream);
  }
  start_verifying();
  flush();
}

}  // namespace mq::net

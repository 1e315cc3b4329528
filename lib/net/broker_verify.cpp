#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "net/address.hpp"
#include "net/broker_handles.hpp"

// Passwords are verified by libuv's threads, a few at a time, in the order in which they came. Who
// keeps failing waits between two attempts and has one of them at a time, however many connections
// it opens; whose name has not failed there waits for few others, and whose password is known to be
// right for nobody. A connection is not read as long
// as it waits, so libuv does not tell when it goes: for whoever is slowed we look before each
// attempt, lest those who have gone delay those who have not.

namespace mq::net {

using broker::Verdict;
using broker::Verification;

namespace {

/// libuv has four threads, and looking up a name needs one, too.
constexpr std::size_t kMostAtOnce = 3;

/// Whether the other side has closed its end, be there something left to read or not.
bool has_gone(const uv_handle_t& handle) {
  pollfd socket{-1, POLLRDHUP, 0};
  return uv_fileno(&handle, &socket.fd) == 0 && poll(&socket, 1, 0) == 1;
}

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
    } else if (!brake_.is_slowed(one->neighbour, name, now)) {
      start(*one);
    } else if (!is_busy(one->neighbour)) {
      Peer& peer = *find(one->asked.connection);
      has_gone(peer.handle) ? fail(peer) : start(*one);
    }
  }
  if (due == kNever) return;
  uv_timer_start(
      &verify_timer_,
      [](uv_timer_t* timer) { static_cast<BrokerDriver*>(timer->data)->start_verifying(); },
      static_cast<std::uint64_t>((due - now).count()), 0);
}

void BrokerDriver::start(Verifying& one) {
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

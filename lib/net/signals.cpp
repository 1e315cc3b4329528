#include "net/signals.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include "base/check.hpp"
#include "net/machine.hpp"

namespace mq::net {

namespace {

/// A reader that is merely slow has so long to take what is begun.
constexpr Millis kGrace = Seconds(1);

/// For poll().
int millis_until(Instant end) {
  if (end == kNever) return -1;
  return static_cast<int>(std::clamp<Millis::rep>((end - steady_time()).count(), 0, INT_MAX));
}

}  // namespace

Signals::Signals(Loop& loop, const std::vector<int>& signals, Handler handler)
    : handler_(std::move(handler)), poll_(std::make_unique<uv_poll_t>()) {
  sigset_t heard{};
  sigemptyset(&heard);
  for (const int signal : signals) sigaddset(&heard, signal);
  pthread_sigmask(SIG_BLOCK, &heard, &mask_);
  descriptor_ = signalfd(-1, &heard, SFD_NONBLOCK | SFD_CLOEXEC);
  MQ_CHECK(uv_poll_init(loop.handle(), poll_.get(), descriptor_) == 0);
  poll_->data = this;
  uv_poll_start(poll_.get(), UV_READABLE,
                [](uv_poll_t* of, int, int) { static_cast<Signals*>(of->data)->take(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(poll_.get()));
}

Signals::~Signals() {
  uv_close(reinterpret_cast<uv_handle_t*>(poll_.release()),
           [](uv_handle_t* closed) { delete reinterpret_cast<uv_poll_t*>(closed); });
  close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
}

void Signals::take() {
  signalfd_siginfo signal{};
  while (read(descriptor_, &signal, sizeof(signal)) == sizeof(signal)) {
    give_up_soon();
    handler_(static_cast<int>(signal.ssi_signo));
  }
}

void Signals::give_up_soon() {
  give_up_at_ = std::min(give_up_at_, steady_time() + kGrace);
}

bool Signals::await_writable(int descriptor, Instant by) {
  std::array<pollfd, 2> either{{{.fd = descriptor, .events = POLLOUT, .revents = 0},
                                {.fd = descriptor_, .events = POLLIN, .revents = 0}}};
  while (true) {
    const bool is_ending = give_up_at_ != kNever;
    poll(either.data(), is_ending ? 1 : 2, millis_until(is_ending ? give_up_at_ : by));
    if (either[1].revents != 0 || steady_time() >= by) give_up_soon();
    if (steady_time() >= give_up_at_) return false;
    if (either[0].revents != 0) return true;
  }
}

}  // namespace mq::net

#pragma once

#include <uv.h>

#include <csignal>
#include <functional>
#include <memory>
#include <vector>

#include "base/time.hpp"
#include "net/loop.hpp"

namespace mq::net {

/// The signals that end a program, as calls from the loop, which they do not keep alive. They wait
/// in a descriptor of their own, so that they are also noticed while the loop does not run. Threads
/// that are to leave them alone are begun later.
class Signals {
 public:
  using Handler = std::function<void(int signal)>;

  Signals(Loop& loop, const std::vector<int>& signals, Handler handler);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Waits, and the loop with it, until a descriptor can be written to. Returns false when the
  /// program should rather end: a signal has come, or the time `by`, and a second after that has
  /// not been enough. Signals are left for the loop.
  bool await_writable(int descriptor, Instant by);

 private:
  void take();
  void give_up_soon();

  Handler handler_;
  sigset_t mask_{};  ///< what was blocked before
  int descriptor_;
  std::unique_ptr<uv_poll_t> poll_;
  Instant give_up_at_ = kNever;
};

}  // namespace mq::net

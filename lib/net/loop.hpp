#pragma once

#include <uv.h>

#include <functional>

#include "base/time.hpp"

namespace mq::net {

/// A libuv loop that several drivers may share.
class Loop {
 public:
  Loop();
  /// Closes what is still open.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Until nothing is left to wait for.
  void run();
  /// Until `is_done()`, and what has been closed is. Returns false when something goes on that
  /// cannot be cancelled, the look-up of a name: the destructor would wait for it.
  bool run_until(const std::function<bool()>& is_done);
  /// Read once per turn; both are as old as the loop's own time.
  Now now() const;
  uv_loop_t* handle() { return &loop_; }

 private:
  uv_loop_t loop_{};
  mutable Now now_{};  ///< as it was read last
};

}  // namespace mq::net

#include "net/loop.hpp"

#include "base/check.hpp"

namespace mq::net {

Loop::Loop() {
  MQ_CHECK(uv_loop_init(&loop_) == 0);
}

Loop::~Loop() {
  uv_run(&loop_, UV_RUN_DEFAULT);
  MQ_CHECK(uv_loop_close(&loop_) == 0);
}

void Loop::run() {
  uv_update_time(&loop_);
  uv_run(&loop_, UV_RUN_DEFAULT);
}

bool Loop::run_until(const std::function<bool()>& is_done) {
  uv_update_time(&loop_);
  while (!is_done()) {
    if (uv_run(&loop_, UV_RUN_ONCE) == 0) return true;
  }
  constexpr int kTurnsToClose = 3;
  int turns = 0;
  while (uv_run(&loop_, UV_RUN_NOWAIT) != 0) {
    if (++turns == kTurnsToClose) return false;
  }
  return true;
}

Now Loop::now() const {
  const Instant steady(Millis(uv_now(&loop_)));
  if (steady != now_.steady) {
    uv_timeval64_t wall{};
    uv_gettimeofday(&wall);
    now_ = {steady, WallTime(std::chrono::microseconds(wall.tv_sec * 1'000'000 + wall.tv_usec))};
  }
  return now_;
}

}  // namespace mq::net

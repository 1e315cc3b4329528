#include <utility>

#include "net/broker_handles.hpp"

namespace mq::net {

void BrokerDriver::every(Millis pause, std::function<void()> handler) {
  auto& added = regulars_.emplace_back(std::make_unique<Regular>());
  added->driver = this;
  added->handler = std::move(handler);
  uv_timer_init(&loop_, &added->timer);
  added->timer.data = added.get();
  const auto pause_ms = static_cast<std::uint64_t>(pause.count());
  uv_timer_start(
      &added->timer,
      [](uv_timer_t* timer) {
        auto& regular = *static_cast<Regular*>(timer->data);
        regular.handler();
        regular.driver->stay_awake();  // for what it may have left to be sent
      },
      pause_ms, pause_ms);
}

}  // namespace mq::net

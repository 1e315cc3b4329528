#include <utility>

#include "net/broker_handles.hpp"

namespace mq::net {

void BrokerDriver::every(Millis pause, std::function<void()> handler) {
  auto& added = regulars_.emplace_back(std::make_unique<Regular>());
  added->handler = std::move(handler);
  uv_timer_init(&loop_, &added->timer);
  added->timer.data = added.get();
  const auto pause_ms = static_cast<std::uint64_t>(pause.count());
  uv_timer_start(
      &added->timer, [](uv_timer_t* timer) { static_cast<Regular*>(timer->data)->handler(); },
      pause_ms, pause_ms);
}

}  // namespace mq::net

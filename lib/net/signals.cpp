#include "net/signals.hpp"

#include <utility>

namespace mq::net {

Signals::Signals(Loop& loop, std::initializer_list<int> signals, Handler handler)
    : handler_(std::move(handler)) {
  for (const int signal : signals) {
    auto& handle = handles_.emplace_back(std::make_unique<uv_signal_t>());
    uv_signal_init(loop.handle(), handle.get());
    handle->data = this;
    uv_signal_start(
        handle.get(),
        [](uv_signal_t* of, int number) { static_cast<Signals*>(of->data)->handler_(number); },
        signal);
    uv_unref(reinterpret_cast<uv_handle_t*>(handle.get()));
  }
}

Signals::~Signals() {
  for (auto& handle : handles_) {
    uv_close(reinterpret_cast<uv_handle_t*>(handle.release()),
             [](uv_handle_t* closed) { delete reinterpret_cast<uv_signal_t*>(closed); });
  }
}

}  // namespace mq::net

#pragma once

#include <uv.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "net/loop.hpp"

namespace mq::net {

/// Signals as calls from the loop. They do not keep the loop alive.
class Signals {
 public:
  using Handler = std::function<void(int signal)>;

  Signals(Loop& loop, std::initializer_list<int> signals, Handler handler);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  Handler handler_;
  std::vector<std::unique_ptr<uv_signal_t>> handles_;
};

}  // namespace mq::net

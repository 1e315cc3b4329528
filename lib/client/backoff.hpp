#pragma once

#include <algorithm>

#include "base/prng.hpp"
#include "base/time.hpp"

namespace mq::client {

/// How long to wait before the next attempt: doubled each time, and between half and the whole of
/// it by chance, so that a thousand clients do not come back in the same moment.
class Backoff {
 public:
  Backoff(Millis first, Millis maximum) : first_(first), maximum_(maximum), current_(first) {}

  Millis next(Prng& prng) {
    const Millis whole = std::min(current_, maximum_);
    current_ = std::min(whole * 2, maximum_);
    const auto half = static_cast<std::uint64_t>(whole.count()) / 2;
    return whole - Millis(prng.below(half + 1));
  }

  void reset() { current_ = first_; }

 private:
  Millis first_;
  Millis maximum_;
  Millis current_;
};

}  // namespace mq::client

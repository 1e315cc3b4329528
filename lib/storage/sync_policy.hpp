#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace mq::storage {

/// When what was committed is brought to the disk. Without that it survives the broker's death, and
/// not the machine's.
struct SyncPolicy {
  enum class Kind : std::uint8_t { always, interval, off };
  Kind kind = Kind::always;
  Seconds interval{0};  ///< of Kind::interval: at least so often
  bool operator==(const SyncPolicy&) const = default;
};

}  // namespace mq::storage

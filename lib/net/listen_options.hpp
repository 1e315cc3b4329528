#pragma once

#include <cstdint>

#include "base/filter.hpp"

namespace mq::net {

enum class Family : std::uint8_t { any, ipv4, ipv6 };

/// How the addresses of a listener are chosen and what its connections are like.
struct ListenOptions {
  Family family = Family::any;
  bool has_nodelay = true;      ///< what is written leaves at once (TCP_NODELAY)
  MakeFilter make_filter = {};  ///< what each of them passes through; none, or none made: nothing
};

}  // namespace mq::net

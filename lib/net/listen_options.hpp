#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/filter.hpp"

namespace mq::net {

enum class Family : std::uint8_t { any, ipv4, ipv6 };

/// How the addresses of a listener are chosen and what its connections are like.
struct ListenOptions {
  Family family = Family::any;
  bool has_nodelay = true;      ///< what is written leaves at once (TCP_NODELAY)
  MakeFilter make_filter = {};  ///< what each of them passes through; none, or none made: nothing
  std::size_t connections_max = 0;  ///< at once; 0: any
  std::string interface = {};       ///< only what comes in by it; empty: by any
  // Of a Unix socket; without them it is as the umask and the process have it.
  std::optional<std::uint32_t> mode = {};
  std::optional<std::uint32_t> group = {};
  std::optional<std::uint32_t> owner = {};  ///< who may change that later
};

}  // namespace mq::net

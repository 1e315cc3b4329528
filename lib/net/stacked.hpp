#pragma once

#include "base/filter.hpp"

namespace mq::net {

/// What passes through one filter, and then through another. When one of the two makes nothing,
/// the other is alone.
///
/// outer  the one next to the network
MakeFilter stacked(MakeFilter outer, MakeFilter inner);

}  // namespace mq::net

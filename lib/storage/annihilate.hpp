#pragma once

#include <vector>

#include "storage/change.hpp"

namespace mq::storage {

/// Which changes need not be made, because a later one undoes them, or because they are the one
/// that undoes: a message that was queued and delivered, a packet id that was taken and released.
///
/// Returns  a flag for each change, true: it has no effect
std::vector<bool> annihilated(const std::vector<Change>& changes);

}  // namespace mq::storage

#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"

namespace mq::crypto {

/// Until when the first certificate of a PEM file is good; nothing when there is none.
std::optional<WallTime> certificate_end(const std::string& path);

}  // namespace mq::crypto

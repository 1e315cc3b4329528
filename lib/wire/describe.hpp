#pragma once

#include <string>

#include "base/bytes.hpp"
#include "wire/version.hpp"

namespace mq::wire {

/// One packet in words for a log: its name and what matters of it, "PUBLISH "a/b" (5 bytes, QoS 1,
/// id 1)". No payload, no password; names are quoted(), and of many filters some are shown.
std::string describe(ByteView frame, Version version);

}  // namespace mq::wire

#pragma once

#include <string>

#include "base/bytes.hpp"
#include "wire/skimmer.hpp"
#include "wire/version.hpp"

namespace mq::wire {

/// One packet in words for a log: its name and what matters of it, "PUBLISH "a/b" (5 bytes, QoS 1,
/// id 1)". No payload, no password; names are quoted(), and of many filters some are shown. Of a
/// long packet whose start does not say as much there is only "CONNECT (70000 bytes)".
std::string describe(FrameStart frame, Version version);

}  // namespace mq::wire

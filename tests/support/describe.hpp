#pragma once

#include <string>

#include "wire/packet.hpp"

namespace mq::support {

/// All that a packet says, in one line: two packets are equal when their descriptions are.
std::string describe(const wire::Packet& packet);

}  // namespace mq::support

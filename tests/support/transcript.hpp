#pragma once

#include <string>

#include "wire/packet.hpp"

namespace mq::support {

/// One line that says everything about a packet, for conversations in tests:
/// "PUBLISH a/b q1 id=1 retain {content-type=x} 'hello'".
std::string line_of(const wire::Packet& packet);

}  // namespace mq::support

#pragma once

#include "wire/reason_code.hpp"

namespace mq::wire {

/// A peer's mistake: what to answer it with and which statement it broke.
struct Fault {
  ReasonCode reason = ReasonCode::malformed_packet;
  const char* statement = "";  ///< "MQTT-3.3.1-4", of 5.0 where it has the rule; a section; empty
  const char* words = "";      ///< for the log, lower case, no full stop
};

}  // namespace mq::wire

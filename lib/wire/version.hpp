#pragma once

#include <cstdint>

namespace mq::wire {

/// Protocol version, numbered as CONNECT carries it.
enum class Version : std::uint8_t { v31 = 3, v311 = 4, v5 = 5 };

/// Spec  MQTT 5.0 §4.3
enum class QoS : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

/// There are no others: nobody needs an extension to get along with us [MQTT3-7.0.0-2].
///
/// Spec  MQTT 5.0 §2.1.2; the value is the upper half of a packet's first byte
enum class PacketType : std::uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
  auth,
};

}  // namespace mq::wire

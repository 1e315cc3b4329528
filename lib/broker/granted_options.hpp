#pragma once

#include <cstdint>

#include "wire/version.hpp"

namespace mq::broker {

/// Set in the options of a stored subscription that retained messages are still owed to.
inline constexpr std::uint8_t kRetainedOwed = 0x80;

/// A subscription's options in the byte that the subscription index keeps for us, laid out as in
/// SUBSCRIBE (MQTT 5.0 §3.8.3.1).
struct GrantedOptions {
  wire::QoS qos;
  bool no_local;
  bool retain_as_published;

  static GrantedOptions of(std::uint8_t byte) {
    return {static_cast<wire::QoS>(byte & 3U), (byte & 4U) != 0, (byte & 8U) != 0};
  }
  std::uint8_t byte() const {
    return static_cast<std::uint8_t>(static_cast<unsigned>(qos) | (no_local ? 4U : 0U) |
                                     (retain_as_published ? 8U : 0U));
  }
};

}  // namespace mq::broker

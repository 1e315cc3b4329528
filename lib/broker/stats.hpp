#pragma once

#include <array>
#include <cstdint>

#include "broker/session.hpp"

namespace mq::broker {

/// Counted since the start.
struct Stats {
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t packets_sent = 0;
  std::uint64_t publish_received = 0;
  std::uint64_t publish_sent = 0;
  std::uint64_t publish_bytes_received = 0;
  std::uint64_t publish_bytes_sent = 0;
  std::uint64_t connections = 0;
  std::uint64_t connects = 0;
  std::uint64_t expired_sessions = 0;
  std::uint64_t maximum_sessions = 0;
  std::array<std::uint64_t, kDropKinds> drops{};

  std::uint64_t dropped() const {
    std::uint64_t sum = 0;
    for (const auto count : drops) sum += count;
    return sum;
  }
};

}  // namespace mq::broker

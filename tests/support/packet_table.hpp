#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "wire/packet.hpp"

/// One table of packets for everything that reads or writes them. It is built once and lives as
/// long as the program, so the views in it stay good. What holds for several versions stands there
/// once for each.
namespace mq::support {

inline constexpr std::array kEveryVersion = {wire::Version::v31, wire::Version::v311,
                                             wire::Version::v5};

/// A frame and the packet that it is.
struct GoodPacket {
  std::string_view name;
  wire::Version version;
  std::vector<Byte> bytes;
  wire::Packet packet;
  bool is_canonical;  ///< encode() writes exactly these bytes
};

/// A frame and what is wrong with it.
struct BadPacket {
  std::string_view name;
  wire::Version version;
  std::vector<Byte> bytes;
  wire::ReasonCode reason;
  std::string_view statement;
  std::string_view words;
};

std::span<const GoodPacket> good_packets();
std::span<const BadPacket> bad_packets();

}  // namespace mq::support

#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "cli/console.hpp"
#include "wire/skimmer.hpp"
#include "wire/version.hpp"

namespace mq::cli {

/// What --debug shows: a line for each packet that passes, "sending PUBLISH a/b (5 bytes, QoS 1, id
/// 1)". Reads the same bytes as everybody else, and keeps no more of them than a Skimmer does.
class PacketTrace {
 public:
  PacketTrace(wire::Version version, Notices& notices) : version_(version), notices_(notices) {}

  /// What was begun in the last connection is forgotten.
  void restart();
  void on_sent(ByteView bytes) { show(sent_, "sending", bytes); }
  void on_received(ByteView bytes) { show(received_, "received", bytes); }

 private:
  void show(wire::Skimmer& skimmer, std::string_view direction, ByteView bytes);

  wire::Version version_;
  Notices& notices_;
  wire::Skimmer sent_;
  wire::Skimmer received_;
};

}  // namespace mq::cli

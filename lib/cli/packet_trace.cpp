#include "cli/packet_trace.hpp"

#include <fmt/format.h>

#include "wire/describe.hpp"
#include "wire/framer.hpp"

namespace mq::cli {

void PacketTrace::restart() {
  sent_ = wire::Skimmer();
  received_ = wire::Skimmer();
}

void PacketTrace::show(wire::Skimmer& skimmer, std::string_view direction, ByteView bytes) {
  skimmer.feed(bytes);
  while (true) {
    const auto frame = skimmer.next(wire::kMaximumPacketSize);
    if (!frame) skimmer = wire::Skimmer();  // the core ends the connection
    if (!frame || !*frame) return;
    notices_.trace(fmt::format("{} {}", direction, wire::describe(**frame, version_)));
  }
}

}  // namespace mq::cli

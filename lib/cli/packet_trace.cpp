#include "cli/packet_trace.hpp"

#include <fmt/format.h>

#include "wire/describe.hpp"

namespace mq::cli {

void PacketTrace::restart() {
  sent_ = wire::Framer();
  received_ = wire::Framer();
}

void PacketTrace::show(wire::Framer& framer, std::string_view direction, ByteView bytes) {
  framer.feed(bytes);
  while (true) {
    const auto frame = framer.next(wire::kMaximumPacketSize);
    if (!frame) framer = wire::Framer();  // the core ends the connection
    if (!frame || !*frame) return;
    notices_.trace(fmt::format("{} {}", direction, wire::describe(**frame, version_)));
  }
}

}  // namespace mq::cli

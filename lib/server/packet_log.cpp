#include "server/packet_log.hpp"

#include <fmt/format.h>

#include "base/printable.hpp"
#include "wire/decode.hpp"
#include "wire/describe.hpp"
#include "wire/framer.hpp"
#include "wire/reader.hpp"

namespace mq::server {

using net::BrokerDriver;
using Passage = BrokerDriver::Passage;

namespace {

/// What a CONNECT says of itself behind the name of the protocol.
wire::Version version_of(ByteView start) {
  wire::Reader reader(start);
  reader.byte();
  reader.varint(wire::Reader::Padding::yes);
  reader.binary();
  return static_cast<wire::Version>(reader.byte() & 0x7FU);  // without the bit of a bridge
}

}  // namespace

void PacketLog::on_bytes(broker::ConnectionId id, Passage passage, ByteView bytes) {
  const Key key{id.slot, id.generation};
  if (passage == Passage::opened) {
    const std::size_t limit = limit_();
    clients_.try_emplace(key, Client{.limit = limit == 0 ? wire::kMaximumPacketSize : limit});
  }
  const auto client = clients_.find(key);
  if (client == clients_.end()) return;
  const bool is_over = passage == Passage::closed || !show(client->second, passage, bytes);
  if (is_over) clients_.erase(client);
}

void PacketLog::on_connected(broker::ConnectionId id, std::string_view client_id) {
  const auto client = clients_.find({id.slot, id.generation});
  if (client != clients_.end()) client->second.name = "client " + quoted(client_id);
}

bool PacketLog::show(Client& client, Passage passage, ByteView bytes) {
  const bool is_received = passage == Passage::received;
  wire::Skimmer& skimmer = is_received ? client.received : client.sent;
  skimmer.feed(bytes);
  while (true) {
    const auto frame = skimmer.next(is_received ? client.limit : wire::kMaximumPacketSize);
    if (!frame) return false;  // the core ends the connection
    if (!*frame) return true;
    const ByteView start = (*frame)->bytes;
    if (is_received && wire::packet_type(start) == wire::PacketType::connect) {
      client.version = version_of(start);
    }
    line_(fmt::format("{} {} {} {}.", is_received ? "Received" : "Sent",
                      wire::describe(**frame, client.version), is_received ? "from" : "to",
                      client.name));
  }
}

}  // namespace mq::server

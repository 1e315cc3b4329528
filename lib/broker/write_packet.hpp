#pragma once

#include <algorithm>

#include "broker/core.hpp"
#include "wire/encode.hpp"

namespace mq::broker {

template <class P>
bool Core::fits(const Connection& connection, const P& packet) {
  return wire::encoded_size(packet, connection.version) <= connection.maximum_packet_size;
}

/// Appends a packet to what a connection has to send. An acknowledgement with a reason that the
/// client has no room for is left out.
template <class P>
void Core::send(Connection& connection, const P& packet) {
  const auto size = wire::encoded_size(packet, connection.version);
  if (size > connection.maximum_packet_size) return;  // [MQTT-3.1.2-24]
  wire::encode(packet, connection.version, connection.out.reserve(size, turn_));
  connection.out.append_written(size);
  ++stats_.packets_sent;
  ++connection.unsent_packets;
  stats_.bytes_sent += size;
  mark_dirty(connection);
}

template <class P>
void Core::acknowledge(Connection& connection, const P& packet, storage::Ticket ticket) {
  // [MQTT3-4.6.0-2] [MQTT3-4.6.0-3] [MQTT3-4.6.0-4]
  if (!connection.held.empty()) ticket = std::max(ticket, connection.held.back().ticket);
  if (ticket <= stored_) return send(connection, packet);
  if (!fits(connection, packet)) return;
  Held& held = connection.held.push_back({ticket, {}});
  wire::encode(packet, connection.version, held.bytes);
  connection.held_bytes += sizeof(Held) + held.bytes.size();
  holding_.push_back({ticket, connection.id});
}

}  // namespace mq::broker

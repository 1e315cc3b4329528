#pragma once

#include "broker/core.hpp"
#include "wire/encode.hpp"

namespace mq::broker {

/// Appends a packet to what a connection has to send.
template <class P>
void Core::send(Connection& connection, const P& packet) {
  const auto size = wire::encoded_size(packet, connection.version);
  wire::encode(packet, connection.version, connection.out.reserve(size, turn_));
  connection.out.append_written(size);
  ++stats_.packets_sent;
  stats_.bytes_sent += size;
  mark_dirty(connection);
}

}  // namespace mq::broker

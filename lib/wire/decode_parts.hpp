#pragma once

#include <expected>
#include <utility>

#include "wire/packet.hpp"
#include "wire/reader.hpp"

namespace mq::wire {

// One function per packet. Each takes a reader that stands behind the fixed header, reads what the
// packet has, and leaves faults with the reader. `flags` are the lower four bits of the first byte.

Connect read_connect(Reader& reader, Byte flags);
Connack read_connack(Reader& reader, Byte flags, Version version);
Subscribe read_subscribe(Reader& reader, Byte flags, Version version);
Suback read_suback(Reader& reader, Byte flags, Version version);
Unsubscribe read_unsubscribe(Reader& reader, Byte flags, Version version);
Unsuback read_unsuback(Reader& reader, Byte flags, Version version);

/// What has been read, if all went well and nothing is left over.
template <class P>
std::expected<P, Fault> finish(Reader& reader, P packet) {
  if (!reader.at_end()) reader.fail(fault::kTrailingBytes);
  if (reader.failed()) return std::unexpected(reader.fault());
  return packet;
}

}  // namespace mq::wire

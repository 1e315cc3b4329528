#pragma once

#include <cstddef>
#include <vector>

#include "wire/packet.hpp"

namespace mq::wire {

/// How many bytes encode() writes for `packet`: more than kMaximumPacketSize when there is no such
/// packet, and encode() must not be called.
template <class P>
std::size_t encoded_size(const P& packet, Version version);

/// Writes `packet` to `out`, which has room for encoded_size(packet, version) bytes.
///
/// version  what the version does not have is left out: properties, reason codes, options
/// Returns  the first byte behind it
/// Cost     one pass, no allocation; an acknowledgement without reason and properties takes four
///          bytes, a DISCONNECT two
/// Spec     MQTT 5.0 §2, §3.1-3.15; 3.1.1 §2, §3.1-3.14
template <class P>
Byte* encode(const P& packet, Version version, Byte* out);

/// The same, appended to a vector.
template <class P>
void encode(const P& packet, Version version, std::vector<Byte>& out) {
  const auto start = out.size();
  out.resize(start + encoded_size(packet, version));
  encode(packet, version, out.data() + start);
}

/// Writes everything of a PUBLISH up to its payload, for a payload that is sent from where it is.
/// `packet.payload` must be set: the length in the fixed header counts it.
std::size_t encoded_header_size(const Publish& packet, Version version);
Byte* encode_header(const Publish& packet, Version version, Byte* out);

}  // namespace mq::wire

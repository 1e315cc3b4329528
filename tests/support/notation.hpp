#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace mq::support {

/// Bytes from a notation that shows the fields of a packet:
///
///     10 [ ('MQTT') 04 02 003c ('a') ]
///
/// Pairs of hexadecimal digits are bytes, 'text' stands for its characters, (…) puts the two-byte
/// length of what it holds in front, […] the variable byte one, {…} nothing. Behind any of them, *N
/// repeats it. A notation with a mistake ends the program.
std::vector<Byte> bytes(std::string_view notation);

/// A frame: this first byte, the length of `body`, `body`.
std::vector<Byte> framed(Byte first, ByteView body);

}  // namespace mq::support

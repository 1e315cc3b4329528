#pragma once

#include "wire/property.hpp"
#include "wire/reader.hpp"

namespace mq::wire {

/// Reads one property, its id first. What a number, a string or bytes may be is not looked at.
///
/// Returns  its row of the table; nullptr when `reader` failed
const PropertyRow* read_property(Reader& reader, Property& property);

/// What is wrong with these properties, nullptr when nothing is.
///
/// place  in(PacketType::…) or kInWill
/// Cost   one pass, no allocation
const Fault* properties_fault(ByteView encoded, std::uint16_t place);

/// Reads a property length and the properties behind it and checks each of them.
inline Properties read_properties(Reader& reader, std::uint16_t place) {
  const ByteView encoded = reader.take(reader.varint());
  if (encoded.empty()) return {};
  return reader.passes(properties_fault(encoded, place)) ? Properties(encoded) : Properties();
}

}  // namespace mq::wire

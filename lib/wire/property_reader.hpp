#pragma once

#include "wire/property.hpp"
#include "wire/reader.hpp"

namespace mq::wire {

/// Reads one property, its id first. What a number, a string or bytes may be is not looked at.
///
/// Returns  its row of the table; nullptr when `reader` failed
const PropertyRow* read_property(Reader& reader, Property& property);

/// Reads a property length and the properties behind it and checks each of them.
///
/// place  in(PacketType::…) or kInWill
/// Cost   one pass, no allocation
Properties read_properties(Reader& reader, std::uint16_t place);

}  // namespace mq::wire

#include "wire/property_reader.hpp"

namespace mq::wire {

namespace {

using enum PropertyId;

/// Which properties have been seen; ids are below 64.
class IdSet {
 public:
  bool contains(PropertyId id) const { return (bits_ & bit(id)) != 0; }
  void put(PropertyId id) { bits_ |= bit(id); }

 private:
  static std::uint64_t bit(PropertyId id) {
    return std::uint64_t{1} << static_cast<std::uint8_t>(id);
  }

  std::uint64_t bits_ = 0;
};

bool may_repeat(PropertyId id, std::uint16_t place) {
  return id == user_property || (id == subscription_identifier && place == in(PacketType::publish));
}

bool is_topic(ByteView name) {
  return !name.empty() && text_of(name).find_first_of("+#") == std::string_view::npos;
}

/// What is wrong with the value of a property, nullptr when nothing is.
const Fault* value_fault(const Property& property, PropertyType type) {
  if (type == PropertyType::text || type == PropertyType::pair) {
    const Fault* fault = text_fault(property.bytes);  // [MQTT-3.3.2-13] [MQTT-3.3.2-19]
    if (fault == nullptr) fault = text_fault(bytes_of(property.value));  // [MQTT-1.5.7-1]
    if (fault != nullptr) return fault;
  }
  switch (property.id) {
    case response_topic:
      return is_topic(property.bytes) ? nullptr : &fault::kResponseTopic;  // [MQTT-3.3.2-14]
    case topic_alias:
      return property.number != 0 ? nullptr : &fault::kTopicAliasZero;  // [MQTT-3.3.2-8]
    case subscription_identifier:
    case receive_maximum:
    case maximum_packet_size:
      return property.number != 0 ? nullptr : &fault::kPropertyZero;
    default:
      // Everything that is one byte is a yes or no, or the maximum QoS, which 2 is not a value of.
      if (type != PropertyType::byte) return nullptr;
      return property.number <= 1 ? nullptr : &fault::kNotBoolean;
  }
}

void read_checked(Reader& reader, std::uint16_t place, IdSet& seen) {
  Property property;
  const PropertyRow* row = read_property(reader, property);
  if (row == nullptr) return;
  if ((row->places & place) == 0) return reader.fail(fault::kMisplacedProperty);
  if (seen.contains(row->id) && !may_repeat(row->id, place)) {
    return reader.fail(fault::kRepeatedProperty);
  }
  seen.put(row->id);
  reader.passes(value_fault(property, row->type));
}

}  // namespace

const PropertyRow* read_property(Reader& reader, Property& property) {
  const std::uint8_t id = reader.byte();
  const PropertyRow* row = find_property(id);
  if (row == nullptr) {
    reader.fail(fault::kUnknownProperty);
    return nullptr;
  }
  property.id = row->id;
  switch (row->type) {
    case PropertyType::byte:
      property.number = reader.byte();
      break;
    case PropertyType::two_bytes:
      property.number = reader.two_bytes();
      break;
    case PropertyType::four_bytes:
      property.number = reader.four_bytes();
      break;
    case PropertyType::varint:
      property.number = reader.varint();
      break;
    case PropertyType::text:
    case PropertyType::binary:
      property.bytes = reader.binary();
      break;
    case PropertyType::pair:
      property.bytes = reader.binary();
      property.value = text_of(reader.binary());
      break;
  }
  return reader.failed() ? nullptr : row;
}

const Fault* properties_fault(ByteView encoded, std::uint16_t place) {
  Reader reader(encoded);
  IdSet seen;
  while (!reader.at_end()) read_checked(reader, place, seen);
  if (seen.contains(authentication_data) && !seen.contains(authentication_method)) {
    reader.fail(fault::kNoAuthenticationMethod);
  }
  return reader.failed() ? &reader.fault() : nullptr;
}

}  // namespace mq::wire

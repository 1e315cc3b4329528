#include <algorithm>

#include "wire/decode.hpp"
#include "wire/decode_parts.hpp"
#include "wire/property_reader.hpp"

// A packet with filters is read twice: the first time each filter is checked and counted, so that
// a packet with a fault costs no memory and a good one exactly one allocation.

namespace mq::wire {

namespace {

constexpr Byte kFlags = 0x02;
constexpr Byte kDup = 0x08;  ///< in 3.1 these packets could be repetitions

bool has_right_flags(Byte flags, Version version) {
  return flags == kFlags || (version == Version::v31 && flags == (kFlags | kDup));
}

std::string_view read_filter(Reader& reader) {
  const std::string_view filter = reader.text();             // [MQTT-4.7.3-2]
  reader.fail_unless(!filter.empty(), fault::kFilterEmpty);  // [MQTT-4.7.3-1]
  return filter;
}

SubscriptionOptions read_options(Reader& reader, Version version) {
  const Byte bits = reader.byte();
  if (version != Version::v5) {
    reader.fail_unless(bits <= 2, fault::kOptionBitsV3);  // [MQTT3-3.8.3-4]
    return {.qos = static_cast<QoS>(bits)};
  }
  reader.fail_unless((bits & 0xC0U) == 0, fault::kOptionBits);  // [MQTT-3.8.3-5]
  reader.fail_unless((bits & 3U) != 3, fault::kOptionQos);
  reader.fail_unless((bits >> 4U & 3U) != 3, fault::kRetainHandling);
  return {.qos = static_cast<QoS>(bits & 3U),
          .no_local = (bits & 4U) != 0,
          .retain_as_published = (bits & 8U) != 0,
          .retain_handling = static_cast<RetainHandling>(bits >> 4U & 3U)};
}

Subscription read_subscription(Reader& reader, Version version) {
  Subscription subscription;
  subscription.filter = read_filter(reader);
  subscription.options = read_options(reader, version);
  const bool is_shared = subscription.filter.starts_with("$share/");
  reader.fail_unless(!(is_shared && subscription.options.no_local),
                     fault::kNoLocalShared);  // [MQTT-3.8.3-4]
  return subscription;
}

/// Reads to the end with `read_one`, which takes a reader. Nothing when the reader failed.
template <class ReadOne>
auto read_all(Reader& reader, ReadOne read_one) {
  std::vector<decltype(read_one(reader))> all;
  Reader ahead = reader;
  std::size_t count = 0;
  for (; !ahead.at_end(); ++count) read_one(ahead);
  if (ahead.failed()) {
    reader.fail(ahead.fault());
    return all;
  }
  all.reserve(count);
  while (!reader.at_end()) all.push_back(read_one(reader));
  return all;
}

Properties properties_of(Reader& reader, PacketType type, Version version) {
  return version == Version::v5 ? read_properties(reader, in(type)) : Properties();
}

bool is_suback_code(Byte code, Version version) {
  if (version == Version::v5) return is_allowed(static_cast<ReasonCode>(code), PacketType::suback);
  return code <= 2 || code == 0x80;
}

}  // namespace

Subscription take_subscription(ByteView& rest, Version version) {
  Reader reader(rest);
  const Subscription subscription = read_subscription(reader, version);
  rest = reader.rest();
  return subscription;
}

Subscribe read_subscribe(Reader& reader, Byte flags, Version version) {
  reader.fail_unless(has_right_flags(flags, version), fault::kSubscribeFlags);  // [MQTT-3.8.1-1]
  Subscribe packet;
  packet.packet_id = reader.packet_id();
  packet.properties = properties_of(reader, PacketType::subscribe, version);
  reader.fail_unless(!reader.at_end(), fault::kSubscribeEmpty);  // [MQTT-3.8.3-2]
  packet.subscriptions =
      read_all(reader, [version](Reader& from) { return read_subscription(from, version); });
  return packet;
}

Suback read_suback(Reader& reader, Byte flags, Version version) {
  reader.fail_unless(flags == 0, fault::kReservedFlags);  // [MQTT-2.1.3-1]
  Suback packet;
  packet.packet_id = reader.packet_id();
  packet.properties = properties_of(reader, PacketType::suback, version);
  packet.codes = reader.rest();
  reader.fail_unless(!packet.codes.empty(), fault::kSubackEmpty);  // [MQTT-3.8.4-6]
  const bool are_known = std::ranges::all_of(
      packet.codes, [version](Byte code) { return is_suback_code(code, version); });
  reader.fail_unless(are_known, fault::kSubackCode);  // [MQTT-3.9.3-2]
  return packet;
}

Unsubscribe read_unsubscribe(Reader& reader, Byte flags, Version version) {
  reader.fail_unless(has_right_flags(flags, version), fault::kUnsubscribeFlags);  // [MQTT-3.10.1-1]
  Unsubscribe packet;
  packet.packet_id = reader.packet_id();
  packet.properties = properties_of(reader, PacketType::unsubscribe, version);
  reader.fail_unless(!reader.at_end(), fault::kUnsubscribeEmpty);  // [MQTT-3.10.3-2]
  packet.filters = read_all(reader, read_filter);
  return packet;
}

Unsuback read_unsuback(Reader& reader, Byte flags, Version version) {
  reader.fail_unless(flags == 0, fault::kReservedFlags);  // [MQTT-2.1.3-1]
  Unsuback packet;
  packet.packet_id = reader.packet_id();
  if (version != Version::v5) return packet;
  packet.properties = read_properties(reader, in(PacketType::unsuback));
  packet.codes = reader.rest();
  reader.fail_unless(!packet.codes.empty(), fault::kUnsubackEmpty);  // [MQTT-3.11.3-1]
  const bool are_known = std::ranges::all_of(packet.codes, [](Byte code) {
    return is_allowed(static_cast<ReasonCode>(code), PacketType::unsuback);
  });
  reader.fail_unless(are_known, fault::kUnsubackCode);  // [MQTT-3.11.3-2]
  return packet;
}

}  // namespace mq::wire

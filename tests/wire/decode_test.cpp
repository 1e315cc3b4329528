#include "wire/decode.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/describe.hpp"
#include "support/notation.hpp"
#include "support/packet_table.hpp"
#include "wire/encode.hpp"

namespace mq::wire {

namespace {

using support::bytes;
using support::describe;

bool is_acknowledgement(PacketType type) {
  return type >= PacketType::puback && type <= PacketType::pubcomp;
}

Packet widened(const AnyAcknowledgement& any) {
  const auto as = [&]<PacketType type>() -> Packet {
    return Acknowledgement<type>{any.packet_id, any.reason, any.properties};
  };
  switch (any.type) {
    case PacketType::puback:
      return as.operator()<PacketType::puback>();
    case PacketType::pubrec:
      return as.operator()<PacketType::pubrec>();
    case PacketType::pubrel:
      return as.operator()<PacketType::pubrel>();
    default:
      return as.operator()<PacketType::pubcomp>();
  }
}

/// What the function for this packet alone says, brought into the form of decode()'s answer.
std::expected<Packet, Fault> decode_directly(ByteView frame, Version version) {
  if (packet_type(frame) == PacketType::publish) return decode_publish(frame, version);
  const auto any = decode_acknowledgement(frame, version);
  if (!any) return std::unexpected(any.error());
  return widened(*any);
}

void check_fault(const std::expected<Packet, Fault>& packet, const support::BadPacket& row) {
  REQUIRE_FALSE(packet.has_value());
  CHECK(packet.error().reason == row.reason);
  CHECK(std::string_view(packet.error().statement) == row.statement);
  CHECK(std::string_view(packet.error().words) == row.words);
}

}  // namespace

TEST_CASE("every packet of the table is read as what it is") {
  for (const auto& row : support::good_packets()) {
    CAPTURE(row.name);
    CAPTURE(row.version);
    const auto packet = decode(row.bytes, row.version);
    REQUIRE(packet.has_value());
    CHECK(describe(*packet) == describe(row.packet));
  }
}

TEST_CASE("every fault of the table is found and named") {
  for (const auto& row : support::bad_packets()) {
    CAPTURE(row.name);
    CAPTURE(row.version);
    check_fault(decode(row.bytes, row.version), row);
  }
}

TEST_CASE("the short ways to read PUBLISH and acknowledgements say the same as decode()") {
  const auto has_short_way = [](ByteView frame) {
    return !frame.empty() &&
           (packet_type(frame) == PacketType::publish || is_acknowledgement(packet_type(frame)));
  };
  for (const auto& row : support::good_packets()) {
    if (!has_short_way(row.bytes)) continue;
    CAPTURE(row.name);
    const auto packet = decode_directly(row.bytes, row.version);
    REQUIRE(packet.has_value());
    CHECK(describe(*packet) == describe(row.packet));
  }
  for (const auto& row : support::bad_packets()) {
    if (!has_short_way(row.bytes)) continue;
    CAPTURE(row.name);
    check_fault(decode_directly(row.bytes, row.version), row);
  }
}

TEST_CASE("a CONNECT says itself which version it is of") {
  for (const auto& row : support::good_packets()) {
    if (!std::holds_alternative<Connect>(row.packet)) continue;
    CAPTURE(row.name);
    for (const Version version : support::kEveryVersion) {
      const auto packet = decode(row.bytes, version);
      REQUIRE(packet.has_value());
      CHECK(describe(*packet) == describe(row.packet));
    }
  }
}

TEST_CASE("what is read points into the frame") {
  const auto frame = bytes("32 [ ('topic') 0001 [ 03 ('type') ] 'payload' ]");
  const auto packet = decode_publish(frame, Version::v5);
  REQUIRE(packet.has_value());
  const auto lies_inside = [&](const void* at) {
    return std::less_equal<const void*>()(frame.data(), at) &&
           std::less<const void*>()(at, frame.data() + frame.size());
  };
  CHECK(lies_inside(packet->topic.data()));
  CHECK(lies_inside(packet->payload.data()));
  CHECK(lies_inside(packet->properties.encoded().data()));
}

TEST_CASE("each reason code is taken from the packets that may carry it and from no other") {
  struct Carrier {
    PacketType type;
    std::string_view before;
    std::string_view behind;
  };
  const Carrier carriers[] = {
      {PacketType::connack, "20 03 00", "00"},       {PacketType::puback, "40 03 0001", ""},
      {PacketType::pubrec, "50 03 0001", ""},        {PacketType::pubrel, "62 03 0001", ""},
      {PacketType::pubcomp, "70 03 0001", ""},       {PacketType::suback, "90 04 0001 00", ""},
      {PacketType::unsuback, "b0 04 0001 00", ""},   {PacketType::disconnect, "e0 01", ""},
      {PacketType::auth, "f0 06", "04 15 0001 'm'"},
  };
  for (const auto& [type, before, behind] : carriers) {
    for (unsigned code = 0; code < 256; ++code) {
      auto frame = bytes(before);
      frame.push_back(static_cast<Byte>(code));
      const auto rest = bytes(behind);
      frame.insert(frame.end(), rest.begin(), rest.end());
      CAPTURE(type);
      CAPTURE(code);
      const auto packet = decode(frame, Version::v5);
      CHECK(packet.has_value() == is_allowed(static_cast<ReasonCode>(code), type));
      if (!packet) CHECK(packet.error().reason == ReasonCode::protocol_error);
    }
  }
}

TEST_CASE("each property is taken from the packets that may carry it and from no other") {
  struct Place {
    std::uint16_t place;
    std::string_view before;
    std::string_view behind;
  };
  const Place places[] = {
      {in(PacketType::connect), "('MQTT') 05 02 003c", "0001 'a'"},
      {kInWill, "('MQTT') 05 06 003c 00 0001 'a'", "0001 'w' 0000"},
      {in(PacketType::connack), "00 00", ""},
      {in(PacketType::publish), "0001 't'", ""},
      {in(PacketType::puback), "0001 00", ""},
      {in(PacketType::pubrec), "0001 00", ""},
      {in(PacketType::pubrel), "0001 00", ""},
      {in(PacketType::pubcomp), "0001 00", ""},
      {in(PacketType::subscribe), "0001", "0001 'f' 00"},
      {in(PacketType::suback), "0001", "00"},
      {in(PacketType::unsubscribe), "0001", "0001 'f'"},
      {in(PacketType::unsuback), "0001", "00"},
      {in(PacketType::disconnect), "00", ""},
      {in(PacketType::auth), "00", ""},
  };
  const auto value_of = [](PropertyType type) -> std::string {
    switch (type) {
      case PropertyType::byte:
      case PropertyType::varint:
        return "01";
      case PropertyType::two_bytes:
        return "0001";
      case PropertyType::four_bytes:
        return "00000001";
      case PropertyType::pair:
        return "('k') ('v')";
      default:
        return "('x')";
    }
  };
  const auto first_byte = [](std::uint16_t place) {
    unsigned type = place == kInWill ? 1U : 0U;
    for (unsigned rest = place; rest > 1; rest >>= 1U) ++type;
    const bool has_flag = type == 6 || type == 8 || type == 10;
    return static_cast<Byte>(type << 4U | (has_flag ? 2U : 0U));
  };
  const PropertyRow& method = *find_property("authentication-method");
  for (const auto& [place, before, behind] : places) {
    for (const PropertyRow& row : property_table()) {
      // Authentication needs its method, wherever it is spoken of.
      const bool needs_method = (method.places & place) != 0 && row.id != method.id;
      std::string properties = needs_method ? "15 ('m')" : "";
      const auto id = static_cast<unsigned>(row.id);
      constexpr std::string_view kDigits = "0123456789abcdef";
      properties += std::string(" ") + kDigits[id >> 4U] + kDigits[id & 15U] + value_of(row.type);
      auto frame =
          bytes("[" + std::string(before) + "[" + properties + "]" + std::string(behind) + "]");
      frame.insert(frame.begin(), first_byte(place));
      CAPTURE(place);
      CAPTURE(row.name);
      const auto packet = decode(frame, Version::v5);
      CHECK(packet.has_value() == ((row.places & place) != 0));
      if (!packet) CHECK(packet.error().reason == ReasonCode::malformed_packet);
    }
  }
}

TEST_CASE("a property that may stand once is refused the second time") {
  for (const PropertyRow& row : property_table()) {
    if (row.type != PropertyType::byte || (row.places & in(PacketType::connack)) == 0) continue;
    PropertyList once;
    once.add(row.id, 1);
    const PropertyList twice = PropertyList(once).add_encoded(once.view().encoded());
    CAPTURE(row.name);
    std::vector<Byte> frame;
    encode(Connack{.properties = once.view()}, Version::v5, frame);
    CHECK(decode(frame, Version::v5).has_value());
    frame.clear();
    encode(Connack{.properties = twice.view()}, Version::v5, frame);
    const auto packet = decode(frame, Version::v5);
    REQUIRE_FALSE(packet.has_value());
    CHECK(packet.error().reason == ReasonCode::protocol_error);
  }
}

}  // namespace mq::wire

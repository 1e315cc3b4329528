#include "wire/encode.hpp"

#include <doctest/doctest.h>

#include "support/describe.hpp"
#include "support/notation.hpp"
#include "support/packet_table.hpp"
#include "wire/decode.hpp"
#include "wire/framer.hpp"

namespace mq::wire {

namespace {

using support::bytes;
using support::describe;

template <class P>
std::vector<Byte> encoded(const P& packet, Version version) {
  std::vector<Byte> out;
  encode(packet, version, out);
  return out;
}

}  // namespace

TEST_CASE("every packet of the table is written as its bytes") {
  for (const auto& row : support::good_packets()) {
    if (!row.is_canonical) continue;
    CAPTURE(row.name);
    CAPTURE(row.version);
    CHECK(encoded(row.packet, row.version) == row.bytes);
  }
}

TEST_CASE("every packet of the table comes back from what is written") {
  for (const auto& row : support::good_packets()) {
    CAPTURE(row.name);
    CAPTURE(row.version);
    const auto frame = encoded(row.packet, row.version);
    CHECK(frame.size() <= row.bytes.size());
    const auto packet = decode(frame, row.version);
    REQUIRE(packet.has_value());
    CHECK(describe(*packet) == describe(row.packet));
  }
}

TEST_CASE("encode() writes as many bytes as encoded_size() says and returns the end") {
  for (const auto& row : support::good_packets()) {
    CAPTURE(row.name);
    const std::size_t size = encoded_size(row.packet, row.version);
    std::vector<Byte> out(size + 1, 0xEE);
    CHECK(encode(row.packet, row.version, out.data()) == out.data() + size);
    CHECK(out.back() == 0xEE);
  }
}

TEST_CASE("a PUBLISH is its header with the payload behind it") {
  for (const auto& row : support::good_packets()) {
    const auto* publish = std::get_if<Publish>(&row.packet);
    if (publish == nullptr || !row.is_canonical) continue;
    CAPTURE(row.name);
    std::vector<Byte> out(encoded_header_size(*publish, row.version));
    CHECK(encode_header(*publish, row.version, out.data()) == out.data() + out.size());
    out.insert(out.end(), publish->payload.begin(), publish->payload.end());
    CHECK(out == row.bytes);
  }
}

TEST_CASE("what no packet can hold is told by its size [MQTT-1.5.5-1]") {
  const Byte byte = 0;
  const auto size_with = [&byte](std::size_t payload, Version version) {
    return encoded_size(Publish{.topic = "t", .payload = ByteView(&byte, payload)}, version);
  };
  CHECK(size_with(268'435'452, Version::v311) == kMaximumPacketSize);
  CHECK(size_with(268'435'453, Version::v311) > kMaximumPacketSize);
  CHECK(size_with(268'435'451, Version::v5) == kMaximumPacketSize);
  CHECK(size_with(268'435'452, Version::v5) > kMaximumPacketSize);
}

TEST_CASE("what a version does not have is left out") {
  const PropertyList list = PropertyList().add_user("k", "v");
  const Properties properties = list.view();
  CHECK(encoded(
            Puback{.packet_id = 1, .reason = ReasonCode::quota_exceeded, .properties = properties},
            Version::v311) == bytes("40 02 0001"));
  CHECK(encoded(Disconnect{.reason = ReasonCode::server_busy, .properties = properties},
                Version::v311) == bytes("e0 00"));
  CHECK(encoded(Publish{.topic = "t", .properties = properties}, Version::v31) ==
        bytes("30 03 0001 't'"));
  CHECK(encoded(Connack{.session_present = true, .properties = properties}, Version::v31) ==
        bytes("20 02 00 00"));
  CHECK(encoded(Unsuback{.packet_id = 1, .properties = properties, .codes = bytes_of("\x11")},
                Version::v311) == bytes("b0 02 0001"));
  const Subscribe subscribe{.packet_id = 1,
                            .properties = properties,
                            .subscriptions = {{"f",
                                               {.qos = QoS::exactly_once,
                                                .no_local = true,
                                                .retain_as_published = true,
                                                .retain_handling = RetainHandling::do_not_send}}}};
  CHECK(encoded(subscribe, Version::v311) == bytes("82 06 0001 0001 'f' 02"));
  Connect connect{.version = Version::v311, .client_id = "a", .properties = properties};
  connect.will = Will{.topic = "w", .properties = properties};
  CHECK(encoded(connect, Version::v5) == bytes("10 [ ('MQTT') 04 06 0000 ('a') ('w') () ]"));
}

}  // namespace mq::wire

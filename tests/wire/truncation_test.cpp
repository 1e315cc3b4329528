#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "support/describe.hpp"
#include "support/notation.hpp"
#include "support/packet_table.hpp"
#include "wire/decode.hpp"
#include "wire/encode.hpp"
#include "wire/framer.hpp"

// What becomes of a packet that ends too early. When its length field still speaks of the whole,
// it is always malformed. When the length fits what is left, a few packets are legal again: those
// whose last field takes what there is, and those whose last fields may be missing.

namespace mq::wire {

namespace {

using support::describe;
using support::framed;

/// The end of the fixed header.
std::size_t header_size(ByteView frame) {
  const auto last = std::find_if(frame.begin() + 1, frame.end(), [](Byte b) { return b < 128; });
  return static_cast<std::size_t>(last - frame.begin()) + 1;
}

/// The packets that the start of this one's body can be, by how long that start is.
class ShorterForms {
 public:
  ShorterForms(const support::GoodPacket& row, std::size_t body_size)
      : version_(row.version), body_size_(body_size) {
    std::visit([this](const auto& packet) { collect(packet); }, row.packet);
  }

  const std::string* find(std::size_t size) const {
    const auto form = forms_.find(size);
    return form != forms_.end() ? &form->second : nullptr;
  }

 private:
  void put(std::size_t size, const Packet& packet) {
    if (size < body_size_) forms_.emplace(size, describe(packet));
  }

  /// The size of what `packet` puts behind its fixed header.
  std::size_t body_size(const Packet& packet) const {
    std::vector<Byte> frame;
    encode(packet, version_, frame);
    return frame.size() - header_size(frame);
  }

  /// Most packets are nothing when they are cut.
  template <class P>
  void collect(const P&) {}

  /// 3.1 forgives a missing user name or password.
  void collect(Connect packet) {
    if (packet.version != Version::v31) return;
    if (packet.password) {
      packet.password.reset();
      put(body_size(packet), packet);
    }
    if (packet.user_name) {
      packet.user_name.reset();
      put(body_size(packet), packet);
    }
  }

  /// The payload ends where the packet does.
  void collect(Publish packet) {
    while (!packet.payload.empty()) {
      packet.payload = packet.payload.first(packet.payload.size() - 1);
      put(body_size(packet), packet);
    }
  }

  /// Properties may be missing, and so may the reason.
  template <PacketType type>
  void collect(Acknowledgement<type> packet) {
    if (version_ != Version::v5) return;
    packet.properties = Properties();
    put(3, packet);
    packet.reason = ReasonCode::success;
    put(2, packet);
  }

  void collect(Subscribe packet) {
    while (packet.subscriptions.size() > 1) {
      packet.subscriptions.pop_back();
      put(body_size(packet), packet);
    }
  }

  void collect(Unsubscribe packet) {
    while (packet.filters.size() > 1) {
      packet.filters.pop_back();
      put(body_size(packet), packet);
    }
  }

  void collect(const Suback& packet) { collect_codes(packet); }
  void collect(const Unsuback& packet) { collect_codes(packet); }
  template <class P>
  void collect_codes(P packet) {
    while (packet.codes.size() > 1) {
      packet.codes = packet.codes.first(packet.codes.size() - 1);
      put(body_size(packet), packet);
    }
  }

  void collect(Disconnect packet) {
    packet.properties = Properties();
    put(1, packet);
    put(0, Disconnect{});
  }

  /// With its properties AUTH loses the method that it cannot do without.
  void collect(const Auth&) { put(0, Auth{}); }

  Version version_;
  std::size_t body_size_;
  std::map<std::size_t, std::string> forms_;
};

}  // namespace

TEST_CASE("a packet without its end is malformed while its length speaks of the whole") {
  for (const auto& row : support::good_packets()) {
    CAPTURE(row.name);
    CAPTURE(row.version);
    for (std::size_t size = 0; size < std::min<std::size_t>(row.bytes.size(), 300); ++size) {
      const auto packet = decode(ByteView(row.bytes).first(size), row.version);
      REQUIRE_FALSE(packet.has_value());
      CHECK(packet.error().reason == ReasonCode::malformed_packet);
    }
  }
}

TEST_CASE("a packet without its end, with a length that fits, is refused or a shorter packet") {
  for (const auto& row : support::good_packets()) {
    CAPTURE(row.name);
    CAPTURE(row.version);
    const ByteView body = ByteView(row.bytes).subspan(header_size(row.bytes));
    if (body.size() > 300) continue;
    const ShorterForms forms(row, body.size());
    for (std::size_t size = 0; size < body.size(); ++size) {
      CAPTURE(size);
      const auto frame = framed(row.bytes[0], body.first(size));
      const auto packet = decode(frame, row.version);
      const std::string* form = forms.find(size);
      REQUIRE(packet.has_value() == (form != nullptr));
      if (packet) CHECK(describe(*packet) == *form);
    }
  }
}

TEST_CASE("bytes behind the end are refused where nothing takes them") {
  for (const auto& row : support::good_packets()) {
    if (std::holds_alternative<Publish>(row.packet)) continue;
    CAPTURE(row.name);
    CAPTURE(row.version);
    const ByteView body = ByteView(row.bytes).subspan(header_size(row.bytes));
    std::vector<Byte> longer(body.begin(), body.end());
    longer.push_back(0xFF);
    CHECK_FALSE(decode(framed(row.bytes[0], longer), row.version).has_value());
  }
}

}  // namespace mq::wire

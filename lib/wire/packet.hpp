#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "wire/property.hpp"
#include "wire/reason_code.hpp"
#include "wire/version.hpp"

/// One struct per control packet for MQTT 3.1, 3.1.1 and 5.0: what a version does not have stays
/// empty when it is read and is left out when it is written. Strings, payloads and properties are
/// views of bytes that somebody else owns.
namespace mq::wire {

struct Will {
  std::string_view topic{};
  ByteView payload{};
  QoS qos = QoS::at_most_once;
  bool retain = false;
  Properties properties{};
};

struct Connect {
  Version version = Version::v311;
  bool clean_start = true;       ///< v3: clean session
  bool is_bridge = false;        ///< the 0x80 bit that bridges set on the version number of v3
  std::uint16_t keep_alive = 0;  ///< seconds, 0 for none
  std::string_view client_id{};
  std::optional<Will> will{};
  std::optional<std::string_view> user_name{};
  std::optional<ByteView> password{};
  Properties properties{};
};

struct Connack {
  bool session_present = false;
  std::uint8_t code = 0;  ///< v5: a ReasonCode; v3: a return code, 0 to 5
  Properties properties{};
};

struct Publish {
  QoS qos = QoS::at_most_once;
  bool dup = false;
  bool retain = false;
  std::string_view topic{};     ///< may be empty in v5 where a topic alias stands for it
  std::uint16_t packet_id = 0;  ///< 0 at QoS 0
  Properties properties{};
  ByteView payload{};
};

/// PUBACK, PUBREC, PUBREL, PUBCOMP.
template <PacketType type>
struct Acknowledgement {
  std::uint16_t packet_id = 0;
  ReasonCode reason = ReasonCode::success;
  Properties properties{};
};
using Puback = Acknowledgement<PacketType::puback>;
using Pubrec = Acknowledgement<PacketType::pubrec>;
using Pubrel = Acknowledgement<PacketType::pubrel>;
using Pubcomp = Acknowledgement<PacketType::pubcomp>;

enum class RetainHandling : std::uint8_t { send = 0, send_if_new = 1, do_not_send = 2 };

struct SubscriptionOptions {
  QoS qos = QoS::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  RetainHandling retain_handling = RetainHandling::send;
};

struct Subscription {
  std::string_view filter{};
  SubscriptionOptions options{};
};

struct Subscribe {
  std::uint16_t packet_id = 0;
  Properties properties{};
  std::vector<Subscription> subscriptions{};
};

struct Suback {
  std::uint16_t packet_id = 0;
  Properties properties{};
  ByteView codes{};  ///< one per filter: v5 a ReasonCode, v3 the granted QoS or 0x80
};

struct Unsubscribe {
  std::uint16_t packet_id = 0;
  Properties properties{};
  std::vector<std::string_view> filters{};
};

struct Unsuback {
  std::uint16_t packet_id = 0;
  Properties properties{};
  ByteView codes{};  ///< one ReasonCode per filter; none in v3
};

struct Pingreq {};
struct Pingresp {};

struct Disconnect {
  ReasonCode reason = ReasonCode::normal_disconnection;
  Properties properties{};
};

struct Auth {
  ReasonCode reason = ReasonCode::success;
  Properties properties{};
};

using Packet = std::variant<Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe,
                            Suback, Unsubscribe, Unsuback, Pingreq, Pingresp, Disconnect, Auth>;

}  // namespace mq::wire

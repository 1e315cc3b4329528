#include "wire/reason_code.hpp"

#include <algorithm>
#include <array>

#include "wire/property.hpp"

// One table: every code, what the standard calls it and which packets may carry it. The codes 0x00
// to 0x02 stand there once per meaning. Questions about a number are answered from an array of
// 256 sets of packets that the compiler derives from the table.

namespace mq::wire {

namespace {

using enum PacketType;

struct Row {
  ReasonCode code;
  std::uint16_t packets;
  std::string_view name;
};

constexpr std::uint16_t kConnack = in(connack);
constexpr std::uint16_t kDisconnect = in(disconnect);
constexpr std::uint16_t kPublished = in(puback) | in(pubrec);
constexpr std::uint16_t kReleased = in(pubrel) | in(pubcomp);
constexpr std::uint16_t kSubscribed = in(suback) | in(unsuback);

constexpr auto kRows = std::to_array<Row>({
    {ReasonCode::success, kConnack | kPublished | kReleased | in(unsuback) | in(auth), "Success"},
    {ReasonCode::normal_disconnection, kDisconnect, "Normal disconnection"},
    {ReasonCode::granted_qos_0, in(suback), "Granted QoS 0"},
    {ReasonCode::granted_qos_1, in(suback), "Granted QoS 1"},
    {ReasonCode::granted_qos_2, in(suback), "Granted QoS 2"},
    {ReasonCode::disconnect_with_will, kDisconnect, "Disconnect with Will Message"},
    {ReasonCode::no_matching_subscribers, kPublished, "No matching subscribers"},
    {ReasonCode::no_subscription_existed, in(unsuback), "No subscription existed"},
    {ReasonCode::continue_authentication, in(auth), "Continue authentication"},
    {ReasonCode::re_authenticate, in(auth), "Re-authenticate"},
    {ReasonCode::unspecified_error, kConnack | kPublished | kSubscribed | kDisconnect,
     "Unspecified error"},
    {ReasonCode::malformed_packet, kConnack | kDisconnect, "Malformed Packet"},
    {ReasonCode::protocol_error, kConnack | kDisconnect, "Protocol Error"},
    {ReasonCode::implementation_specific_error, kConnack | kPublished | kSubscribed | kDisconnect,
     "Implementation specific error"},
    {ReasonCode::unsupported_protocol_version, kConnack, "Unsupported Protocol Version"},
    {ReasonCode::client_identifier_not_valid, kConnack, "Client Identifier not valid"},
    {ReasonCode::bad_user_name_or_password, kConnack, "Bad User Name or Password"},
    {ReasonCode::not_authorized, kConnack | kPublished | kSubscribed | kDisconnect,
     "Not authorized"},
    {ReasonCode::server_unavailable, kConnack, "Server unavailable"},
    {ReasonCode::server_busy, kConnack | kDisconnect, "Server busy"},
    {ReasonCode::banned, kConnack, "Banned"},
    {ReasonCode::server_shutting_down, kDisconnect, "Server shutting down"},
    {ReasonCode::bad_authentication_method, kConnack | kDisconnect, "Bad authentication method"},
    {ReasonCode::keep_alive_timeout, kDisconnect, "Keep Alive timeout"},
    {ReasonCode::session_taken_over, kDisconnect, "Session taken over"},
    {ReasonCode::topic_filter_invalid, kSubscribed | kDisconnect, "Topic Filter invalid"},
    {ReasonCode::topic_name_invalid, kConnack | kPublished | kDisconnect, "Topic Name invalid"},
    {ReasonCode::packet_identifier_in_use, kPublished | kSubscribed, "Packet Identifier in use"},
    {ReasonCode::packet_identifier_not_found, kReleased, "Packet Identifier not found"},
    {ReasonCode::receive_maximum_exceeded, kDisconnect, "Receive Maximum exceeded"},
    {ReasonCode::topic_alias_invalid, kDisconnect, "Topic Alias invalid"},
    {ReasonCode::packet_too_large, kConnack | kDisconnect, "Packet too large"},
    {ReasonCode::message_rate_too_high, kDisconnect, "Message rate too high"},
    {ReasonCode::quota_exceeded, kConnack | kPublished | in(suback) | kDisconnect,
     "Quota exceeded"},
    {ReasonCode::administrative_action, kDisconnect, "Administrative action"},
    {ReasonCode::payload_format_invalid, kConnack | kPublished | kDisconnect,
     "Payload format invalid"},
    {ReasonCode::retain_not_supported, kConnack | kDisconnect, "Retain not supported"},
    {ReasonCode::qos_not_supported, kConnack | kDisconnect, "QoS not supported"},
    {ReasonCode::use_another_server, kConnack | kDisconnect, "Use another server"},
    {ReasonCode::server_moved, kConnack | kDisconnect, "Server moved"},
    {ReasonCode::shared_subscriptions_not_supported, in(suback) | kDisconnect,
     "Shared Subscriptions not supported"},
    {ReasonCode::connection_rate_exceeded, kConnack | kDisconnect, "Connection rate exceeded"},
    {ReasonCode::maximum_connect_time, kDisconnect, "Maximum connect time"},
    {ReasonCode::subscription_identifiers_not_supported, in(suback) | kDisconnect,
     "Subscription Identifiers not supported"},
    {ReasonCode::wildcard_subscriptions_not_supported, in(suback) | kDisconnect,
     "Wildcard Subscriptions not supported"},
});

constexpr auto kPacketsOf = [] {
  std::array<std::uint16_t, 256> packets{};
  for (const Row& row : kRows) {
    auto& of_code = packets[static_cast<std::uint8_t>(row.code)];
    of_code = static_cast<std::uint16_t>(of_code | row.packets);
  }
  return packets;
}();

}  // namespace

bool is_allowed(ReasonCode code, PacketType type) {
  return (kPacketsOf[static_cast<std::uint8_t>(code)] & in(type)) != 0;
}

std::string_view name(ReasonCode code, PacketType type) {
  const auto said_by = std::ranges::find_if(
      kRows, [&](const Row& row) { return row.code == code && (row.packets & in(type)) != 0; });
  if (said_by != kRows.end()) return said_by->name;
  const auto any = std::ranges::find(kRows, code, &Row::code);
  return any != kRows.end() ? any->name : "Unknown reason";
}

std::string_view connect_return_name(std::uint8_t code) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "Connection Accepted",
      "Connection Refused: unacceptable protocol version",
      "Connection Refused: identifier rejected",
      "Connection Refused: server unavailable",
      "Connection Refused: bad user name or password",
      "Connection Refused: not authorized",
  };
  return code < kNames.size() ? kNames[code] : "Connection Refused: unknown reason";
}

std::optional<std::uint8_t> connack_code(ReasonCode code, Version version) {
  if (version == Version::v5) return static_cast<std::uint8_t>(code);
  switch (code) {
    case ReasonCode::success:
      return 0;
    case ReasonCode::unsupported_protocol_version:
      return 1;
    case ReasonCode::client_identifier_not_valid:
      return 2;  // [MQTT3-3.1.3-9]
    case ReasonCode::bad_user_name_or_password:
    case ReasonCode::bad_authentication_method:
      return 4;
    case ReasonCode::not_authorized:
    case ReasonCode::banned:
      return 5;
    case ReasonCode::server_unavailable:
    case ReasonCode::server_busy:
    case ReasonCode::server_shutting_down:
    case ReasonCode::quota_exceeded:
    case ReasonCode::use_another_server:
    case ReasonCode::server_moved:
    case ReasonCode::connection_rate_exceeded:
      return 3;
    default:
      return std::nullopt;  // [MQTT3-3.2.2-6]
  }
}

}  // namespace mq::wire

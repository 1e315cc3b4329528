#include "wire/property.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "base/check.hpp"
#include "wire/property_reader.hpp"
#include "wire/sink.hpp"

namespace mq::wire {

namespace {

using enum PropertyId;
using enum PropertyType;

constexpr std::uint16_t kConnect = in(PacketType::connect);
constexpr std::uint16_t kConnack = in(PacketType::connack);
constexpr std::uint16_t kPublish = in(PacketType::publish);
constexpr std::uint16_t kSubscribe = in(PacketType::subscribe);
constexpr std::uint16_t kDisconnect = in(PacketType::disconnect);
constexpr std::uint16_t kAuth = in(PacketType::auth);
/// Every packet that answers another one, in whichever direction.
constexpr std::uint16_t kAnswers = kConnack | in(PacketType::puback) | in(PacketType::pubrec) |
                                   in(PacketType::pubrel) | in(PacketType::pubcomp) |
                                   in(PacketType::suback) | in(PacketType::unsuback) | kDisconnect |
                                   kAuth;
constexpr std::uint16_t kEverywhere =
    kAnswers | kConnect | kPublish | kSubscribe | in(PacketType::unsubscribe) | kInWill;

constexpr auto kTable = std::to_array<PropertyRow>({
    {payload_format_indicator, byte, kPublish | kInWill, "payload-format-indicator"},
    {message_expiry_interval, four_bytes, kPublish | kInWill, "message-expiry-interval"},
    {content_type, text, kPublish | kInWill, "content-type"},
    {response_topic, text, kPublish | kInWill, "response-topic"},
    {correlation_data, binary, kPublish | kInWill, "correlation-data"},
    {subscription_identifier, varint, kPublish | kSubscribe, "subscription-identifier"},
    {session_expiry_interval, four_bytes, kConnect | kConnack | kDisconnect,
     "session-expiry-interval"},
    {assigned_client_identifier, text, kConnack, "assigned-client-identifier"},
    {server_keep_alive, two_bytes, kConnack, "server-keep-alive"},
    {authentication_method, text, kConnect | kConnack | kAuth, "authentication-method"},
    {authentication_data, binary, kConnect | kConnack | kAuth, "authentication-data"},
    {request_problem_information, byte, kConnect, "request-problem-information"},
    {will_delay_interval, four_bytes, kInWill, "will-delay-interval"},
    {request_response_information, byte, kConnect, "request-response-information"},
    {response_information, text, kConnack, "response-information"},
    {server_reference, text, kConnack | kDisconnect, "server-reference"},
    {reason_string, text, kAnswers, "reason-string"},
    {receive_maximum, two_bytes, kConnect | kConnack, "receive-maximum"},
    {topic_alias_maximum, two_bytes, kConnect | kConnack, "topic-alias-maximum"},
    {topic_alias, two_bytes, kPublish, "topic-alias"},
    {maximum_qos, byte, kConnack, "maximum-qos"},
    {retain_available, byte, kConnack, "retain-available"},
    {user_property, pair, kEverywhere, "user-property"},
    {maximum_packet_size, four_bytes, kConnect | kConnack, "maximum-packet-size"},
    {wildcard_subscription_available, byte, kConnack, "wildcard-subscription-available"},
    {subscription_identifier_available, byte, kConnack, "subscription-identifier-available"},
    {shared_subscription_available, byte, kConnack, "shared-subscription-available"},
});

/// The position of an id in the table, kTable.size() for none.
constexpr auto kPositions = [] {
  std::array<std::uint8_t, 256> positions{};
  positions.fill(static_cast<std::uint8_t>(kTable.size()));
  std::uint8_t position = 0;
  for (const PropertyRow& row : kTable) positions[static_cast<std::uint8_t>(row.id)] = position++;
  return positions;
}();

/// Appends to a vector what a sink (sink.hpp) is told.
class VectorSink {
 public:
  explicit VectorSink(std::vector<Byte>& out) : out_(out) {}
  void byte(Byte value) { out_.push_back(value); }
  void bytes(ByteView value) { out_.insert(out_.end(), value.begin(), value.end()); }

 private:
  std::vector<Byte>& out_;
};

PropertyType type_of(PropertyId id) {
  const PropertyRow* row = find_property(static_cast<std::uint8_t>(id));
  MQ_CHECK(row != nullptr);
  return row->type;
}

}  // namespace

std::span<const PropertyRow> property_table() {
  return kTable;
}

const PropertyRow* find_property(std::uint8_t id) {
  const std::size_t position = kPositions[id];
  return position < kTable.size() ? &kTable[position] : nullptr;
}

const PropertyRow* find_property(std::string_view name) {
  const auto row = std::ranges::find(kTable, name, &PropertyRow::name);
  return row != kTable.end() ? &*row : nullptr;
}

void Properties::Iterator::read() {
  Reader reader(rest_);
  current_ = Property();
  if (rest_.empty()) return;
  read_property(reader, current_);
  MQ_CHECK(!reader.failed());
  size_ = rest_.size() - reader.left();
}

std::optional<Property> Properties::find_one(PropertyId id) const {
  for (const Property& property : *this) {
    if (property.id == id) return property;
  }
  return std::nullopt;
}

std::optional<std::string_view> Properties::text(PropertyId id) const {
  const auto found = find(id);
  return found ? std::optional(text_of(found->bytes)) : std::nullopt;
}

std::optional<ByteView> Properties::binary(PropertyId id) const {
  const auto found = find(id);
  return found ? std::optional(found->bytes) : std::nullopt;
}

PropertyList& PropertyList::add(PropertyId id, std::uint32_t number) {
  VectorSink sink(bytes_);
  sink.byte(static_cast<Byte>(id));
  switch (type_of(id)) {
    case PropertyType::byte:
      MQ_CHECK(number <= std::numeric_limits<std::uint8_t>::max());
      sink.byte(static_cast<Byte>(number));
      break;
    case two_bytes:
      MQ_CHECK(number <= std::numeric_limits<std::uint16_t>::max());
      put_two_bytes(sink, static_cast<std::uint16_t>(number));
      break;
    case four_bytes:
      put_two_bytes(sink, static_cast<std::uint16_t>(number >> 16U));
      put_two_bytes(sink, static_cast<std::uint16_t>(number));
      break;
    default:
      MQ_CHECK(type_of(id) == varint && number <= kMaximumBodySize);
      put_varint(sink, number);
  }
  return *this;
}

PropertyList& PropertyList::add(PropertyId id, std::string_view text) {
  MQ_CHECK(type_of(id) == PropertyType::text);
  VectorSink sink(bytes_);
  sink.byte(static_cast<Byte>(id));
  put_binary(sink, bytes_of(text));
  return *this;
}

PropertyList& PropertyList::add(PropertyId id, ByteView binary) {
  MQ_CHECK(type_of(id) == PropertyType::binary);
  VectorSink sink(bytes_);
  sink.byte(static_cast<Byte>(id));
  put_binary(sink, binary);
  return *this;
}

PropertyList& PropertyList::add_user(std::string_view name, std::string_view value) {
  VectorSink sink(bytes_);
  sink.byte(static_cast<Byte>(user_property));
  put_binary(sink, bytes_of(name));
  put_binary(sink, bytes_of(value));
  return *this;
}

PropertyList& PropertyList::add_encoded(ByteView encoded) {
  VectorSink(bytes_).bytes(encoded);
  return *this;
}

}  // namespace mq::wire

#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "wire/version.hpp"

namespace mq::wire {

/// Spec  MQTT 5.0 §2.2.2.2
enum class PropertyId : std::uint8_t {
  payload_format_indicator = 0x01,
  message_expiry_interval = 0x02,
  content_type = 0x03,
  response_topic = 0x08,
  correlation_data = 0x09,
  subscription_identifier = 0x0B,
  session_expiry_interval = 0x11,
  assigned_client_identifier = 0x12,
  server_keep_alive = 0x13,
  authentication_method = 0x15,
  authentication_data = 0x16,
  request_problem_information = 0x17,
  will_delay_interval = 0x18,
  request_response_information = 0x19,
  response_information = 0x1A,
  server_reference = 0x1C,
  reason_string = 0x1F,
  receive_maximum = 0x21,
  topic_alias_maximum = 0x22,
  topic_alias = 0x23,
  maximum_qos = 0x24,
  retain_available = 0x25,
  user_property = 0x26,
  maximum_packet_size = 0x27,
  wildcard_subscription_available = 0x28,
  subscription_identifier_available = 0x29,
  shared_subscription_available = 0x2A,
};

enum class PropertyType : std::uint8_t { byte, two_bytes, four_bytes, varint, text, binary, pair };

/// Where a property may stand: packets by number, and the will's own set inside CONNECT.
inline constexpr std::uint16_t kInWill = 1U << 0U;
constexpr std::uint16_t in(PacketType type) {
  return static_cast<std::uint16_t>(1U << static_cast<unsigned>(type));
}

/// A row of the standard's table 2-4.
struct PropertyRow {
  PropertyId id;
  PropertyType type;
  std::uint16_t places;   ///< in(PacketType::…) | … | kInWill
  std::string_view name;  ///< "payload-format-indicator", as command lines and JSON spell it
};

/// All 27, by ascending id.
std::span<const PropertyRow> property_table();
/// nullptr for a number or name that the standard does not know.
const PropertyRow* find_property(std::uint8_t id);
const PropertyRow* find_property(std::string_view name);

/// One property as it was read.
struct Property {
  PropertyId id{};
  std::uint32_t number = 0;  ///< of byte, two_bytes, four_bytes, varint
  ByteView bytes;            ///< of text and binary; the name of a pair
  std::string_view value;    ///< the value of a pair
};

/// The properties of one packet: a view of their bytes on the wire, without the length in front.
/// decode() checks them, PropertyList writes them, so what is viewed here is well-formed.
class Properties {
 public:
  class Iterator {
   public:
    using value_type = Property;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    Iterator() = default;
    explicit Iterator(ByteView rest) : rest_(rest) { read(); }
    const Property& operator*() const { return current_; }
    const Property* operator->() const { return &current_; }
    Iterator& operator++() {
      rest_ = rest_.subspan(size_);
      read();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return rest_.empty(); }
    /// The bytes of the current property, its id included.
    ByteView encoded() const { return rest_.first(size_); }

   private:
    void read();

    ByteView rest_;
    std::size_t size_ = 0;
    Property current_;
  };

  Properties() = default;
  explicit Properties(ByteView encoded) : encoded_(encoded) {}

  bool empty() const { return encoded_.empty(); }
  ByteView encoded() const { return encoded_; }
  Iterator begin() const { return Iterator(encoded_); }
  static std::default_sentinel_t end() { return {}; }

  /// The first property with this id.
  std::optional<Property> find(PropertyId id) const {
    return empty() ? std::nullopt : find_one(id);
  }
  std::optional<std::uint32_t> number(PropertyId id) const {
    const auto found = find(id);
    return found ? std::optional(found->number) : std::nullopt;
  }
  std::optional<std::string_view> text(PropertyId id) const;
  std::optional<ByteView> binary(PropertyId id) const;

 private:
  std::optional<Property> find_one(PropertyId id) const;

  ByteView encoded_;
};

/// Properties under construction. The caller keeps to the standard's rules.
class PropertyList {
 public:
  PropertyList& add(PropertyId id, std::uint32_t number);
  PropertyList& add(PropertyId id, std::string_view text);
  PropertyList& add(PropertyId id, ByteView binary);
  PropertyList& add_user(std::string_view name, std::string_view value);
  /// Appends bytes as Properties::Iterator::encoded() or Properties::encoded() gives them.
  PropertyList& add_encoded(ByteView encoded);

  bool empty() const { return bytes_.empty(); }
  /// Valid until the next add.
  Properties view() const { return Properties(bytes_); }

 private:
  std::vector<Byte> bytes_;
};

}  // namespace mq::wire

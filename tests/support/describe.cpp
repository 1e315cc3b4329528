#include "support/describe.hpp"

#include <string_view>

namespace mq::support {

namespace {

using namespace wire;

/// Builds "NAME key=value key=value".
class Line {
 public:
  explicit Line(std::string_view name) : text_(name) {}

  Line& field(std::string_view key, std::size_t value) { return raw(key, std::to_string(value)); }
  Line& field(std::string_view key, QoS qos) { return field(key, static_cast<std::size_t>(qos)); }
  Line& field(std::string_view key, ReasonCode code) {
    return field(key, static_cast<std::size_t>(code));
  }
  Line& field(std::string_view key, std::string_view text) { return raw(key, quoted(text)); }
  Line& field(std::string_view key, ByteView bytes) { return raw(key, quoted(text_of(bytes))); }
  template <class T>
  Line& field(std::string_view key, const std::optional<T>& value) {
    return value ? field(key, *value) : raw(key, "none");
  }
  Line& field(std::string_view key, const Properties& properties) {
    std::string all;
    for (const Property& property : properties) {
      all += std::to_string(static_cast<unsigned>(property.id)) + ':' +
             std::to_string(property.number) + quoted(text_of(property.bytes)) +
             quoted(property.value) + ',';
    }
    return raw(key, '{' + all + '}');
  }
  std::string take() { return std::move(text_); }

 private:
  Line& raw(std::string_view key, const std::string& value) {
    text_.append(1, ' ').append(key).append(1, '=').append(value);
    return *this;
  }

  static std::string quoted(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string all = "'";
    for (const char character : text) {
      const auto byte = static_cast<Byte>(character);
      if (byte >= ' ' && byte < 0x7F && byte != '\\' && byte != '\'') {
        all += character;
      } else {
        all.append("\\").append(1, kDigits[byte >> 4U]).append(1, kDigits[byte & 15U]);
      }
    }
    return all + '\'';
  }

  std::string text_;
};

std::string line(const Connect& packet) {
  Line line("CONNECT");
  line.field("version", static_cast<std::size_t>(packet.version))
      .field("clean_start", packet.clean_start)
      .field("is_bridge", packet.is_bridge)
      .field("keep_alive", packet.keep_alive)
      .field("client_id", packet.client_id)
      .field("user_name", packet.user_name)
      .field("password", packet.password)
      .field("properties", packet.properties);
  if (packet.will) {
    line.field("will_topic", packet.will->topic)
        .field("will_payload", packet.will->payload)
        .field("will_qos", packet.will->qos)
        .field("will_retain", packet.will->retain)
        .field("will_properties", packet.will->properties);
  }
  return line.take();
}

std::string line(const Connack& packet) {
  return Line("CONNACK")
      .field("session_present", packet.session_present)
      .field("code", packet.code)
      .field("properties", packet.properties)
      .take();
}

std::string line(const Publish& packet) {
  return Line("PUBLISH")
      .field("qos", packet.qos)
      .field("dup", packet.dup)
      .field("retain", packet.retain)
      .field("topic", packet.topic)
      .field("packet_id", packet.packet_id)
      .field("properties", packet.properties)
      .field("payload", packet.payload)
      .take();
}

template <PacketType type>
std::string line(const Acknowledgement<type>& packet) {
  return Line("ACKNOWLEDGEMENT")
      .field("type", static_cast<std::size_t>(type))
      .field("packet_id", packet.packet_id)
      .field("reason", packet.reason)
      .field("properties", packet.properties)
      .take();
}

std::string line(const Subscribe& packet) {
  Line line("SUBSCRIBE");
  line.field("packet_id", packet.packet_id).field("properties", packet.properties);
  for (const auto& [filter, options] : packet.subscriptions) {
    line.field("filter", filter)
        .field("qos", options.qos)
        .field("no_local", options.no_local)
        .field("retain_as_published", options.retain_as_published)
        .field("retain_handling", static_cast<std::size_t>(options.retain_handling));
  }
  return line.take();
}

std::string line(const Suback& packet) {
  return Line("SUBACK")
      .field("packet_id", packet.packet_id)
      .field("properties", packet.properties)
      .field("codes", packet.codes)
      .take();
}

std::string line(const Unsubscribe& packet) {
  Line line("UNSUBSCRIBE");
  line.field("packet_id", packet.packet_id).field("properties", packet.properties);
  for (const std::string_view filter : packet.filters) line.field("filter", filter);
  return line.take();
}

std::string line(const Unsuback& packet) {
  return Line("UNSUBACK")
      .field("packet_id", packet.packet_id)
      .field("properties", packet.properties)
      .field("codes", packet.codes)
      .take();
}

std::string line(const Pingreq&) {
  return "PINGREQ";
}

std::string line(const Pingresp&) {
  return "PINGRESP";
}

std::string line(const Disconnect& packet) {
  return Line("DISCONNECT")
      .field("reason", packet.reason)
      .field("properties", packet.properties)
      .take();
}

std::string line(const Auth& packet) {
  return Line("AUTH").field("reason", packet.reason).field("properties", packet.properties).take();
}

}  // namespace

std::string describe(const Packet& packet) {
  return std::visit([](const auto& held) { return line(held); }, packet);
}

}  // namespace mq::support

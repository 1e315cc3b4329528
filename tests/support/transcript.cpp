#include "support/transcript.hpp"

#include <array>
#include <cstdio>
#include <variant>

namespace mq::support {
namespace {

using namespace mq::wire;

std::string hex(unsigned value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%02X", value);
  return text.data();
}

std::string list(ByteView codes) {
  std::string text;
  for (const auto code : codes) text += " " + hex(code);
  return text;
}

std::string properties(Properties all) {
  if (all.empty()) return {};
  std::string text;
  for (const Property& property : all) {
    const PropertyRow* row = find_property(static_cast<std::uint8_t>(property.id));
    text += text.empty() ? " {" : ", ";
    if (row->type == PropertyType::pair) {
      text += std::string(text_of(property.bytes)) + ":" + std::string(property.value);
      continue;
    }
    text += std::string(row->name) + "=";
    const bool is_text = row->type == PropertyType::text || row->type == PropertyType::binary;
    text += is_text ? std::string(text_of(property.bytes)) : std::to_string(property.number);
  }
  return text + "}";
}

std::string reason(ReasonCode code, Properties all) {
  return (code == ReasonCode::success ? "" : " " + hex(static_cast<unsigned>(code))) +
         properties(all);
}

struct Describer {
  std::string operator()(const Connect& p) const {
    std::string text = "CONNECT '" + std::string(p.client_id) + "' v" +
                       std::to_string(static_cast<int>(p.version)) +
                       " k=" + std::to_string(p.keep_alive);
    if (p.clean_start) text += " clean";
    if (p.user_name) text += " user=" + std::string(*p.user_name);
    if (p.password) text += " password=" + std::string(text_of(*p.password));
    text += properties(p.properties);
    if (!p.will) return text;
    text += " will=" + std::string(p.will->topic) + " q" +
            std::to_string(static_cast<int>(p.will->qos)) + (p.will->retain ? " retain" : "");
    return text + properties(p.will->properties) + " '" + std::string(text_of(p.will->payload)) +
           "'";
  }
  std::string operator()(const Connack& p) const {
    return "CONNACK " + hex(p.code) + (p.session_present ? " present" : "") +
           properties(p.properties);
  }
  std::string operator()(const Publish& p) const {
    std::string text =
        "PUBLISH " + std::string(p.topic) + " q" + std::to_string(static_cast<int>(p.qos));
    if (p.qos != QoS::at_most_once) text += " id=" + std::to_string(p.packet_id);
    if (p.dup) text += " dup";
    if (p.retain) text += " retain";
    return text + properties(p.properties) + " '" + std::string(text_of(p.payload)) + "'";
  }
  template <PacketType type>
  std::string operator()(const Acknowledgement<type>& p) const {
    constexpr std::array kNames{"PUBACK ", "PUBREC ", "PUBREL ", "PUBCOMP "};
    return kNames[static_cast<std::size_t>(type) - static_cast<std::size_t>(PacketType::puback)] +
           std::to_string(p.packet_id) + reason(p.reason, p.properties);
  }
  std::string operator()(const Subscribe& p) const {
    std::string text = "SUBSCRIBE " + std::to_string(p.packet_id) + properties(p.properties);
    for (const auto& [filter, options] : p.subscriptions) {
      text += " " + std::string(filter) + " q" + std::to_string(static_cast<int>(options.qos));
      if (options.retain_as_published) text += " retain-as-published";
      if (options.retain_handling == RetainHandling::do_not_send) text += " no-retained";
    }
    return text;
  }
  std::string operator()(const Suback& p) const {
    return "SUBACK " + std::to_string(p.packet_id) + list(p.codes) + properties(p.properties);
  }
  std::string operator()(const Unsubscribe& p) const {
    std::string text = "UNSUBSCRIBE " + std::to_string(p.packet_id) + properties(p.properties);
    for (const auto filter : p.filters) text += " " + std::string(filter);
    return text;
  }
  std::string operator()(const Unsuback& p) const {
    return "UNSUBACK " + std::to_string(p.packet_id) + list(p.codes) + properties(p.properties);
  }
  std::string operator()(const Pingreq&) const { return "PINGREQ"; }
  std::string operator()(const Pingresp&) const { return "PINGRESP"; }
  std::string operator()(const Disconnect& p) const {
    return "DISCONNECT" + reason(p.reason, p.properties);
  }
  std::string operator()(const Auth& p) const { return "AUTH" + reason(p.reason, p.properties); }
};

}  // namespace

std::string line_of(const Packet& packet) {
  return std::visit(Describer(), packet);
}

}  // namespace mq::support

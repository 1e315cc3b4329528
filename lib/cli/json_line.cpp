#include "cli/json_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/connect_options.hpp"
#include "cli/json.hpp"
#include "wire/fault.hpp"
#include "wire/property_reader.hpp"

namespace mq::cli {

namespace {

using Json = nlohmann::ordered_json;  // user properties keep their order
using wire::PropertyId;
using wire::PropertyType;

constexpr std::string_view kBase64Suffix = "_b64";
constexpr std::size_t kTextMax = 65'535;
constexpr std::uint64_t kNumberMax = 0xFFFF'FFFF;

/// What the library says is wrong, without its codes and without repeating the input.
std::string reason_of(std::string_view words) {
  if (const auto start = words.find("] "); start != std::string_view::npos) {
    words.remove_prefix(start + 2);
  }
  words = words.substr(0, words.find("; last read: '"));
  if (const auto dash = words.find(" - "); dash != std::string_view::npos) {
    words.remove_prefix(dash + 3);
  }
  return std::string(words);
}

std::expected<Json, std::string> parse(std::string_view line) {
  if (const auto nul = line.find('\0'); nul != line.npos) {  // the library would end there
    return std::unexpected(fmt::format("column {}: a NUL", nul + 1));
  }
  try {
    return Json::parse(line);
  } catch (const Json::parse_error& failure) {
    return std::unexpected(fmt::format("column {}: {}", failure.byte, reason_of(failure.what())));
  } catch (const Json::exception& failure) {
    return std::unexpected(reason_of(failure.what()));
  }
}

/// The bytes under `name`, or in base64 under `name_b64`.
std::expected<std::string, std::string> decoded(const Json& value, bool is_base64) {
  if (!value.is_string()) return std::unexpected("must be a string");
  const auto& text = value.get_ref<const std::string&>();
  if (!is_base64) return text;
  auto bytes = read_base64(text);
  if (!bytes) return std::unexpected("is not base64");
  return *std::move(bytes);
}

Verdict add_user_property(const std::string& name, const Json& value, wire::PropertyList& out) {
  if (!value.is_string()) return wrong(fmt::format("\"{}\" must be a string", name));
  const auto& words = value.get_ref<const std::string&>();
  if (std::max(name.size(), words.size()) > kTextMax) {
    return wrong("must not be longer than 65535 bytes");
  }
  out.add_user(name, words);
  return {};
}

Verdict add_user_properties(const Json& value, wire::PropertyList& out) {
  if (!value.is_array()) return wrong("must be an object or a list of objects");
  for (const Json& pairs : value) {
    if (!pairs.is_object()) return wrong("must be an object or a list of objects");
    for (const auto& [name, text] : pairs.items()) {
      if (Verdict verdict = add_user_property(name, text, out); !verdict) return verdict;
    }
  }
  return {};
}

/// As mosquitto 2.0 writes them: one object, whose names may repeat, which the library cannot say.
Verdict add_user_properties(std::string_view object, wire::PropertyList& out) {
  for (const JsonMember& member : json_members(object)) {
    const Json value = Json::parse(member.value);
    if (Verdict verdict = add_user_property(member.name, value, out); !verdict) return verdict;
  }
  return {};
}

Verdict add_number(PropertyId id, const Json& value, wire::PropertyList& out) {
  const std::uint64_t maximum = id == PropertyId::payload_format_indicator ? 1 : kNumberMax;
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > maximum) {
    return wrong(fmt::format("must be a number from 0 to {}", maximum));
  }
  out.add(id, value.get<std::uint32_t>());
  return {};
}

Verdict add_bytes(const wire::PropertyRow& row, const Json& value, bool is_base64,
                  wire::PropertyList& out) {
  const auto bytes = decoded(value, is_base64);
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->size() > kTextMax) return wrong("must not be longer than 65535 bytes");
  if (row.type == PropertyType::text) {
    out.add(row.id, *bytes);
  } else {
    out.add(row.id, bytes_of(*bytes));
  }
  return {};
}

/// `line` is what it all stands in.
Verdict add_property(std::string_view line, std::string_view key, const Json& value,
                     wire::PropertyList& out) {
  if (key == "user-properties") {
    return value.is_object()
               ? add_user_properties(json_member(json_member(line, "properties"), key), out)
               : add_user_properties(value, out);
  }
  const bool is_base64 = key.ends_with(kBase64Suffix);
  if (is_base64) key.remove_suffix(kBase64Suffix.size());
  const wire::PropertyRow* row = wire::find_property(key);
  if (row == nullptr || (row->places & wire::in(wire::PacketType::publish)) == 0) {
    return wrong("is no property of a message");
  }
  switch (row->id) {
    case PropertyId::user_property:
      return wrong("is written as user-properties, a list of objects");
    case PropertyId::topic_alias:
    case PropertyId::subscription_identifier:
      return {};
    case PropertyId::payload_format_indicator:
    case PropertyId::message_expiry_interval:
      return add_number(row->id, value, out);
    default:
      return add_bytes(*row, value, is_base64, out);
  }
}

Verdict add_properties(const Json& object, std::string_view line, wire::PropertyList& out) {
  if (!object.is_object()) return wrong("properties: must be an object");
  for (const auto& [key, value] : object.items()) {
    const auto place = [&](std::string_view words) {
      return std::unexpected(fmt::format("properties, {}: {}", key, words));
    };
    wire::PropertyList added;
    if (const Verdict verdict = add_property(line, key, value, added); !verdict) {
      return place(verdict.error());
    }
    out.add_encoded(added.view().encoded());
    const auto* fault =
        wire::properties_fault(out.view().encoded(), wire::in(wire::PacketType::publish));
    if (fault != nullptr) return place(fault->words);
  }
  return {};
}

/// A number is how mosquitto 2.0 writes it.
std::optional<bool> truth_of(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value == 0 || value == 1) return value == 1;
  return std::nullopt;
}

Verdict read_head(const Json& object, std::string_view line, JsonLine& out) {
  if (const auto topic = object.find("topic"); topic != object.end()) {
    if (!topic->is_string()) return wrong("topic: must be a string");
    out.topic = topic->get<std::string>();
    if (const Verdict verdict = check_topic(*out.topic); !verdict) {
      return wrong("topic: " + verdict.error());
    }
  }
  if (const auto qos = object.find("qos"); qos != object.end()) {
    if (!qos->is_number_unsigned() || qos->get<std::uint64_t>() > 2) {
      return wrong("qos: must be 0, 1 or 2");
    }
    out.qos = static_cast<wire::QoS>(qos->get<int>());
  }
  if (const auto retain = object.find("retain"); retain != object.end()) {
    out.retain = truth_of(*retain);
    if (!out.retain) return wrong("retain: must be true or false");
  }
  if (const auto stamp = object.find("tst"); stamp != object.end() && stamp->is_string()) {
    out.stamp = stamp->get<std::string>();
  }
  const auto properties = object.find("properties");
  return properties == object.end() ? Verdict() : add_properties(*properties, line, out.properties);
}

Verdict read_payload(const Json& object, std::string_view line, JsonLine& out) {
  const auto encoded = object.find("payload_b64");
  const auto plain = object.find("payload");
  if (encoded != object.end()) {
    auto bytes = decoded(*encoded, true);
    if (!bytes) return wrong("payload_b64: " + bytes.error());
    out.payload = *std::move(bytes);
    return {};
  }
  if (plain == object.end()) return wrong("there is no payload; an empty one is null");
  if (plain->is_string()) {
    out.payload = plain->get<std::string>();
  } else if (!plain->is_null()) {
    out.payload = json_member(line, "payload");
  }
  return {};
}

}  // namespace

std::expected<JsonLine, std::string> parse_json_line(std::string_view line) {
  const auto object = parse(line);
  if (!object) return std::unexpected(object.error());
  if (!object->is_object()) return std::unexpected("column 1: must be an object, in braces");
  JsonLine message;
  if (const Verdict verdict = read_head(*object, line, message); !verdict) {
    return std::unexpected(verdict.error());
  }
  if (const Verdict verdict = read_payload(*object, line, message); !verdict) {
    return std::unexpected(verdict.error());
  }
  return message;
}

}  // namespace mq::cli

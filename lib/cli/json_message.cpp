#include "cli/json_message.hpp"

#include <fmt/format.h>

#include <iterator>

#include "cli/json.hpp"
#include "wire/utf8.hpp"

namespace mq::cli {

namespace {

using wire::PropertyId;

/// `"name":"…"`, or `"name_b64":"…"` for what is not UTF-8.
void append_bytes(std::string_view name, ByteView bytes, std::string& out) {
  if (wire::is_utf8(bytes)) {
    fmt::format_to(std::back_inserter(out), "\"{}\":", name);
    append_json_string(text_of(bytes), out);
  } else {
    fmt::format_to(std::back_inserter(out), "\"{}_b64\":\"", name);
    append_base64(bytes, out);
    out += '"';
  }
}

/// A number; several, of a message that matched several subscriptions, are a list.
void append_subscriptions(const wire::Properties& properties, std::string& out) {
  std::string numbers;
  std::size_t count = 0;
  for (const wire::Property& property : properties) {
    if (property.id != PropertyId::subscription_identifier) continue;
    if (count++ != 0) numbers += ',';
    numbers += std::to_string(property.number);
  }
  if (count == 0) return;
  const auto* form =
      count == 1 ? "\"subscription-identifier\":{}," : "\"subscription-identifier\":[{}],";
  fmt::format_to(std::back_inserter(out), fmt::runtime(form), numbers);
}

void append_user_properties(const wire::Properties& properties, std::string& out) {
  bool is_first = true;
  for (const wire::Property& property : properties) {
    if (property.id != PropertyId::user_property) continue;
    out += is_first ? "\"user-properties\":[{" : ",{";
    is_first = false;
    append_json_string(text_of(property.bytes), out);
    out += ':';
    append_json_string(property.value, out);
    out += '}';
  }
  if (!is_first) out += "],";
}

void append_properties(const wire::Properties& properties, std::string& out) {
  const auto number = [&](PropertyId id, std::string_view name) {
    if (const auto value = properties.number(id)) {
      fmt::format_to(std::back_inserter(out), "\"{}\":{},", name, *value);
    }
  };
  const auto bytes = [&](PropertyId id, std::string_view name) {
    if (const auto value = properties.binary(id)) {
      append_bytes(name, *value, out);
      out += ',';
    }
  };
  out += "\"properties\":{";
  number(PropertyId::payload_format_indicator, "payload-format-indicator");
  number(PropertyId::message_expiry_interval, "message-expiry-interval");
  bytes(PropertyId::content_type, "content-type");
  bytes(PropertyId::response_topic, "response-topic");
  bytes(PropertyId::correlation_data, "correlation-data");
  append_subscriptions(properties, out);
  number(PropertyId::topic_alias, "topic-alias");
  append_user_properties(properties, out);
  out.back() = '}';  // in place of the last comma
  out += ',';
}

}  // namespace

void append_json_message(const wire::Publish& message, std::string_view stamp, JsonPayload payload,
                         std::string& out) {
  const auto end = std::back_inserter(out);
  fmt::format_to(end, R"({{"tst":"{}","topic":)", stamp);
  append_json_string(message.topic, out);
  fmt::format_to(end, R"(,"qos":{},"retain":{},"payloadlen":{},)", static_cast<int>(message.qos),
                 message.retain, message.payload.size());
  if (message.packet_id != 0) fmt::format_to(end, "\"mid\":{},", message.packet_id);
  if (!message.properties.empty()) append_properties(message.properties, out);
  if (message.payload.empty()) {
    out += "\"payload\":null";
  } else if (payload == JsonPayload::value && is_json(text_of(message.payload))) {
    out += "\"payload\":";
    append_json(text_of(message.payload), JsonStyle::compact, out);
  } else {
    append_bytes("payload", message.payload, out);
  }
  out += '}';
}

}  // namespace mq::cli

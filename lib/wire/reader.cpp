#include "wire/reader.hpp"

#include "wire/utf8.hpp"

namespace mq::wire {

const Fault* text_fault(ByteView text) {
  if (is_utf8_string(text)) return nullptr;
  return is_utf8(text) ? &fault::kTextWithNull : &fault::kText;  // [MQTT-1.5.4-2] [MQTT-1.5.4-1]
}

const Fault* topic_fault(ByteView name) {
  if (is_plain_topic(name)) [[likely]] {
    return nullptr;
  }
  const bool has_wildcard = text_of(name).find_first_of("+#") != std::string_view::npos;
  const Fault* fault = text_fault(name);                                     // [MQTT-4.7.3-2]
  return fault == nullptr && has_wildcard ? &fault::kTopicWildcard : fault;  // [MQTT-3.3.2-2]
}

}  // namespace mq::wire

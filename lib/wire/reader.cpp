#include "wire/reader.hpp"

#include "wire/utf8.hpp"

namespace mq::wire {

namespace {

/// What is wrong with a string that is not UTF-8 without U+0000.
const Fault& text_fault(ByteView text) {
  return is_utf8(text) ? fault::kTextWithNull : fault::kText;
}

bool has_wildcard(std::string_view text) {
  return text.find_first_of("+#") != std::string_view::npos;
}

}  // namespace

std::string_view Reader::text() {
  const ByteView bytes = binary();
  if (is_utf8_string(bytes)) return text_of(bytes);
  fail(text_fault(bytes));
  return {};
}

std::string_view Reader::topic() {
  const ByteView bytes = binary();
  if (is_plain_topic(bytes)) [[likely]] {
    return text_of(bytes);
  }
  if (!is_utf8_string(bytes)) fail(text_fault(bytes));
  if (has_wildcard(text_of(bytes))) fail(fault::kTopicWildcard);  // [MQTT-3.3.2-2]
  return failed() ? std::string_view() : text_of(bytes);
}

}  // namespace mq::wire

#include <string>

#include "base/check.hpp"
#include "cli/json_line.hpp"
#include "cli/json_message.hpp"

// A line is read or explained; what was read comes back the same when it is written and read again.

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  using namespace mq;
  const auto line = cli::parse_json_line(text_of({data, size}));
  if (!line) {
    MQ_CHECK(!line.error().empty());
    return 0;
  }
  std::string text;
  cli::append_json_message({.qos = line->qos.value_or(wire::QoS::at_most_once),
                            .retain = line->retain.value_or(false),
                            .topic = line->topic.value_or("t"),
                            .properties = line->properties.view(),
                            .payload = bytes_of(line->payload)},
                           "now", cli::JsonPayload::text, text);
  const auto again = cli::parse_json_line(text);
  MQ_CHECK(again.has_value());
  MQ_CHECK(again->payload == line->payload);
  MQ_CHECK(again->topic == line->topic.value_or("t"));
  // Their order may be another one: JSON has the pairs of a user in one place.
  MQ_CHECK(again->properties.view().encoded().size() == line->properties.view().encoded().size());
  return 0;
}

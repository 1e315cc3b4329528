#include <algorithm>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "cli/json_line.hpp"
#include "cli/json_message.hpp"

// A line is read or explained; what was read comes back the same when it is written and read again.

namespace {

// Each as its bytes on the wire, by id. Their order may be another one, since JSON has the pairs of
// a user in one place, but not that of these pairs.
std::vector<std::string> entries(const mq::wire::Properties& properties) {
  std::vector<std::string> result;
  for (auto it = properties.begin(); it != properties.end(); ++it) {
    result.emplace_back(mq::text_of(it.encoded()));
  }
  std::ranges::stable_sort(result, {}, [](const std::string& entry) { return entry.front(); });
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  using namespace mq;
  const auto line = cli::parse_json_line(text_of({data, size}));
  if (!line) {
    MQ_CHECK(!line.error().empty());
    return 0;
  }
  const std::string topic = line->topic.value_or("t");
  const wire::Publish message{.qos = line->qos.value_or(wire::QoS::at_most_once),
                              .retain = line->retain.value_or(false),
                              .topic = topic,
                              .properties = line->properties.view(),
                              .payload = bytes_of(line->payload)};
  std::string text;
  cli::append_json_message(message, "now", cli::JsonPayload::text, text);
  const auto again = cli::parse_json_line(text);
  MQ_CHECK(again.has_value());
  MQ_CHECK(again->stamp == "now");
  MQ_CHECK(again->topic == topic);
  MQ_CHECK(again->qos == message.qos);
  MQ_CHECK(again->retain == message.retain);
  MQ_CHECK(again->payload == line->payload);
  MQ_CHECK(entries(again->properties.view()) == entries(message.properties));
  return 0;
}

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/check.hpp"
#include "wire/packet.hpp"

namespace mq::fuzz {

/// The topic aliases that one side of a connection has set.
class Aliases {
 public:
  /// The topic of a PUBLISH that has arrived.
  ///
  /// maximum  the Topic Alias Maximum of whom it has arrived at
  std::string topic_of(const wire::Publish& publish, std::size_t maximum) {
    const auto alias = publish.properties.number(wire::PropertyId::topic_alias);
    if (!alias) return std::string(publish.topic);
    MQ_CHECK(*alias <= maximum);  // [MQTT-3.1.2-26] [MQTT-3.2.2-17]
    std::string& known = known_[*alias];
    if (!publish.topic.empty()) known = publish.topic;
    MQ_CHECK(!known.empty());
    return known;
  }
  void clear() { known_.clear(); }

 private:
  std::map<std::uint32_t, std::string> known_;
};

}  // namespace mq::fuzz

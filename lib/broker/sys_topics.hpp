#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace mq::broker {

class Core;

/// The broker's figures as retained messages below $SYS/broker, in mosquitto's words. A topic is
/// published when its value has changed.
class SysTopics {
 public:
  SysTopics(Seconds interval, Now now);

  Instant next() const { return next_; }
  void publish(Core& core, Now now);

 private:
  /// Averages per minute over 1, 5 and 15 minutes, falling off exponentially.
  struct Load {
    std::uint64_t last_count = 0;
    std::array<double, 3> averages{};
  };

  void put(Core& core, std::size_t row, std::string value);
  void put_loads(Core& core);

  Seconds interval_;
  Instant start_;
  Instant next_;
  std::vector<std::string> published_;  ///< the last value, a row a topic
  std::vector<Load> loads_;
};

}  // namespace mq::broker

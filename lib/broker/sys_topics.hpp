#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "broker/session.hpp"

namespace mq::broker {

class Core;

/// The broker's figures as retained messages below $SYS/broker, in mosquitto's words. A topic is
/// published when its value has changed.
class SysTopics {
 public:
  SysTopics(Seconds interval, Now now);

  Instant next() const { return next_; }
  void publish(Core& core, Now now);
  /// Goes on at another pace. With 0 the topics go away.
  void use_interval(Seconds interval, Core& core);

 private:
  /// Averages per minute over 1, 5 and 15 minutes, falling off exponentially.
  struct Load {
    std::uint64_t last_count = 0;
    std::array<double, 3> averages{};
  };

  void put(Core& core, std::size_t row, std::string value);
  void put_loads(Core& core);
  static void put_drops(Core& core);

  Seconds interval_;
  Instant start_;
  Instant next_;
  std::vector<std::string> published_;  ///< the last value, a row a topic
  std::vector<Load> loads_;
};

/// Where $SYS says how many messages a client has lost, below $SYS/broker/.
std::string drops_topic(std::string_view client_id, Drop reason);

}  // namespace mq::broker

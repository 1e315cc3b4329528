#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "broker/connection.hpp"
#include "net/broker_driver.hpp"
#include "wire/skimmer.hpp"
#include "wire/version.hpp"

namespace mq::server {

/// A line for each packet that passes, as mosquitto's log_type debug has it: "Received PUBLISH
/// "a/b" (5 bytes, QoS 1, id 1) from client "dev"." Reads the same bytes as everybody else, and
/// shows no payload and no password, nor keeps more of them than a Skimmer does. A connection that
/// is there already is not listened to.
class PacketLog {
 public:
  using Line = std::function<void(std::string_view line)>;
  using Limit = std::function<std::size_t()>;
  /// limit  how long a packet may be for the broker to take it from who comes now; 0: as MQTT has
  /// it
  PacketLog(Line line, Limit limit) : line_(std::move(line)), limit_(std::move(limit)) {}

  void on_bytes(broker::ConnectionId id, net::BrokerDriver::Passage passage, ByteView bytes);
  /// The client has come in under this id.
  void on_connected(broker::ConnectionId id, std::string_view client_id);

 private:
  using Key = std::pair<std::uint32_t, std::uint32_t>;
  struct Client {
    std::size_t limit;  ///< of what it sends
    std::string name = "a new client";
    wire::Version version = wire::Version::v311;
    wire::Skimmer received{};
    wire::Skimmer sent{};
  };
  /// Returns whether the client's bytes are still packets.
  bool show(Client& client, net::BrokerDriver::Passage passage, ByteView bytes);

  Line line_;
  Limit limit_;
  std::map<Key, Client> clients_;
};

}  // namespace mq::server

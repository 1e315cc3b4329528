#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "wire/property.hpp"
#include "wire/version.hpp"

namespace mq::client {

/// What the server is to publish when this client goes away without a word.
struct Will {
  std::string topic;
  std::string payload;
  wire::QoS qos = wire::QoS::at_most_once;
  bool retain = false;
  wire::PropertyList properties;
};

/// After which failures a client tries again by itself.
enum class Retry : std::uint8_t {
  never,
  after_loss,  ///< of a connection that was there; the first attempt must succeed
  always,
};

/// Connections of MQTT 3 that are made only to have the server forget the session: those that
/// do so come back with nothing kept.
enum class Clearing : std::uint8_t {
  none,
  after,             ///< the run, so that the session lasts as long as that and no longer
  before_and_after,  ///< there may be an old one under this client id
};

/// Everything that a client says about itself in CONNECT, and its own limits.
struct Settings {
  wire::Version version = wire::Version::v311;
  std::string client_id;
  bool clean_start = true;
  Clearing clearing = Clearing::none;  ///< with `clean_start` off
  std::uint16_t keep_alive = 60;       ///< seconds, 0 for none
  std::optional<std::string> user_name;
  std::optional<std::string> password;
  std::optional<Will> will;
  /// Of CONNECT. The limits among them (receive maximum, maximum packet size, topic alias maximum)
  /// are held against the server.
  wire::PropertyList properties;
  wire::PropertyList goodbye;  ///< properties of DISCONNECT

  /// At most so many QoS 1 and 2 messages under way, whatever the server allows. Without it: what
  /// the server allows; 20 while there are QoS 2 messages for a v3 server, which cannot say.
  std::optional<std::uint16_t> in_flight_max;
  /// publish() takes no more while so much is waiting or unacknowledged.
  std::size_t queued_bytes_max = 4U << 20U;
  std::size_t queued_messages_max = 100'000;

  Millis connect_timeout = Seconds(30);  ///< from the attempt to its CONNACK; 0 for none
  Millis ack_timeout = Millis(0);        ///< without any acknowledgement of many; 0 for none
  Retry retry = Retry::after_loss;
  Millis retry_first = Seconds(1);
  Millis retry_max = Seconds(60);
};

}  // namespace mq::client

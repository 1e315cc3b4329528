#pragma once

#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core.hpp"
#include "storage/memory.hpp"
#include "wire/encode.hpp"
#include "wire/framer.hpp"

/// A broker core with a clock that stands still and peers that speak through the real codec.
namespace mq::support {

class World;

/// The far end of a connection. What it receives is kept as lines of line_of().
class Peer {
 public:
  Peer(World& world, std::uint16_t listener);

  template <class P>
  Peer& send(const P& packet) {
    std::vector<Byte> bytes;
    wire::encode(packet, version, bytes);
    return send_bytes(bytes);
  }
  Peer& send_bytes(ByteView bytes);

  Peer& connect(wire::Connect packet);
  /// Connects with a clean session and forgets the CONNACK.
  Peer& join(std::string_view client_id, wire::Version as = wire::Version::v311);
  /// Connects to a session that is to be kept (v5: for an hour) and forgets the CONNACK.
  Peer& resume(std::string_view client_id, wire::Version as = wire::Version::v311);
  /// Subscribes and forgets the SUBACK.
  Peer& subscribe(std::string_view filter, wire::SubscriptionOptions options = {},
                  std::uint32_t identifier = 0);
  Peer& publish(std::string_view topic, std::string_view payload,
                wire::QoS qos = wire::QoS::at_most_once, std::uint16_t packet_id = 0);
  Peer& retain(std::string_view topic, std::string_view payload);
  Peer& puback(std::uint16_t id) { return send(wire::Puback{id, {}, {}}); }
  Peer& disconnect() { return send(wire::Disconnect{}); }
  /// The socket breaks.
  void drop();

  /// Takes the next line; "" when nothing has come.
  std::string next();
  /// Takes everything, joined by "; ". A connection that the broker closed ends with "closed".
  std::string all();
  bool is_closed() const { return is_closed_; }

  wire::Version version = wire::Version::v311;
  bool reads = true;     ///< false: takes nothing off its socket
  bool is_deaf = false;  ///< true: takes everything and looks at nothing

 private:
  friend class World;
  void receive(broker::SendQueue& queue);
  void hear(ByteView bytes);

  World& world_;
  broker::ConnectionId id_;
  wire::Framer framer_;
  std::deque<std::string> lines_;
  bool is_closed_ = false;
  std::uint16_t request_ = 1000;
};

class World {
 public:
  explicit World(broker::Config config = {});

  Peer& peer(std::uint16_t listener = 0);
  /// Lets time pass and deadlines come due.
  void advance(Millis duration);
  /// Moves bytes until nobody has more to say. Called by everything that sends.
  void settle();

  broker::Core& core() { return *core_; }
  /// The broker goes down with everything that is not stored, and comes up again.
  void crash();

  Now now;
  storage::Memory store;
  bool is_storing = true;  ///< false: batches stay on their way
  std::vector<broker::Fact> facts;

 private:
  friend class Peer;
  void settle_output();
  /// Returns whether anything was.
  bool settle_storage();

  broker::Config config_;
  std::unique_ptr<broker::Core> core_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

/// Config of World tests: no $SYS topics, so that only what a test does is heard.
broker::Config quiet();
/// The same with persistence.
broker::Config durable();

}  // namespace mq::support

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/core.hpp"
#include "wire/encode.hpp"
#include "wire/framer.hpp"

namespace mq::support {

/// A client core with a clock that stands still; the test is its transport and its server, and
/// speaks through the real codec.
///
///     talk.open();
///     CHECK(talk.sent() == "CONNECT '' v4 k=60 clean");
///     CHECK(talk.reply(wire::Connack{}) == "connected");
class Conversation {
 public:
  explicit Conversation(client::Settings settings = {});

  /// Connects, and gives the core the transport that it wishes for.
  Conversation& open();
  /// The same, and the server says yes with these properties. Forgets CONNECT.
  Conversation& join(const wire::PropertyList& properties = {});
  /// The connection breaks, the back-off passes, and there is another one. Forgets CONNECT.
  Conversation& come_back(wire::Connack answer);

  /// Takes what the client has sent, in lines of line_of(), joined by "; ".
  std::string sent();
  /// Sends a packet to the client. Returns the events that follow, joined by "; ".
  template <class P>
  std::string reply(const P& packet) {
    std::vector<Byte> bytes;
    wire::encode(packet, core.version(), bytes);
    return reply_bytes(bytes);
  }
  std::string reply_bytes(ByteView bytes);
  /// Takes the events that are there.
  std::string events();
  /// Lets time pass, and deadlines come due. Returns the events.
  std::string advance(Millis duration);
  /// The transport breaks. Returns the events.
  std::string cut(std::string_view words = "reset");

  client::Ticket publish(std::string_view topic, std::string_view payload, wire::QoS qos);

  client::Core core;
  Now now;

 private:
  wire::Framer framer_;
};

std::string line_of(const client::Event& event);

/// Settings of a v5 client, with these properties of CONNECT.
client::Settings v5(const wire::PropertyList& properties = {});

}  // namespace mq::support

#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "broker/connection.hpp"
#include "broker/session.hpp"
#include "wire/fault.hpp"

/// What has happened, for whoever writes the log. The core states it as values and formats nothing.
namespace mq::broker::fact {

struct Connected {
  ConnectionId connection;
  std::string client_id;
  std::string user_name;
  wire::Version version;
  bool clean_start;
  bool session_present;
  std::uint16_t keep_alive;
};

/// CONNECT was answered with a refusal.
struct Refused {
  ConnectionId connection;
  std::string client_id;
  wire::Fault fault;
  std::string user_name = {};
};

enum class End : std::uint8_t {
  disconnected,  ///< the client said DISCONNECT
  closed,        ///< the socket closed without one
  timed_out,     ///< nothing within one and a half keep alives
  no_connect,    ///< CONNECT did not come in time
  too_slow,      ///< a packet that it began did not come in time
  too_many,      ///< there are as many connections as there may be
  taken_over,    ///< another connection has its client id
  fault,         ///< it broke the protocol
  broken,        ///< what its connection passes through has failed
  refused,       ///< as the Refused before it says
  expelled,      ///< its listener lets it in no more
  shutting_down,
};

struct Ended {
  ConnectionId connection;
  std::string client_id;  ///< empty before CONNECT
  End end;
  wire::Fault fault;       ///< with End::fault
  std::string words = {};  ///< with End::broken
};

/// What somebody sent is lost: it was not read in time, and the connection is over.
struct Unread {
  ConnectionId connection;
  std::string client_id;
  std::size_t bytes = 0;  ///< of the connection
};

struct Subscribed {
  std::string client_id;
  std::string filter;
  wire::QoS qos;
};

struct Unsubscribed {
  std::string client_id;
  std::string filter;
};

/// A session has lost messages. Told once a minute, for each reason.
struct Dropped {
  std::string client_id;
  Drop reason{};
  std::uint64_t count = 0;  ///< since the last time
};

enum class Act : std::uint8_t { publish, will, subscribe, read };

/// The rules deny something to a client.
struct Denied {
  ConnectionId connection;
  std::string client_id;
  std::string user_name;
  Act act;
  std::string topic;     ///< or filter
  std::string file;      ///< of the rules
  std::uint32_t line;    ///< of the rule that denies it; 0: no rule allows it
  std::uint32_t untold;  ///< how many there were since the last one that was told
};

}  // namespace mq::broker::fact

namespace mq::broker {

using Fact = std::variant<fact::Connected, fact::Refused, fact::Ended, fact::Subscribed,
                          fact::Unsubscribed, fact::Dropped, fact::Denied, fact::Unread>;

}  // namespace mq::broker

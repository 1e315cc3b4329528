#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "storage/store.hpp"
#include "wire/version.hpp"

namespace mq::broker {

/// What one listener grants to the connections that come through it.
struct ListenerConfig {
  std::uint16_t port = 0;  ///< tells it from others where its place among them does not last
  bool allow_anonymous = true;
  bool has_passwords = false;  ///< a user name counts only with its password
  std::string auto_id_prefix = "auto-";
  bool use_username_as_clientid = false;
  wire::QoS max_qos = wire::QoS::exactly_once;
  std::uint16_t max_topic_alias = 10;         ///< accepted from a client
  std::uint16_t max_topic_alias_broker = 10;  ///< used towards a client
  std::uint32_t max_publish_rate = 0;         ///< PUBLISHes a second of one client; 0: any
  std::uint64_t max_bytes_rate = 0;           ///< likewise, bytes of whatever it sends
  std::string mount_point = {};               ///< what the topics of its clients begin with unseen
  std::vector<wire::Version> versions = {};   ///< that it speaks; empty: all
  bool operator==(const ListenerConfig&) const = default;
};

/// What gives way when a queue is full.
enum class QueuePolicy : std::uint8_t {
  drop_newest,  ///< the message that comes
  drop_oldest,  ///< the one that has waited longest
  reject,       ///< like drop_newest, but a publisher that can be told so is refused beforehand
};

/// What the core is told. Every limit has a name, a default and a line in the manual.
struct Config {
  std::vector<ListenerConfig> listeners{ListenerConfig{}};
  std::string version = "mqbroker";  ///< what $SYS/broker/version says
  bool allow_zero_length_clientid = true;
  std::string clientid_prefixes;  ///< what every client id has to begin with; one, despite the name

  std::size_t max_packet_size = 2'000'000;  ///< bytes, the fixed header included
  std::uint16_t max_inflight_messages =
      20;  ///< per session and direction; 0: as many as there are ids
  std::size_t max_queued_messages =
      1000;                          ///< waiting per session, those under way not counted; 0: any
  std::size_t max_queued_bytes = 0;  ///< likewise, of payload; 0: any
  QueuePolicy queue_policy = QueuePolicy::drop_newest;
  std::size_t max_inflight_bytes = 0;  ///< of payload under way to one client; 0: any
  std::size_t message_size_limit = 0;  ///< of a payload; 0: any
  std::size_t memory_limit = 0;        ///< of the whole process; 0: any
  std::size_t global_max_clients = 0;  ///< sessions; 0: any
  std::size_t global_max_connections = 0;
  Seconds packet_timeout{300};        ///< for a packet to arrive whole, once it has begun
  Seconds retain_expiry_interval{0};  ///< between two searches for what has expired; 0: none
  /// What of a session's queue is in memory; the rest, with persistence, is in the store only.
  storage::Window queue_window{1000, 1U << 20U};
  /// Bytes of retained payload in memory; with persistence, what is above is in the store only.
  std::size_t retained_memory_limit = 64U << 20U;
  std::uint16_t max_keepalive = 0;  ///< seconds; 0: any
  bool retain_available = true;
  bool check_retain_source = true;  ///< what its publisher may not publish any more is withheld
  bool queue_qos0_messages = false;
  bool upgrade_outgoing_qos = false;

  /// What a connection may leave unread before QoS 0 messages for it are dropped.
  std::size_t max_unread_bytes = 16U << 20U;
  /// What all may leave unread, and the process have in use, before each may leave only little.
  std::size_t global_max_unread_bytes = 256U << 20U;
  Seconds connect_timeout{30};  ///< for CONNECT to arrive
  /// Sessions without a connection end after this long, whatever they asked for; 0: never.
  Seconds persistent_client_expiration{0};
  Seconds sys_interval{10};  ///< 0: no $SYS topics
  bool persistence = false;  ///< what is acknowledged is stored first
  /// So long an acknowledgement waits for those of receivers that are connected: when they have
  /// come, nothing need be stored.
  Millis persistence_delay{2};
  /// What may wait for the store before clients are not read any more.
  std::size_t max_unstored_bytes = 64U << 20U;
  /// What is done in a turn before the others have theirs. A delivery counts as one, and as another
  /// for each 256 bytes; so does a step on the way to it: of a search for filters, to a member of a
  /// share, to a rule of access.
  std::size_t work_a_turn = 250'000;
  std::uint64_t seed = 1;  ///< for assigned client ids
  bool operator==(const Config&) const = default;

  /// How much of what is stored is read at the start.
  storage::Budget budget() const { return {queue_window, retained_memory_limit}; }
};

}  // namespace mq::broker

#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/filter.hpp"
#include "net/broker_driver.hpp"

/// What a broker driver hangs on its libuv handles. Its own sources include it, nobody else.
namespace mq::net {

/// A socket that is listened on. libuv says when somebody wants to come in; it would accept itself,
/// but cannot wait until there is a file descriptor for that.
struct BrokerDriver::Listener {
  uv_poll_t handle{};
  int socket = -1;
  bool is_unix = false;
  BrokerDriver* driver;
  std::uint16_t index;
  bool has_nodelay = false;
  std::size_t connections_max = 0;
  MakeFilter make_filter;
  std::string path;  ///< of a Unix socket that was made here

  ~Listener() { shut(); }
  /// Nobody can come any more.
  void shut();
};

struct BrokerDriver::Regular {
  uv_timer_t timer;
  BrokerDriver* driver;
  std::function<void()> handler;
};

struct BrokerDriver::NotBound {
  sockaddr_storage address;
  int code;  ///< libuv's
};

struct BrokerDriver::Filtered {
  std::unique_ptr<Filter> filter;
  bool is_open = false;    ///< and the core knows
  bool is_closed = false;  ///< the filter has said goodbye
  std::vector<Byte> out;   ///< what the socket has not taken of what it put out
  broker::Counted unread;  ///< the core counts it
};

struct BrokerDriver::Peer {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  BrokerDriver* driver;
  broker::ConnectionId id;
  std::uint16_t listener = 0;
  sockaddr_in6 address{};  ///< or a sockaddr_in; of no family when it is no TCP
  bool is_writing = false;
  bool is_ending = false;
  bool is_paused = false;       ///< not read: it leaves too much unread itself
  bool is_held_back = false;    ///< not read: the store is behind
  bool is_throttled = false;    ///< not read: it is faster than its listener allows
  bool is_verified = true;      ///< false: not read, its password is being verified
  bool is_tail_read = false;    ///< the buffer under way is the core's own
  std::uint64_t verifying = 0;  ///< which of those that are to be
  HangUp* hang_up = nullptr;    ///< none: who reads will hear of it
  std::size_t rest_sent = 0;    ///< of the rest that the core has not handed over yet
  std::uint64_t ends_by = 0;
  std::unique_ptr<broker::SendQueue> rest;  ///< what it is to be sent while it is ending
  std::unique_ptr<Filtered> filtered;       ///< none: bytes pass as they are
};

/// Hears that the other side has closed its end of a connection that is not read. libuv takes a
/// descriptor but once, so it has one of its own.
struct BrokerDriver::HangUp {
  uv_poll_t handle;
  int descriptor;
};

struct BrokerDriver::Verifying {
  uv_work_t request;
  BrokerDriver* driver;
  std::uint64_t number;
  broker::Verification asked;
  FailureBrake::Name name;
  std::string neighbour;  ///< who comes from the same place
  std::function<bool()> job;
  std::uint64_t generation = 0;
  bool is_running = false;
  bool is_right = false;
};

struct BrokerDriver::Watch {
  uv_fs_poll_t handle;
  BrokerDriver* driver;
};

struct BrokerDriver::Write {
  uv_write_t request;
  Peer* peer;
  std::size_t size;
};

}  // namespace mq::net

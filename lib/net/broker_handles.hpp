#pragma once

#include <uv.h>

#include <cstdint>
#include <string>

#include "net/broker_driver.hpp"

/// What a broker driver hangs on its libuv handles. Its own sources include it, nobody else.
namespace mq::net {

struct BrokerDriver::Listener {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  BrokerDriver* driver;
  std::uint16_t index;
  bool has_nodelay = false;
  std::string label;
};

struct BrokerDriver::NotBound {
  sockaddr_storage address;
  int code;  ///< libuv's
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
  bool is_writing = false;
  bool is_ending = false;
  bool is_paused = false;     ///< not read: it leaves too much unread itself
  bool is_tail_read = false;  ///< the buffer under way is the core's own
  std::uint64_t ends_by = 0;
  broker::SendQueue rest;
};

}  // namespace mq::net

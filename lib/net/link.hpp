#pragma once

#include <uv.h>

#include <memory>
#include <vector>

#include "base/bytes.hpp"

namespace mq::net {

/// A stream to a server, TCP or Unix, with the requests that it needs one at a time.
struct Link {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  uv_connect_t connect{};
  uv_write_t write{};
  uv_shutdown_t shutdown{};
  bool is_writing = false;
  bool is_shut_down = false;
  std::size_t write_size = 0;
  std::vector<Byte> filtered;  ///< to be written, what comes out of a filter

  Link() : handle() {}
};

/// Closes the stream; the memory goes when libuv has let go of it.
struct CloseLink {
  void operator()(Link* link) const {
    link->handle.data = nullptr;
    uv_close(&link->handle, [](uv_handle_t* handle) { delete reinterpret_cast<Link*>(handle); });
  }
};
using LinkPtr = std::unique_ptr<Link, CloseLink>;

}  // namespace mq::net

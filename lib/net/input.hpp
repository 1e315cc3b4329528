#pragma once

#include <uv.h>

#include <memory>

#include "base/bytes.hpp"
#include "client/application.hpp"
#include "net/loop.hpp"

namespace mq::net {

/// Reads a file descriptor (a pipe, a terminal, a file) as fast as the sink wants it, and no
/// faster. Does not keep the loop alive while the sink wants nothing. To be made before a
/// ClientDriver is started: what was made first looks last before the loop sleeps, and it must see
/// the room that writing has made.
class Input {
 public:
  /// The descriptor stays the caller's and is given back in the mode that it had.
  Input(Loop& loop, int descriptor, client::InputSink& sink);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

 private:
  static void on_prepare(uv_prepare_t* handle);
  void follow_wish();
  void read_some();

  Loop& loop_;
  int descriptor_;
  int mode_;  ///< its flags before us
  client::InputSink& sink_;
  std::unique_ptr<uv_prepare_t> prepare_;
  std::unique_ptr<uv_poll_t> poll_;  ///< none for a file: that is always readable
  std::unique_ptr<uv_idle_t> idle_;
  std::unique_ptr<Byte[]> room_;
  bool is_reading_ = false;
  bool is_ended_ = false;
};

}  // namespace mq::net

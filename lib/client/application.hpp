#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace mq::client {

/// Whoever a driver runs a client core for.
class Application {
 public:
  virtual ~Application() = default;

  /// The core may have events: take them all, they refer to memory that the driver reuses.
  virtual void on_events(Now now) = 0;
  /// Everything that could be read was read, and what is gathered should go out before the loop
  /// sleeps. Comes again when all of it went out at once: there is room for more.
  virtual void on_turn_end(Now /*now*/) {}
  virtual Instant next_deadline() const { return kNever; }
  virtual void on_deadline(Now /*now*/) {}
  /// Somebody wants it to end.
  ///
  /// signal  by its number
  virtual void on_interrupt(int /*signal*/, Now /*now*/) {}
  /// Bytes as they pass, for those who want to watch.
  virtual void on_bytes_received(ByteView /*bytes*/) {}
  virtual void on_bytes_sent(ByteView /*bytes*/) {}
  /// The driver lets go of everything, so that the loop can end.
  virtual bool is_done() const = 0;
};

/// Takes bytes from an input at its own pace.
class InputSink {
 public:
  virtual ~InputSink() = default;
  virtual bool wants_input() const = 0;
  virtual void on_input(ByteView bytes, Now now) = 0;
  virtual void on_input_end(Now now) = 0;
  /// It cannot be read, and so there will be no more of it.
  virtual void on_input_failed(std::string_view words, Now now) = 0;
};

}  // namespace mq::client

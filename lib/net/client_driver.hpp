#pragma once

#include <uv.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "base/filter.hpp"
#include "client/application.hpp"
#include "client/core.hpp"
#include "client/endpoint.hpp"
#include "net/dial.hpp"
#include "net/link.hpp"
#include "net/loop.hpp"

namespace mq::net {

/// Moves bytes between a client core and libuv. It knows no MQTT. Several of them may share a loop.
///
/// A turn of the loop: what is readable is read and its events are taken by the application; then,
/// before the loop sleeps, the application flushes and the output is written with one call.
class ClientDriver {
 public:
  /// All of them must outlive the driver, and the driver must go before the loop.
  ///
  /// make_filter  for each connection, what it is to pass through; none: nothing
  ClientDriver(Loop& loop, client::Core& core, client::Application& application,
               client::Endpoint endpoint, MakeFilter make_filter = {});
  ~ClientDriver();
  ClientDriver(const ClientDriver&) = delete;
  ClientDriver& operator=(const ClientDriver&) = delete;

  /// Connects, and keeps the loop alive until the application is done.
  void start();
  /// Tells the application that somebody wants it to end. From the loop.
  void interrupt(int signal);

 private:
  /// How long the server may take to close, once it has got all.
  static constexpr Millis kLinger = Seconds(2);
  /// How long a goodbye, and what is before it, may stand still until then.
  static constexpr Millis kStandstill = Seconds(10);

  static void on_prepare(uv_prepare_t* handle);
  static void on_timer(uv_timer_t* handle);
  static void on_alloc(uv_handle_t* handle, std::size_t suggested, uv_buf_t* buffer);
  static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer);
  static void on_written(uv_write_t* request, int status);

  void turn();
  void take_events();
  /// Brings the stream to what the core wants.
  void follow_wish();
  void dial();
  void on_dialled(std::expected<LinkPtr, Error> result);
  // client_filter.cpp: where there is a filter
  void on_filtered_read(ByteView bytes);
  /// Hands the core what the filter makes of what has come.
  void read_filter();
  /// Returns false when the connection is gone.
  bool follow_filter();
  void say_last_words();
  /// See write().
  bool write_filtered();
  void on_filtered_written();

  bool write();
  void write_rest();
  void shut_down();
  void drop(int status);
  void drop_link();
  void on_sent(std::size_t size);
  /// Bytes that libuv and the system have still to bring to the server.
  std::size_t unsent() const;
  /// Draining may go on for some time.
  /// The goodbye has moved.
  void linger();
  void look_at_goodbye(Instant now);
  void arm_timer();
  void finish();

  Loop& loop_;
  client::Core& core_;
  client::Application& application_;
  client::Endpoint endpoint_;
  MakeFilter make_filter_;
  std::unique_ptr<uv_prepare_t> prepare_;
  std::unique_ptr<uv_idle_t> idle_;  ///< keeps the loop from sleeping for one turn
  std::unique_ptr<uv_timer_t> timer_;
  std::unique_ptr<Dial> dial_;
  LinkPtr link_;
  std::unique_ptr<Filter> filter_;  ///< of the link, if it has one
  bool is_filter_open_ = false;     ///< and the core knows
  std::unique_ptr<Byte[]> room_;    ///< what is read, unless the core has a better place
  bool is_tail_read_ = false;
  bool is_draining_ = false;
  Instant last_moved_{};         ///< when some of the goodbye was last seen to leave
  std::size_t last_unsent_ = 0;  ///< unsent() then
  Instant look_again_at_ = kNever;
  Instant armed_for_ = kNever;
  bool is_finished_ = false;
};

}  // namespace mq::net

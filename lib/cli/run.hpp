#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "cli/connect_options.hpp"
#include "cli/console.hpp"
#include "cli/packet_trace.hpp"
#include "client/application.hpp"
#include "client/core.hpp"

namespace mq::cli {

/// What the runs of mqsub and mqpub have in common: how the connection comes and goes, what is said
/// about that, and how it ends.
class Run : public client::Application {
 public:
  /// All of them must outlive it.
  Run(client::Core& core, const ConnectOptions& options, Notices& notices);

  void on_events(Now now) final;
  void on_bytes_sent(ByteView bytes) final;
  void on_bytes_received(ByteView bytes) final;
  bool is_done() const final { return is_done_; }
  /// The time limit of the run.
  virtual Instant ends_by() const { return kNever; }
  /// Valid when it is done.
  int exit_code() const { return exit_code_; }

 protected:
  virtual void on_connected(const client::Connected& event, Now now) = 0;
  virtual void on_arrived(const client::Arrived& /*event*/, Now /*now*/) {}
  virtual void on_settled(const client::Settled& /*event*/, Now /*now*/) {}
  virtual void on_subscribed(const client::Subscribed& /*event*/, Now /*now*/) {}
  virtual void on_unsubscribed(const client::Unsubscribed& /*event*/, Now /*now*/) {}
  /// The connection is gone; there will be another attempt.
  virtual void on_away(Now /*now*/) {}
  /// The connection has ended after finish().
  virtual void on_goodbye(const client::Ended& /*event*/) {}
  /// It is over, one way or the other: the last chance to say something.
  virtual void on_ended() {}

  /// Says goodbye to the server and ends with this exit code.
  void finish(int exit_code, Now now,
              wire::ReasonCode reason = wire::ReasonCode::normal_disconnection);
  /// Somebody wants it to end: as finish(); and at once when it was about to.
  void interrupt(int exit_code, Now now,
                 wire::ReasonCode reason = wire::ReasonCode::normal_disconnection);
  /// The time limit of the run has come: says so, and ends.
  void time_out(Now now);
  /// The server has acknowledged nothing in time: says so, and ends.
  void give_up_waiting(Now now);
  /// What was received could not be written, as errno says: it is not acknowledged, and the run
  /// ends. A reader that has gone away is a quiet end. When it was not waited for (ECANCELED), the
  /// run ends by what has put an end to waiting: an interrupt or the time limit.
  void give_up_printing(Now now);
  /// The same when the run is over: only words and the exit code are left.
  void note_unwritten();
  bool is_finishing() const { return is_finishing_; }
  /// That the network has taken, over all connections.
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  void set_exit_code(int exit_code) { exit_code_ = exit_code; }

  client::Core& core() { return core_; }
  const client::Core& core() const { return core_; }
  Notices& notices() { return notices_; }
  const client::Endpoint& endpoint() const { return options_.endpoint; }

 private:
  void handle(const client::Event& event, Now now);
  void handle_lost(const client::Lost& lost, Now now);
  void handle_refused(const client::Refused& refused, Now now);
  /// One line when the connection goes, none for each vain attempt to get it back.
  void tell_away(const std::string& words, Now now);
  void end(int exit_code);

  client::Core& core_;
  const ConnectOptions& options_;
  Notices& notices_;
  std::optional<PacketTrace> trace_;  ///< with --debug
  std::uint64_t bytes_sent_ = 0;
  bool is_away_told_ = false;
  bool is_finishing_ = false;
  bool is_called_off_ = false;  ///< by an interrupt or the time limit
  bool is_cut_short_ = false;   ///< likewise, but by which of them is still to be heard
  bool is_done_ = false;
  int exit_code_ = 0;
};

}  // namespace mq::cli

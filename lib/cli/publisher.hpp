#pragma once

#include <cstdint>
#include <string>

#include "cli/line_cutter.hpp"
#include "cli/pub_options.hpp"
#include "cli/run.hpp"

namespace mq::cli {

/// The run of mqpub: publishes one message, repeated or not, or each line of its input, and ends
/// well only when all of it has arrived.
class Publisher final : public Run, public client::InputSink {
 public:
  /// All of them must outlive it.
  ///
  /// payload  of the message; of no account with Source::lines
  Publisher(const PubOptions& options, std::string payload, client::Core& core, Notices& notices);

  void on_interrupt(int signal, Now now);

  bool wants_input() const override;
  void on_input(ByteView bytes, Now now) override;
  void on_input_end(Now now) override;

  Instant next_deadline() const override;
  void on_deadline(Now now) override;

 private:
  void on_connected(const client::Connected& event, Now now) override;
  void on_settled(const client::Settled& event, Now now) override;
  void on_away(Now now) override;
  void on_turn_end(Now now) override { publish_more(now); }
  void on_goodbye(const client::Ended& event) override;
  void on_ended() override;

  void publish_more(Now now);
  void publish_lines(Now now);
  void publish_copies(Now now);
  bool publish(std::string_view payload, Now now);
  bool is_all_published() const;
  void end_when_settled(Now now);
  std::uint64_t unsettled() const { return published_ - settled_; }

  const PubOptions& options_;
  std::string payload_;
  LineCutter lines_;
  std::uint64_t published_ = 0;
  std::uint64_t settled_ = 0;
  std::uint64_t delivered_ = 0;
  int refusal_ = 0;  ///< the reason code of the first
  Instant next_copy_{};
  Instant progress_at_ = kNever;  ///< kNever: nothing is awaited
};

}  // namespace mq::cli

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cli/json_line.hpp"
#include "cli/line_cutter.hpp"
#include "cli/pace.hpp"
#include "cli/progress.hpp"
#include "cli/pub_options.hpp"
#include "cli/run.hpp"

namespace mq::cli {

/// The run of mqpub: publishes one message, repeated or not, or the lines of its input, and ends
/// well only when all of it has arrived.
class Publisher final : public Run, public client::InputSink {
 public:
  /// All of them must outlive it.
  ///
  /// payload     of the message; of no account when it reads lines
  /// input_size  of those lines in bytes, where that can be known
  Publisher(const PubOptions& options, std::string payload, std::optional<std::uint64_t> input_size,
            client::Core& core, Notices& notices);

  void on_interrupt(int signal, Now now) override;

  bool wants_input() const override;
  void on_input(ByteView bytes, Now now) override;
  void on_input_end(Now now) override;
  void on_input_failed(std::string_view words, Now now) override;

  Instant next_deadline() const override;
  void on_deadline(Now now) override;

 private:
  void on_connected(const client::Connected& event, Now now) override;
  void on_settled(const client::Settled& event, Now now) override;
  void on_turn_end(Now now) override { publish_more(now); }
  void on_goodbye(const client::Ended& event) override;
  void on_ended() override;

  void publish_more(Now now);
  void publish_lines(Now now);
  bool publish_line(std::string_view line, Now now);
  bool publish_separated(std::string_view line, Now now);
  bool publish_json(std::string_view line, Now now);
  bool publish_json(const JsonLine& message, Now now);
  /// Returns false when the message is due later, and held until then.
  bool is_due(JsonLine& message, Now now);
  void refuse_line(std::string_view words);
  void publish_copies(Now now);
  bool publish(std::string_view payload, Now now);
  bool publish(const wire::Publish& message, Now now);
  bool has_room() const;
  void tell_lost_properties(const wire::PropertyList& properties);
  Transferred transferred() const;
  void settle_lines(std::uint64_t count);
  bool is_late(Now now) const;
  bool is_all_published() const;
  void end_when_settled(Now now);
  std::string_view delivery_word() const;
  std::uint64_t unsettled() const { return published_ - settled_; }
  void remember_number(client::Ticket ticket);
  /// Of a message in the order of the input, from 1; nothing when that is forgotten.
  std::optional<std::uint64_t> number_of(client::Ticket ticket) const;

  const PubOptions& options_;
  std::string payload_;
  LineCutter lines_;
  std::uint64_t published_ = 0;
  client::Ticket last_ticket_ = 0;
  /// The number of the first message of each run of consecutive tickets, by its ticket.
  std::map<client::Ticket, std::uint64_t> runs_;
  std::uint64_t settled_ = 0;
  std::deque<std::uint64_t> line_ends_;  ///< where in the input those lines end that are under way
  std::uint64_t bytes_settled_ = 0;      ///< of the input
  std::uint64_t delivered_ = 0;
  std::uint64_t sent_ = 0;       ///< of them, without an acknowledgement
  std::uint64_t bad_lines_ = 0;  ///< skipped, or the last one
  bool is_stopped_ = false;      ///< by a bad line
  bool is_input_broken_ = false;
  bool is_end_lost_ = false;  ///< the network did not take what was to go before the goodbye
  bool are_properties_lost_ = false;
  std::optional<Pace> pace_;
  std::optional<JsonLine> held_;  ///< until it is due
  Instant held_until_{};
  Progress progress_;
  int refusal_ = 0;  ///< the reason code of the first
  Instant next_copy_{};
  Instant progress_at_ = kNever;  ///< kNever: nothing is awaited
};

}  // namespace mq::cli

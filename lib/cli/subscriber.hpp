#pragma once

#include <cstdint>

#include "cli/console.hpp"
#include "cli/formatter.hpp"
#include "cli/run.hpp"
#include "cli/sub_options.hpp"

namespace mq::cli {

/// The run of mqsub: subscribes whenever that is needed, prints what comes, ends when it should.
class Subscriber final : public Run {
 public:
  /// All of them must outlive it.
  Subscriber(const SubOptions& options, client::Core& core, Output& output, Notices& notices);

  /// The time limit of the run counts from here.
  void start(Now now);
  void on_interrupt(Now now);

  void on_turn_end(Now now) override;
  Instant next_deadline() const override { return ends_by_; }
  void on_deadline(Now now) override;

 private:
  void on_connected(const client::Connected& event, Now now) override;
  void on_arrived(const client::Arrived& event, Now now) override;
  void on_subscribed(const client::Subscribed& event, Now now) override;
  void on_unsubscribed(const client::Unsubscribed& event, Now now) override;

  void subscribe(Now now);
  bool is_filtered_out(const wire::Publish& message) const;
  void flush(Now now);
  void end_after_answers(Now now);

  const SubOptions& options_;
  Output& output_;
  Formatter formatter_;
  Instant ends_by_ = kNever;
  std::uint64_t printed_ = 0;
  bool was_connected_ = false;
  int answers_due_ = 0;
};

}  // namespace mq::cli

#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/prng.hpp"
#include "cli/console.hpp"
#include "cli/formatter.hpp"
#include "cli/run.hpp"
#include "cli/sub_options.hpp"
#include "cli/watch.hpp"

namespace mq::cli {

/// The run of mqsub: subscribes whenever that is needed, prints what comes, ends when it should.
class Subscriber final : public Run {
 public:
  /// All of them must outlive it.
  ///
  /// prng  chooses among messages, for --random-filter
  Subscriber(const SubOptions& options, client::Core& core, Output& output, Notices& notices,
             Prng prng);

  /// The time limit of the run counts from here.
  void start(Now now);
  void on_interrupt(int signal, Now now) override;

  Instant ends_by() const override { return ends_by_; }
  void on_turn_end(Now now) override;
  Instant next_deadline() const override {
    return std::min({ends_by_, answered_by_, quiet_by_, rate_at_});
  }
  void on_deadline(Now now) override;

 private:
  void on_connected(const client::Connected& event, Now now) override;
  void on_arrived(const client::Arrived& event, Now now) override;
  void on_subscribed(const client::Subscribed& event, Now now) override;
  void on_settled(const client::Settled& event, Now now) override;
  void on_away(Now now) override;
  void on_ended() override;
  void on_unsubscribed(const client::Unsubscribed& event, Now now) override;

  void hint_at_new_session();
  void subscribe(Now now);
  bool is_filtered_out(const wire::Publish& message) const;
  void on_live(Now now);
  void print(const wire::Publish& message, Now now);
  void print_rate(Now now);
  void remove(std::string_view topic, Now now);
  void remove_waiting(Now now);
  /// Ends with 0 as soon as what is to be removed is removed.
  void end_well(Now now);
  void flush(Now now);
  void expect_more(Now now);
  void end_after_answers(Now now);

  const SubOptions& options_;
  Output& output_;
  Formatter formatter_;
  Watch watch_;
  Prng prng_;
  std::string scratch_;
  Instant ends_by_ = kNever;
  Instant answered_by_ = kNever;       ///< what was asked for with -t and -U
  Instant quiet_by_ = kNever;          ///< --retained-only: then everything has come
  Instant rate_at_ = kNever;           ///< --message-rate: when to print the next one
  std::uint64_t arrived_ = 0;          ///< since the last rate was printed
  std::deque<std::string> to_remove_;  ///< topics for which the core has no room yet
  bool is_probing_ = false;            ///< likewise: PINGREQ is out, to come back behind the last
  bool is_ending_ = false;
  std::uint64_t printed_ = 0;
  bool was_connected_ = false;
  int answers_due_ = 0;
};

}  // namespace mq::cli

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/prng.hpp"
#include "cli/console.hpp"
#include "cli/formatter.hpp"
#include "cli/pub_options.hpp"
#include "cli/run.hpp"

namespace mq::cli {

/// The run of mqpub --request: subscribes to where the answers go, publishes one message that says
/// so, prints what is answered, and ends when that is enough.
///
/// Spec  MQTT 5.0 §4.10
class Requester final : public Run {
 public:
  /// All of them must outlive it.
  ///
  /// payload  of the request
  /// prng     makes up the response topic and the correlation data that were not given
  Requester(const PubOptions& options, std::string payload, client::Core& core, Output& output,
            Notices& notices, Prng prng);

  /// The time limit of the run counts from here.
  void start(Now now);
  void on_interrupt(int signal, Now now) override;

  Instant ends_by() const override { return ends_by_; }
  void on_turn_end(Now now) override;
  Instant next_deadline() const override { return std::min(ends_by_, answered_by_); }
  void on_deadline(Now now) override;

 private:
  void on_connected(const client::Connected& event, Now now) override;
  void on_subscribed(const client::Subscribed& event, Now now) override;
  void on_settled(const client::Settled& event, Now now) override;
  void on_arrived(const client::Arrived& event, Now now) override;
  void on_ended() override;

  void publish(Now now);
  void await_acknowledgement(Now now);
  bool is_answer(const wire::Publish& message) const;
  void print_latency(WallTime now);
  void flush(Now now);

  const PubOptions& options_;
  std::string payload_;
  Output& output_;
  Formatter formatter_;
  std::string response_topic_;
  wire::PropertyList properties_;  ///< of the request
  std::string correlation_;
  Instant ends_by_ = kNever;
  Instant answered_by_ = kNever;  ///< what was subscribed to or published
  bool is_subscribed_ = false;
  bool is_published_ = false;
  WallTime published_at_{};
  std::uint64_t answers_ = 0;
};

}  // namespace mq::cli

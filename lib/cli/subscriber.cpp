#include "cli/subscriber.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "cli/connection_words.hpp"
#include "cli/exit_code.hpp"
#include "topic/name.hpp"

namespace mq::cli {

namespace {

constexpr Millis kRateInterval = Seconds(1);
/// So long without another retained message means that there is none.
constexpr Millis kQuiet = Seconds(1);

}  // namespace

using wire::QoS;
using wire::ReasonCode;

Subscriber::Subscriber(const SubOptions& options, client::Core& core, Output& output,
                       Notices& notices, Prng prng)
    : Run(core, options.connection, notices),
      options_(options),
      output_(output),
      formatter_(format_of(options, output.medium()), notices),
      prng_(prng) {}

void Subscriber::start(Now now) {
  if (options_.timeout) ends_by_ = now.steady + *options_.timeout;
  if (options_.shows_rate) rate_at_ = now.steady + kRateInterval;
  if (options_.is_watching) Watch::begin(output_.buffer());
  const ConnectOptions& connection = options_.connection;
  if (connection.is_session_kept && connection.qos == QoS::at_most_once) {
    notices().hint("messages sent while you are away are kept from QoS 1 on: add -q 1");
  } else if (connection.client_id && connection.qos != QoS::at_most_once &&
             !connection.is_session_kept) {
    notices().hint("messages sent while you are away will not be kept: add -c");
  }
}

void Subscriber::on_interrupt(int /*signal*/, Now now) {
  if (!was_connected_) return interrupt(exit_code::kInterruptedEarly, now);
  const bool is_v5 = core().version() == wire::Version::v5;
  interrupt(exit_code::kOk, now,
            is_v5 ? ReasonCode::disconnect_with_will : ReasonCode::normal_disconnection);
}

void Subscriber::on_deadline(Now now) {
  if (now.steady >= ends_by_) {
    ends_by_ = kNever;
    time_out(now);
  }
  if (now.steady >= rate_at_) print_rate(now);
  if (now.steady >= answered_by_) {
    answered_by_ = kNever;
    return give_up_waiting(now);
  }
  if (now.steady < quiet_by_) return;
  quiet_by_ = kNever;
  is_probing_ = true;
  core().ping(now);
}

void Subscriber::print_rate(Now now) {
  rate_at_ += kRateInterval;
  if (rate_at_ <= now.steady) rate_at_ = now.steady + kRateInterval;
  output_.buffer() += std::to_string(std::exchange(arrived_, 0)) + " msgs/s\n";
  flush(now);
}

/// Requests and the quiet behind them have to begin anew.
void Subscriber::on_away(Now) {
  quiet_by_ = answered_by_ = kNever;
  is_probing_ = false;
}

void Subscriber::on_connected(const client::Connected& event, Now now) {
  const bool can_tell = core().version() != wire::Version::v31;
  const bool is_new = can_tell && !event.session_present;
  if (is_new && !event.is_first && options_.connection.is_session_kept) {
    notices().note("the server has forgotten the session; what came meanwhile is lost");
  }
  if (is_new && event.is_first) hint_at_new_session();
  was_connected_ = true;
  const bool was_unanswered = std::exchange(answers_due_, 0) > 0;
  const bool wants_retained = !options_.shows_live && !is_ending_;
  if (event.is_first || !event.session_present || was_unanswered || wants_retained) {
    subscribe(now);
  }
}

void Subscriber::hint_at_new_session() {
  const ConnectOptions& connection = options_.connection;
  const bool is_expected = connection.is_session_kept && !options_.ends_after_subscribing;
  if (is_expected && connection.qos != QoS::at_most_once) {
    notices().hint("the server had no session of this id: messages are kept from now on");
  }
}

void Subscriber::subscribe(Now now) {
  bool is_sent = true;
  if (!options_.filters.empty()) {
    wire::Subscribe request{.properties = options_.connection.properties.subscribe.view()};
    wire::SubscriptionOptions how{
        .qos = options_.connection.qos,
        .retain_as_published = options_.is_retain_kept,
        .retain_handling = options_.retain_handling.value_or(wire::RetainHandling::send)};
    if (!options_.shows_retained) how.retain_handling = wire::RetainHandling::do_not_send;
    for (const auto& filter : options_.filters) request.subscriptions.push_back({filter, how});
    is_sent = core().subscribe(request, now).has_value();
    ++answers_due_;
  }
  if (!options_.unsubscriptions.empty()) {
    wire::Unsubscribe request{.properties = options_.connection.properties.unsubscribe.view()};
    request.filters.assign(options_.unsubscriptions.begin(), options_.unsubscriptions.end());
    is_sent = is_sent && core().unsubscribe(request, now).has_value();
    ++answers_due_;
  }
  if (answers_due_ > 0 && options_.connection.ack_timeout > Millis(0)) {
    answered_by_ = now.steady + options_.connection.ack_timeout;
  }
  if (is_sent) return;
  notices().error("the server takes no packet that is large enough for all these topics");
  finish(static_cast<int>(ReasonCode::packet_too_large), now);
}

void Subscriber::on_subscribed(const client::Subscribed& event, Now now) {
  std::size_t denied = 0;
  for (std::size_t i = 0; i < event.codes.size(); ++i) {
    if (event.codes[i] < 0x80) continue;
    ++denied;
    notices().error("subscription to \"" + options_.filters[i] +
                    "\" denied: " + std::string(words_of_subscription_code(event.codes[i])));
  }
  if (denied == event.codes.size()) return finish(event.codes.front(), now);
  if (!options_.shows_live) expect_more(now);
  end_after_answers(now);
}

void Subscriber::on_unsubscribed(const client::Unsubscribed& event, Now now) {
  for (std::size_t i = 0; i < event.codes.size(); ++i) {
    const auto reason = static_cast<ReasonCode>(event.codes[i]);
    if (!is_failure(reason)) continue;
    notices().error("cannot unsubscribe from \"" + options_.unsubscriptions[i] +
                    "\": " + std::string(wire::name(reason, wire::PacketType::unsuback)));
  }
  end_after_answers(now);
}

void Subscriber::end_after_answers(Now now) {
  if (--answers_due_ == 0) answered_by_ = kNever;
  if (options_.ends_after_subscribing && answers_due_ == 0) finish(exit_code::kOk, now);
}

void Subscriber::on_arrived(const client::Arrived& event, Now now) {
  const wire::Publish& message = event.message;
  if (is_ending_) return;
  if (!options_.shows_live) {
    if (!message.retain) return on_live(now);
    expect_more(now);
  }
  if (is_filtered_out(message)) return;
  if (message.retain && options_.removes_retained) remove(message.topic, now);
  if (options_.millionths < kAllMessages && !prng_.chance(options_.millionths, kAllMessages)) {
    return;
  }
  print(message, now);
  if (++printed_ == options_.count) end_well(now);
}

/// Nothing says that the last retained message has come. When it is quiet for a while, a PINGREQ
/// goes out: its answer comes behind whatever a slow network has still to bring.
void Subscriber::expect_more(Now now) {
  is_probing_ = false;
  quiet_by_ = now.steady + kQuiet;
}

/// What is retained comes first. But what is removed comes back as an empty live message.
void Subscriber::on_live(Now now) {
  if (!options_.removes_retained) end_well(now);
}

void Subscriber::print(const wire::Publish& message, Now now) {
  if (options_.shows_rate) {
    ++arrived_;
    return;
  }
  if (options_.is_watching) {
    scratch_.clear();
    formatter_.append(message, now.wall, scratch_);
    watch_.show(message.topic, scratch_, output_.buffer());
  } else {
    formatter_.append(message, now.wall, output_.buffer());
  }
  if (!output_.flush_when_large()) return give_up_printing(now);
  if (output_.medium() == Medium::terminal) flush(now);
}

void Subscriber::remove(std::string_view topic, Now now) {
  to_remove_.emplace_back(topic);
  remove_waiting(now);
}

void Subscriber::remove_waiting(Now now) {
  while (!to_remove_.empty()) {
    const wire::Publish removal{.qos = QoS::at_least_once,
                                .retain = true,
                                .topic = to_remove_.front(),
                                .properties = {},
                                .payload = {}};
    if (!core().publish(removal, now)) return;
    to_remove_.pop_front();
  }
}

void Subscriber::on_settled(const client::Settled& event, Now now) {
  if (event.outcome == client::Outcome::refused) {
    notices().error("a retained message was not removed: " +
                    std::string(wire::name(event.reason, wire::PacketType::puback)));
    return finish(static_cast<int>(event.reason), now);
  }
  remove_waiting(now);
  if (is_ending_) end_well(now);
}

void Subscriber::end_well(Now now) {
  is_ending_ = true;
  core().take_no_more();
  quiet_by_ = kNever;
  if (to_remove_.empty() && core().unsettled() == 0) finish(exit_code::kOk, now);
}

void Subscriber::on_ended() {
  if (options_.is_watching) watch_.end(output_.buffer());
  if (!output_.flush()) note_unwritten();
}

bool Subscriber::is_filtered_out(const wire::Publish& message) const {
  if (message.retain && !options_.shows_retained) return true;
  return std::ranges::any_of(options_.filters_out, [&](const std::string& filter) {
    return topic::matches(filter, message.topic);
  });
}

void Subscriber::on_turn_end(Now now) {
  flush(now);
  if (is_probing_ && !core().is_ping_out()) {
    is_probing_ = false;
    end_well(now);
  }
}

void Subscriber::flush(Now now) {
  if (!output_.flush()) give_up_printing(now);
}

}  // namespace mq::cli

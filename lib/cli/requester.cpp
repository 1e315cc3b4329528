#include "cli/requester.hpp"

#include <fmt/format.h>

#include <utility>

#include "cli/connection_words.hpp"
#include "cli/exit_code.hpp"

namespace mq::cli {

using client::Outcome;
using wire::PropertyId;
using wire::ReasonCode;

Requester::Requester(const PubOptions& options, std::string payload, client::Core& core,
                     Output& output, Notices& notices, Prng prng)
    : Run(core, options.connection, notices),
      options_(options),
      payload_(std::move(payload)),
      output_(output),
      formatter_(format_of(options, output.medium()), notices),
      properties_(options.connection.properties.publish) {
  const std::string random = fmt::format("{:016x}", prng.next());
  response_topic_ = options.response_topic.value_or("response/" + random);
  if (!properties_.view().find(PropertyId::response_topic)) {
    properties_.add(PropertyId::response_topic, response_topic_);
  }
  if (!properties_.view().find(PropertyId::correlation_data)) {
    properties_.add(PropertyId::correlation_data, bytes_of(random));
  }
  correlation_ = text_of(*properties_.view().binary(PropertyId::correlation_data));
}

void Requester::start(Now now) {
  if (options_.timeout) ends_by_ = now.steady + *options_.timeout;
}

void Requester::on_interrupt(int signal, Now now) {
  interrupt(exit_code::kSignal + signal, now);
}

/// The server has so long for its next acknowledgement, but none for the answer.
void Requester::await_acknowledgement(Now now) {
  const Millis timeout = options_.connection.ack_timeout;
  answered_by_ = timeout > Millis(0) ? now.steady + timeout : kNever;
}

void Requester::on_deadline(Now now) {
  if (now.steady >= answered_by_) {
    answered_by_ = kNever;
    return give_up_waiting(now);
  }
  if (now.steady < ends_by_) return;
  ends_by_ = kNever;
  time_out(now);
}

void Requester::on_connected(const client::Connected& event, Now now) {
  if (!event.is_first && event.session_present && is_subscribed_) return;
  is_subscribed_ = false;
  const auto usual = wire::RetainHandling::do_not_send;
  const wire::SubscriptionOptions how{
      .qos = options_.connection.qos,
      .retain_as_published = options_.is_retain_kept,
      .retain_handling =
          options_.shows_retained ? options_.retain_handling.value_or(usual) : usual};
  const bool is_sent =
      core()
          .subscribe({.properties = options_.connection.properties.subscribe.view(),
                      .subscriptions = {{response_topic_, how}}},
                     now)
          .has_value();
  if (is_sent) return await_acknowledgement(now);
  notices().error("the server takes no packet that is large enough for the response topic");
  finish(static_cast<int>(ReasonCode::packet_too_large), now);
}

void Requester::on_subscribed(const client::Subscribed& event, Now now) {
  if (event.codes.front() >= 0x80) {
    notices().error(fmt::format("subscription to \"{}\" denied: {}", response_topic_,
                                words_of_subscription_code(event.codes.front())));
    return finish(event.codes.front(), now);
  }
  is_subscribed_ = true;
  answered_by_ = kNever;
  publish(now);
}

/// Only now can no answer be missed.
void Requester::publish(Now now) {
  if (!is_subscribed_ || is_published_ || is_finishing()) return;
  is_published_ = core()
                      .publish({.qos = options_.connection.qos,
                                .retain = options_.is_retained,
                                .topic = options_.topic,
                                .properties = properties_.view(),
                                .payload = bytes_of(payload_)},
                               now)
                      .has_value();
  published_at_ = now.wall;
  if (is_published_ && options_.connection.qos != wire::QoS::at_most_once) {
    await_acknowledgement(now);
  }
}

void Requester::on_settled(const client::Settled& event, Now now) {
  answered_by_ = kNever;
  if (event.outcome == Outcome::refused) {
    notices().error(
        fmt::format("request refused: {}", wire::name(event.reason, wire::PacketType::puback)));
    return finish(static_cast<int>(event.reason), now);
  }
  if (event.outcome == Outcome::dropped) is_published_ = false;
  if (event.reason == ReasonCode::no_matching_subscribers) {
    notices().note(
        fmt::format("nobody has subscribed to {}: there may be no answer", options_.topic));
  }
}

/// Whoever answers may leave out the correlation data, but not have those of another request.
bool Requester::is_answer(const wire::Publish& message) const {
  if (message.topic != response_topic_) return false;
  const auto data = message.properties.binary(PropertyId::correlation_data);
  return !data || text_of(*data) == correlation_;
}

void Requester::on_arrived(const client::Arrived& event, Now now) {
  if (is_finishing() || !is_answer(event.message)) return;
  if (event.message.retain && !options_.shows_retained) return;
  formatter_.append(event.message, now.wall, output_.buffer());
  if (options_.shows_latency) print_latency(now.wall);
  if (++answers_ == options_.count.value_or(1)) {
    flush(now);
    finish(exit_code::kOk, now);
  }
}

void Requester::print_latency(WallTime now) {
  const auto micros = (now - published_at_).count();
  output_.buffer() += micros < 1000
                          ? fmt::format("Latency: {}\u00b5s\n", micros)
                          : fmt::format("Latency: {:.3f}ms\n", static_cast<double>(micros) / 1000);
}

void Requester::on_turn_end(Now now) {
  publish(now);
  flush(now);
}

void Requester::flush(Now now) {
  if (!output_.flush()) give_up_printing(now);
}

void Requester::on_ended() {
  if (!output_.flush()) note_unwritten();
}

}  // namespace mq::cli

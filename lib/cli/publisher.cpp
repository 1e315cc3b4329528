#include "cli/publisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/connection_words.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_line.hpp"

// Messages are handed to the core as long as it has room; a core without room stops the reading of
// the input. A QoS 0 message counts as delivered when the transport has taken it; the last ones are
// followed by DISCONNECT at once, and the driver waits until the server has closed. A copy of the
// one message that a lost connection swallowed at QoS 0 is published again; a line is gone.

namespace mq::cli {

using client::Outcome;
using wire::QoS;

Publisher::Publisher(const PubOptions& options, std::string payload, client::Core& core,
                     Notices& notices)
    : Run(core, options.connection, notices), options_(options), payload_(std::move(payload)) {}

void Publisher::on_connected(const client::Connected&, Now now) {
  if (unsettled() > 0) progress_at_ = now.steady;
  publish_more(now);
}

void Publisher::on_away(Now now) {
  if (unsettled() > 0) progress_at_ = now.steady;
}

bool Publisher::wants_input() const {
  if (!options_.reads_lines() || is_stopped_ || is_finishing() || is_done()) return false;
  return core().is_connected() && has_room() && !lines_.may_have_line();
}

/// A JSON line says only when it is read what QoS it has.
bool Publisher::has_room() const {
  if (options_.source() != Source::json_lines) return core().has_room(options_.connection.qos);
  return core().has_room(QoS::at_most_once) && core().has_room(QoS::at_least_once);
}

void Publisher::on_input(ByteView bytes, Now now) {
  lines_.feed(text_of(bytes));
  publish_more(now);
}

void Publisher::on_input_end(Now now) {
  lines_.end();
  publish_more(now);
}

void Publisher::publish_more(Now now) {
  if (!core().is_connected() || is_finishing()) return;
  if (options_.reads_lines()) {
    publish_lines(now);
  } else {
    publish_copies(now);
  }
  end_when_settled(now);
}

void Publisher::publish_lines(Now now) {
  const bool is_json = options_.source() == Source::json_lines;
  while (!is_stopped_ && has_room()) {
    const auto line = lines_.next();
    if (!line || !(is_json ? publish_json(*line, now) : publish(*line, now))) return;
  }
}

/// What the command line says goes before what the line says; a blank line says nothing.
bool Publisher::publish_json(std::string_view line, Now now) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return true;
  const auto message = parse_json_line(line);
  const bool has_topic = !options_.topic.empty() || (message && message->topic);
  if (!message || !has_topic) {
    refuse_line(message ? "there is no topic" : message.error());
    return !is_stopped_;
  }
  tell_lost_properties(message->properties);
  const auto& connection = options_.connection;
  return publish(
      wire::Publish{
          .qos = connection.is_qos_given ? connection.qos : message->qos.value_or(connection.qos),
          .retain = options_.is_retained || message->retain.value_or(false),
          .topic = options_.topic.empty() ? *message->topic : options_.topic,
          .properties = message->properties.view(),
          .payload = bytes_of(message->payload)},
      now);
}

void Publisher::refuse_line(std::string_view words) {
  notices().error(fmt::format("line {}, {}", lines_.number(), words));
  ++bad_lines_;
  is_stopped_ = !options_.skips_bad_lines;
}

void Publisher::tell_lost_properties(const wire::PropertyList& properties) {
  if (properties.empty() || core().version() == wire::Version::v5) return;
  if (std::exchange(are_properties_lost_, true)) return;
  notices().note(fmt::format("line {} has properties, which only MQTT 5 can carry: add -V 5",
                             lines_.number()));
}

void Publisher::publish_copies(Now now) {
  while (published_ < options_.repeat && now.steady >= next_copy_) {
    if (options_.repeat_delay > Millis(0) && unsettled() > 0) return;
    if (!publish(payload_, now)) return;
  }
}

bool Publisher::publish(std::string_view payload, Now now) {
  return publish(wire::Publish{.qos = options_.connection.qos,
                               .retain = options_.is_retained,
                               .topic = options_.topic,
                               .properties = {},
                               .payload = bytes_of(payload)},
                 now);
}

bool Publisher::publish(const wire::Publish& message, Now now) {
  if (!core().publish(message, now)) return false;
  if (unsettled() == 0) progress_at_ = now.steady;
  ++published_;
  return true;
}

void Publisher::on_settled(const client::Settled& event, Now now) {
  progress_at_ = now.steady;
  if (event.outcome == Outcome::dropped && !options_.reads_lines() && !is_finishing()) {
    published_ -= event.count;
    return;
  }
  settled_ += event.count;
  if (event.outcome == Outcome::refused) {
    notices().error(fmt::format(
        "message {} refused: {}{}", settled_, wire::name(event.reason, wire::PacketType::puback),
        event.reason_string.empty() ? "" : fmt::format(" ({})", event.reason_string)));
    if (refusal_ == 0) refusal_ = static_cast<int>(event.reason);
  } else if (event.outcome != Outcome::dropped) {
    delivered_ += event.count;
    if (event.outcome == Outcome::sent) sent_ += event.count;
  }
  if (options_.repeat_delay > Millis(0)) next_copy_ = now.steady + options_.repeat_delay;
  if (unsettled() == 0) progress_at_ = kNever;
  end_when_settled(now);
}

bool Publisher::is_all_published() const {
  if (options_.reads_lines()) return is_stopped_ || lines_.is_at_end();
  return published_ >= options_.repeat;
}

void Publisher::end_when_settled(Now now) {
  if (!is_all_published() || is_finishing()) return;
  if (core().unsettled() > 0) return;
  finish(refusal_ == 0 && bad_lines_ > 0 ? exit_code::kFailure : refusal_, now);
}

Instant Publisher::next_deadline() const {
  Instant next = kNever;
  if (progress_at_ != kNever && options_.ack_timeout > Millis(0)) {
    next = progress_at_ + options_.ack_timeout;
  }
  const bool is_copy_due = !options_.reads_lines() && published_ < options_.repeat &&
                           options_.repeat_delay > Millis(0) && unsettled() == 0;
  if (is_copy_due && core().is_connected()) next = std::min(next, next_copy_);
  return next;
}

void Publisher::on_deadline(Now now) {
  const bool is_late = progress_at_ != kNever && options_.ack_timeout > Millis(0) &&
                       now.steady >= progress_at_ + options_.ack_timeout;
  if (!is_late) return publish_more(now);
  progress_at_ = kNever;
  notices().error(fmt::format("{} acknowledged nothing for {} seconds", place(endpoint()),
                              static_cast<double>(options_.ack_timeout.count()) / 1000));
  finish(exit_code::kTimedOut, now);
}

void Publisher::on_interrupt(int signal, Now now) {
  finish(exit_code::kSignal + signal, now);
}

/// At QoS 0 the server's orderly close is the only sign that it has read everything.
void Publisher::on_goodbye(const client::Ended& event) {
  if (event.words.empty() || sent_ == 0 || exit_code() != exit_code::kOk) return;
  notices().error(
      fmt::format("connection to {} broke at the end: {}; what was sent last may be lost",
                  place(endpoint()), event.words));
  set_exit_code(exit_code::kConnectionLost);
}

/// Nothing is lost in silence.
void Publisher::on_ended() {
  if (bad_lines_ > 0 && options_.skips_bad_lines) {
    notices().error(fmt::format("{} of {} line{} {} skipped", bad_lines_, lines_.number(),
                                lines_.number() == 1 ? "" : "s", bad_lines_ == 1 ? "was" : "were"));
  }
  const bool is_cut_off = published_ > delivered_ || !is_all_published();
  if (is_cut_off && exit_code() == exit_code::kOk) set_exit_code(exit_code::kConnectionLost);
  if (refusal_ != 0 && exit_code() == exit_code::kOk) set_exit_code(refusal_);
  const std::uint64_t missing = published_ - delivered_;
  if (published_ == 0 || missing == 0) return;
  notices().error(fmt::format("{} of {} message{} {} not {}", missing, published_,
                              published_ == 1 ? "" : "s", missing == 1 ? "was" : "were",
                              delivery_word()));
}

std::string_view Publisher::delivery_word() const {
  if (options_.source() == Source::json_lines) return "delivered";
  return options_.connection.qos == QoS::at_most_once ? "sent" : "acknowledged";
}

}  // namespace mq::cli

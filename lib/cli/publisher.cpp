#include "cli/publisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/connection_words.hpp"
#include "cli/exit_code.hpp"

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
  if (options_.source() != Source::lines || is_finishing() || is_done()) return false;
  return core().is_connected() && core().has_room(options_.connection.qos) &&
         !lines_.may_have_line();
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
  if (options_.source() == Source::lines) {
    publish_lines(now);
  } else {
    publish_copies(now);
  }
  end_when_settled(now);
}

void Publisher::publish_lines(Now now) {
  while (core().has_room(options_.connection.qos)) {
    const auto line = lines_.next();
    if (!line || !publish(*line, now)) return;
  }
}

void Publisher::publish_copies(Now now) {
  while (published_ < options_.repeat && now.steady >= next_copy_) {
    if (options_.repeat_delay > Millis(0) && unsettled() > 0) return;
    if (!publish(payload_, now)) return;
  }
}

bool Publisher::publish(std::string_view payload, Now now) {
  const wire::Publish message{.qos = options_.connection.qos,
                              .retain = options_.is_retained,
                              .topic = options_.topic,
                              .properties = {},
                              .payload = bytes_of(payload)};
  if (!core().publish(message, now)) return false;
  if (unsettled() == 0) progress_at_ = now.steady;
  ++published_;
  return true;
}

void Publisher::on_settled(const client::Settled& event, Now now) {
  progress_at_ = now.steady;
  if (event.outcome == Outcome::dropped && options_.source() != Source::lines && !is_finishing()) {
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
  }
  if (options_.repeat_delay > Millis(0)) next_copy_ = now.steady + options_.repeat_delay;
  if (unsettled() == 0) progress_at_ = kNever;
  end_when_settled(now);
}

bool Publisher::is_all_published() const {
  if (options_.source() == Source::lines) return lines_.is_at_end();
  return published_ >= options_.repeat;
}

void Publisher::end_when_settled(Now now) {
  if (!is_all_published() || is_finishing()) return;
  const bool is_awaited = options_.connection.qos != QoS::at_most_once;
  if (is_awaited && unsettled() > 0) return;
  finish(refusal_, now);
}

Instant Publisher::next_deadline() const {
  Instant next = kNever;
  if (progress_at_ != kNever && options_.ack_timeout > Millis(0)) {
    next = progress_at_ + options_.ack_timeout;
  }
  const bool is_copy_due = options_.source() != Source::lines && published_ < options_.repeat &&
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
  const bool is_doubtful = options_.connection.qos == QoS::at_most_once && delivered_ > 0;
  if (event.words.empty() || !is_doubtful || exit_code() != exit_code::kOk) return;
  notices().error(
      fmt::format("connection to {} broke at the end: {}; what was sent last may be lost",
                  place(endpoint()), event.words));
  set_exit_code(exit_code::kConnectionLost);
}

/// Nothing is lost in silence.
void Publisher::on_ended() {
  const bool is_cut_off = published_ > delivered_ || !is_all_published();
  if (is_cut_off && exit_code() == exit_code::kOk) set_exit_code(exit_code::kConnectionLost);
  if (refusal_ != 0 && exit_code() == exit_code::kOk) set_exit_code(refusal_);
  const std::uint64_t missing = published_ - delivered_;
  if (published_ == 0 || missing == 0) return;
  notices().error(
      fmt::format("{} of {} message{} {} not {}", missing, published_, published_ == 1 ? "" : "s",
                  missing == 1 ? "was" : "were",
                  options_.connection.qos == QoS::at_most_once ? "sent" : "acknowledged"));
}

}  // namespace mq::cli

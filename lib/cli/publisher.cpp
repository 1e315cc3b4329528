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

namespace {

/// Of messages that alternate between QoS 0 and the others; enough for all that are under way.
constexpr std::size_t kMostRuns = 100'000;

Progress::Unit unit_of(const PubOptions& options) {
  return options.reads_lines() ? Progress::Unit::lines : Progress::Unit::bytes;
}

/// What the command line asks for, and of the line what that does not speak of.
wire::PropertyList merged(const wire::PropertyList& first, const wire::PropertyList& second) {
  wire::PropertyList all = first;
  const wire::Properties rest = second.view();
  for (auto it = rest.begin(); it != rest.end(); ++it) {
    const bool may_repeat = it->id == wire::PropertyId::user_property;
    if (may_repeat || !first.view().find(it->id)) all.add_encoded(it.encoded());
  }
  return all;
}

}  // namespace

Publisher::Publisher(const PubOptions& options, std::string payload,
                     std::optional<std::uint64_t> input_size, client::Core& core, Notices& notices)
    : Run(core, options.connection, notices),
      options_(options),
      payload_(std::move(payload)),
      progress_(notices, unit_of(options),
                options.reads_lines() ? input_size : payload_.size() * options.repeat) {
  if (options.pace) pace_.emplace(*options.pace);
}

void Publisher::on_connected(const client::Connected& event, Now now) {
  const bool is_long = options_.reads_lines() || options_.source() == Source::file ||
                       options_.source() == Source::input;
  if (event.is_first && is_long) progress_.start(now.steady);
  publish_more(now);
}

bool Publisher::wants_input() const {
  if (!options_.reads_lines() || is_stopped_ || is_finishing() || is_done() || held_) return false;
  return core().is_connected() && has_room() && !lines_.may_have_line();
}

/// A JSON line says only when it is read what QoS it has; and whatever that is, it comes behind all
/// lines before it.
bool Publisher::has_room() const {
  if (options_.source() != Source::json_lines) return core().has_room(options_.connection.qos);
  return core().has_room(QoS::at_most_once) && core().has_room(QoS::at_least_once) &&
         !core().has_unsent();
}

void Publisher::on_input(ByteView bytes, Now now) {
  lines_.feed(text_of(bytes));
  publish_more(now);
  if (lines_.may_have_line() || lines_.pending() <= options_.longest_line) return;
  notices().error(fmt::format("line {} has no end: a line may have {} bytes", lines_.number() + 1,
                              options_.longest_line));
  ++bad_lines_;
  is_stopped_ = true;
  end_when_settled(now);
}

void Publisher::on_input_end(Now now) {
  lines_.end();
  publish_more(now);
}

void Publisher::on_input_failed(std::string_view words, Now now) {
  notices().error(fmt::format("cannot read standard input: {}", words));
  is_input_broken_ = true;
  on_input_end(now);
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
  if (held_ && now.steady >= held_until_ && has_room()) {
    if (!publish_json(*held_, now)) return;
    held_.reset();
  }
  while (!is_stopped_ && !held_ && has_room()) {
    const auto line = lines_.next();
    if (!line || !publish_line(*line, now)) return;
  }
}

/// Returns false when there is no more to be done now.
bool Publisher::publish_line(std::string_view line, Now now) {
  if (options_.source() == Source::json_lines) return publish_json(line, now);
  if (options_.topic_separator) return publish_separated(line, now);
  return publish(line, now);
}

bool Publisher::publish_separated(std::string_view line, Now now) {
  const std::string_view separator = *options_.topic_separator;
  const std::size_t end = line.find(separator);
  const std::string_view topic = line.substr(0, end);
  const Verdict verdict = check_topic(topic);
  if (end == line.npos || !verdict) {
    refuse_line(end == line.npos ? fmt::format("there is no \"{}\" behind a topic", separator)
                                 : fmt::format("its topic {}", verdict.error()));
    return !is_stopped_;
  }
  return publish(wire::Publish{.qos = options_.connection.qos,
                               .retain = options_.is_retained,
                               .topic = topic,
                               .properties = options_.connection.properties.publish.view(),
                               .payload = bytes_of(line.substr(end + separator.size()))},
                 now);
}

/// A blank line says nothing.
bool Publisher::publish_json(std::string_view line, Now now) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return true;
  auto message = parse_json_line(line);
  if (message && options_.topic.empty() && !message->topic) {
    message = std::unexpected("there is no topic");
  } else if (message && pace_ && message->stamp && !parse_stamp(*message->stamp)) {
    message = std::unexpected("tst: must be a time such as 2026-11-23T08:58:39.966231+0000");
  }
  if (!message) {
    refuse_line(message.error());
    return !is_stopped_;
  }
  return !is_due(*message, now) || publish_json(*message, now);
}

bool Publisher::is_due(JsonLine& message, Now now) {
  if (!pace_ || !message.stamp) return true;
  held_until_ = pace_->due(*parse_stamp(*message.stamp), now.steady);
  if (now.steady >= held_until_) return true;
  held_ = std::move(message);
  return false;
}

/// What the command line says goes before what the line says.
bool Publisher::publish_json(const JsonLine& message, Now now) {
  tell_lost_properties(message.properties);
  const auto& connection = options_.connection;
  const auto properties = merged(connection.properties.publish, message.properties);
  return publish(
      wire::Publish{
          .qos = connection.is_qos_given ? connection.qos : message.qos.value_or(connection.qos),
          .retain = options_.is_retained || message.retain.value_or(false),
          .topic = options_.topic.empty() ? *message.topic : options_.topic,
          .properties = properties.view(),
          .payload = bytes_of(message.payload)},
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
                               .properties = options_.connection.properties.publish.view(),
                               .payload = bytes_of(payload)},
                 now);
}

bool Publisher::publish(const wire::Publish& message, Now now) {
  const auto ticket = core().publish(message, now);
  if (!ticket) return false;
  if (unsettled() == 0) progress_at_ = now.steady;
  ++published_;
  remember_number(*ticket);
  if (options_.reads_lines()) line_ends_.push_back(lines_.taken());
  return true;
}

void Publisher::remember_number(client::Ticket ticket) {
  if (runs_.empty() || ticket != last_ticket_ + 1) runs_[ticket] = published_;
  if (runs_.size() > kMostRuns) runs_.erase(runs_.begin());
  last_ticket_ = ticket;
}

std::optional<std::uint64_t> Publisher::number_of(client::Ticket ticket) const {
  const auto behind = runs_.upper_bound(ticket);
  if (behind == runs_.begin()) return std::nullopt;
  const auto& [first, number] = *std::prev(behind);
  return number + (ticket - first);
}

void Publisher::on_settled(const client::Settled& event, Now now) {
  progress_at_ = now.steady;
  if (event.outcome == Outcome::dropped && !options_.reads_lines() && !is_finishing()) {
    published_ -= event.count;
    return;
  }
  if (event.outcome == Outcome::dropped && is_finishing()) is_end_lost_ = true;
  settled_ += event.count;
  if (options_.reads_lines()) settle_lines(event.count);
  if (event.outcome == Outcome::refused) {
    const auto number = number_of(event.ticket);
    notices().error(
        fmt::format("message{} refused: {}{}", number ? fmt::format(" {}", *number) : "",
                    wire::name(event.reason, wire::PacketType::puback),
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

/// Of lines that are acknowledged in another order than they were sent, the first count.
void Publisher::settle_lines(std::uint64_t count) {
  if (count == 0) return;
  bytes_settled_ = line_ends_[count - 1];
  line_ends_.erase(line_ends_.begin(), line_ends_.begin() + static_cast<std::ptrdiff_t>(count));
}

bool Publisher::is_all_published() const {
  if (options_.reads_lines()) return is_stopped_ || (lines_.is_at_end() && !held_);
  return published_ >= options_.repeat;
}

void Publisher::end_when_settled(Now now) {
  if (!is_all_published() || is_finishing()) return;
  if (core().unsettled() > 0) return;
  const bool is_input_bad = bad_lines_ > 0 || is_input_broken_;
  finish(refusal_ == 0 && is_input_bad ? exit_code::kFailure : refusal_, now);
}

Instant Publisher::next_deadline() const {
  Instant next = progress_.next_deadline();
  if (progress_at_ != kNever && options_.connection.ack_timeout > Millis(0)) {
    next = std::min(next, progress_at_ + options_.connection.ack_timeout);
  }
  const bool is_copy_due = !options_.reads_lines() && published_ < options_.repeat &&
                           options_.repeat_delay > Millis(0) && unsettled() == 0;
  if (is_copy_due && core().is_connected()) next = std::min(next, next_copy_);
  if (held_ && core().is_connected() && has_room()) next = std::min(next, held_until_);
  return next;
}

Transferred Publisher::transferred() const {
  if (options_.reads_lines()) {
    return {.messages = settled_, .bytes = bytes_settled_, .in_flight = unsettled()};
  }
  const std::uint64_t total = payload_.size() * options_.repeat;
  return {.messages = published_, .bytes = std::min(bytes_sent(), total), .in_flight = unsettled()};
}

bool Publisher::is_late(Now now) const {
  return progress_at_ != kNever && options_.connection.ack_timeout > Millis(0) &&
         now.steady >= progress_at_ + options_.connection.ack_timeout;
}

void Publisher::on_deadline(Now now) {
  if (now.steady >= progress_.next_deadline()) progress_.show(transferred(), now.steady);
  if (!is_late(now)) return publish_more(now);
  progress_at_ = kNever;
  give_up_waiting(now);
}

void Publisher::on_interrupt(int signal, Now now) {
  interrupt(exit_code::kSignal + signal, now);
}

/// At QoS 0 the server's orderly close is the only sign that it has read everything.
void Publisher::on_goodbye(const client::Ended& event) {
  if (exit_code() != exit_code::kOk) return;
  if (is_end_lost_) {
    return notices().error(fmt::format("connection to {} lost: {}", place(endpoint()),
                                       event.words.empty() ? "closed by the server" : event.words));
  }
  if (event.words.empty() || sent_ == 0) return;
  notices().error(
      fmt::format("connection to {} broke at the end: {}; what was sent last may be lost",
                  place(endpoint()), event.words));
  set_exit_code(exit_code::kConnectionLost);
}

/// Nothing is lost in silence.
void Publisher::on_ended() {
  progress_.clear();
  if (bad_lines_ > 0 && options_.skips_bad_lines) {
    notices().error(fmt::format("{} of {} line{} {} skipped", bad_lines_, lines_.number(),
                                lines_.number() == 1 ? "" : "s", bad_lines_ == 1 ? "was" : "were"));
  }
  if (refusal_ != 0 && exit_code() == exit_code::kOk) set_exit_code(refusal_);
  const bool is_cut_off = published_ > delivered_ || !is_all_published();
  if (is_cut_off && exit_code() == exit_code::kOk) set_exit_code(exit_code::kConnectionLost);
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

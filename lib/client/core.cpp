#include "client/core.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "wire/encode.hpp"

// The life of a connection:
//
//   idle -> opening -> handshaking -> connected -> draining -> ended
//              ^           |              |            |
//              '- waiting <+--------------+------------'   (while it may try again)
//
// Opening is the driver's work; everything else happens here, by events or by deadlines. A loss
// puts the outbox back to its beginning and forgets what belongs to a connection: requests,
// aliases, limits, the output. What is said about a loss is an event; whether there will be another
// attempt is in it.
//
// Keep-alive: PINGREQ goes out when nothing was sent, or nothing has come, for the agreed time. The
// peer is taken for dead when it lets that time pass again without a byte; as long as PINGREQ is
// stuck in the output, progress there counts as life.

namespace mq::client {

namespace {

/// A connection that lasted so long was a good one: the next back-off starts from the beginning.
constexpr Millis kSettledAfter = Seconds(30);

constexpr std::string_view kClosed = "closed by the server";

/// Refusals that may pass by themselves.
bool is_passing(wire::Version version, std::uint8_t code) {
  if (version != wire::Version::v5) return code == 3;
  using enum wire::ReasonCode;
  switch (static_cast<wire::ReasonCode>(code)) {
    case server_unavailable:
    case server_busy:
    case quota_exceeded:
    case connection_rate_exceeded:
      return true;
    default:
      return false;
  }
}

/// A DISCONNECT after which coming back makes sense.
bool is_passing(wire::ReasonCode reason) {
  using enum wire::ReasonCode;
  switch (reason) {
    case normal_disconnection:
    case unspecified_error:
    case implementation_specific_error:
    case server_busy:
    case server_shutting_down:
    case keep_alive_timeout:
    case message_rate_too_high:
    case quota_exceeded:
    case administrative_action:
    case connection_rate_exceeded:
    case maximum_connect_time:
      return true;
    default:
      return false;
  }
}

bool is_passing(const Lost& lost) {
  if (lost.cause == Cause::violation) return false;
  return lost.cause != Cause::disconnected || is_passing(lost.reason);
}

Instant deadline_after(Instant start, Millis timeout) {
  return timeout == Millis(0) ? kNever : start + timeout;
}

}  // namespace

Core::Core(Settings settings, Prng prng)
    : settings_(std::move(settings)),
      prng_(prng),
      backoff_(settings_.retry_first, settings_.retry_max),
      errand_(settings_.clearing == Clearing::before_and_after ? Errand::clear_before
                                                               : Errand::run),
      own_(limits_of(settings_.properties.view())) {}

void Core::connect(Now now) {
  MQ_CHECK(state_ == State::idle || state_ == State::waiting);
  state_ = State::opening;
  transport_ = Transport::open;
  attempt_ends_ = deadline_after(now.steady, settings_.connect_timeout);
}

void Core::disconnect(wire::ReasonCode reason, Now) {
  is_ending_ = true;
  if (state_ == State::draining || state_ == State::ended) return;
  if (state_ != State::connected) return end();
  wire::Disconnect goodbye{.reason = reason, .properties = settings_.goodbye.view()};
  if (wire::encoded_size(goodbye, settings_.version) > limits_.maximum_packet_size) {
    goodbye.properties = {};  // [MQTT-3.14.2-3] [MQTT-3.14.2-4]
  }
  send(goodbye);
  state_ = State::draining;
  transport_ = Transport::drain;  // [MQTT-3.14.4-1] [MQTT-3.14.4-2]
}

void Core::abandon() {
  is_ending_ = true;
  if (state_ != State::ended) end();
}

void Core::on_open(Now now) {
  MQ_CHECK(state_ == State::opening);
  state_ = State::handshaking;
  last_sent_ = last_received_ = now.steady;
  send_connect();  // [MQTT-3.1.0-1]
}

void Core::on_open_failed(std::string words, Now now) {
  lose({.cause = Cause::unreachable, .words = std::move(words)}, now);
}

void Core::on_bytes(ByteView bytes, Now now) {
  if (state_ != State::connected && state_ != State::handshaking) return;
  last_received_ = now.steady;
  framer_.feed(bytes);
}

void Core::on_tail(std::size_t size, Now now) {
  last_received_ = now.steady;
  framer_.tail_filled(size);
}

void Core::on_sent(std::size_t size, Now now) {
  output_.sent(size);
  sent_total_ += size;
  last_sent_ = now.steady;
  if (ping_sent_ != kNever && sent_total_ - size < ping_end_ && sent_total_ >= ping_end_) {
    ping_sent_ = now.steady;
  }
  settle_sent(Outcome::sent, sent_total_);
  if (state_ == State::connected) pump();
}

void Core::on_close(std::string_view words, Now now) {
  if (state_ == State::ended) return;
  if (is_ending_) {
    const bool is_left_over = settings_.clearing != Clearing::none && errand_ == Errand::run;
    if (is_left_over && words.empty()) return start_errand(Errand::clear_after, now);
    return end(words);
  }
  if (state_ == State::draining && errand_ == Errand::clear_before) {
    return start_errand(Errand::run, now);
  }
  if (state_ == State::draining) return lose(std::exchange(drained_, {}), now);
  lose({.cause = Cause::closed, .words = std::string(words.empty() ? kClosed : words)}, now);
}

void Core::on_deadline(Now now) {
  switch (state_) {
    case State::waiting:
      if (now.steady >= attempt_ends_) connect(now);
      break;
    case State::opening:
    case State::handshaking:
      if (now.steady >= attempt_ends_) {
        lose({.cause = Cause::timed_out, .words = "no answer in time"}, now);
      }
      break;
    case State::connected:
      check_keep_alive(now);
      break;
    case State::idle:
    case State::draining:
    case State::ended:
      break;
  }
}

void Core::check_keep_alive(Now now) {
  if (is_answer_due() && now.steady >= deadline_after(last_acknowledged_, settings_.ack_timeout)) {
    return lose({.cause = Cause::unanswered, .words = "no acknowledgement in time"}, now);
  }
  if (now.steady < keep_alive_deadline()) return;
  if (ping_sent_ != kNever) {
    return lose({.cause = Cause::keep_alive, .words = "no sign of life"}, now);
  }
  ping(now);  // [MQTT-3.1.2-20]
}

void Core::ping(Now now) {
  if (state_ != State::connected || is_ping_out()) return;
  send(wire::Pingreq{});
  ping_sent_ = now.steady;
  ping_end_ = sent_total_ + output_.size();
}

Instant Core::keep_alive_deadline() const {
  if (limits_.keep_alive == 0) return kNever;
  const Seconds span(limits_.keep_alive);
  if (ping_sent_ == kNever) return std::min(last_sent_, last_received_) + span;
  const Instant moved = sent_total_ < ping_end_ ? std::max(ping_sent_, last_sent_) : ping_sent_;
  return std::max(moved, last_received_) + span;
}

Instant Core::next_deadline() const {
  if (state_ == State::connected) {
    const Instant answer =
        is_answer_due() ? deadline_after(last_acknowledged_, settings_.ack_timeout) : kNever;
    return std::min(keep_alive_deadline(), answer);
  }
  const bool is_trying = state_ == State::opening || state_ == State::handshaking;
  return is_trying || state_ == State::waiting ? attempt_ends_ : kNever;
}

std::optional<Event> Core::next_event(Now now) {
  while (true) {
    if (!events_.empty()) {
      Event event = std::move(events_.front());
      events_.pop_front();
      return event;
    }
    if (state_ != State::connected && state_ != State::handshaking) return std::nullopt;
    const auto frame = framer_.next(own_.maximum_packet_size);
    if (!frame) {
      violate(frame.error(), now);
    } else if (!*frame) {
      return std::nullopt;
    } else if (auto event = handle(**frame, now)) {
      return event;
    }
  }
}

bool Core::has_room(wire::QoS qos) const {
  if (state_ == State::draining || state_ == State::ended) return false;
  if (qos == wire::QoS::at_most_once && state_ != State::connected) return false;
  return output_.size() + stored_bytes_ < settings_.queued_bytes_max &&
         outbox_.size() < settings_.queued_messages_max;
}

void Core::start_errand(Errand errand, Now now) {
  errand_ = errand;
  reset_connection();
  state_ = State::idle;
  connect(now);
}

void Core::lose(Lost lost, Now now) {
  if (errand_ == Errand::clear_after) return end();
  if (state_ == State::connected) lost.was_connected = true;
  if (state_ == State::connected && now.steady - connected_at_ >= kSettledAfter) backoff_.reset();
  lost.retry_at = retry_at(is_passing(lost), now);
  reset_connection();
  events_.push_back(std::move(lost));
}

void Core::refuse(Refused refused, Now now) {
  if (errand_ == Errand::clear_after) return end();
  refused.retry_at = retry_at(is_passing(refused.version, refused.code), now);
  reset_connection();
  events_.push_back(std::move(refused));
}

/// Decides about another attempt and sets the state accordingly.
Instant Core::retry_at(bool may_retry, Now now) {
  const bool is_allowed = settings_.retry == Retry::always ||
                          (settings_.retry == Retry::after_loss && was_ever_connected_);
  if (!may_retry || !is_allowed || is_ending_) {
    state_ = State::ended;
    return kNever;
  }
  state_ = State::waiting;
  attempt_ends_ = now.steady + backoff_.next(prng_);
  return attempt_ends_;
}

void Core::reset_connection() {
  settle_sent(Outcome::dropped, UINT64_MAX);
  transport_ = Transport::none;
  framer_ = wire::Framer();
  output_.clear();
  outbox_.rewind();  // [MQTT3-3.1.2-4] [MQTT3-4.1.0-1]
  inbox_.rewind();
  requests_.clear();
  aliases_in_.clear();  // [MQTT-3.3.2-7]
  aliases_out_.clear();
  sent_total_ = ping_end_ = 0;
  ping_sent_ = kNever;
  limits_ = Limits();
}

void Core::end(std::string_view words) {
  state_ = State::ended;
  reset_connection();
  events_.push_back(Ended{std::string(words)});
}

bool Core::is_clean_start() const {
  const bool may_resume =  // [MQTT-3.1.2-23]
      was_ever_connected_ && settings_.version == wire::Version::v5 &&
      settings_.properties.view().number(wire::PropertyId::session_expiry_interval).value_or(0) > 0;
  return errand_ != Errand::run || (settings_.clean_start && !may_resume);
}

}  // namespace mq::client

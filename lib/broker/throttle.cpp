#include <algorithm>
#include <cmath>

#include "broker/core.hpp"

// A listener's rates. Each connection has a bucket that holds what it may send in a second, and
// fills at the rate. A packet is paid for when it is handled, be it by a debt, so that no packet is
// too long and every connection gets somewhere. While there is nothing in the bucket packets that
// were read already wait in order; reading stops, so that TCP slows the client down. Nothing is
// dropped, not of a client that has gone meanwhile either, and the wait does not count against the
// keep alive.
//
// When somebody comes with the client id of one who is there, what has come from the older one by
// then is read and handled first, up to some seconds' worth: its goodbye may be the last of it. The
// newcomer is not read before. Who is not read because the store is behind is not taken for silent.
//
// Whose packets take very much work waits in the same way until the next turn, so that others have
// theirs; a long SUBSCRIBE is left half done.

namespace mq::broker {

using wire::ReasonCode;

namespace {

/// A pause is worth its while: shorter ones would handle packets one by one.
constexpr Millis kShortestPause{250};

/// So long is somebody read who has an heir, and does not cease to send.
constexpr Seconds kLongestFarewell{1};
/// And no more than its rates allow in so many seconds.
constexpr double kFarewellsWorth = 10;

/// Among so many of those who have waited a turn is shared.
constexpr std::size_t kSharesOfATurn = 8;
/// So many times as long as it should be a turn gets by those who have sent nothing else in it.
constexpr std::size_t kLongTurn = 2;

Millis time_for(double amount, double rate) {
  return Millis(static_cast<Millis::rep>(std::ceil(amount / rate * 1000)));
}

}  // namespace

void Core::throttle(Connection& connection) {
  const ListenerConfig& listener = config_.listeners[connection.listener];
  const bool is_limited = listener.max_publish_rate > 0 || listener.max_bytes_rate > 0;
  if (!is_limited) {
    if (connection.throttle != nullptr) resume(connection);
  } else if (connection.throttle == nullptr) {
    connection.throttle = std::make_unique<Throttle>();
    connection.throttle->filled_at = now_.steady;
    connection.throttle->messages = listener.max_publish_rate;
    connection.throttle->bytes = static_cast<double>(listener.max_bytes_rate);
  }
}

bool Core::must_pause(Connection& connection, bool is_first) {
  if (connection.throttle != nullptr && !has_turn(connection)) return true;
  if (connection.session == nullptr || !has_worked_enough()) return false;
  if (is_first && (has_waited_ || work_ < kLongTurn * config_.work_a_turn)) return false;
  put_off(connection);
  return true;
}

void Core::put_off(Connection& connection) {
  if (connection.throttle == nullptr) connection.throttle = std::make_unique<Throttle>();
  pause(connection, now_.steady);
  if (!std::exchange(connection.is_behind, true)) behind_.push_back(connection.id);
}

void Core::go_on_with_packets() {
  const auto waiting = std::exchange(behind_, {});
  const auto share =
      config_.work_a_turn / std::clamp(waiting.size(), std::size_t{1}, kSharesOfATurn);
  auto next = waiting.begin();
  has_waited_ = true;
  // Who has waited longest comes first, whatever others have done in this turn.
  while (next != waiting.end() && (next == waiting.begin() || work_ < config_.work_a_turn)) {
    Connection* connection = find(*next++);
    if (connection == nullptr) continue;
    connection->is_behind = false;
    work_end_ = work_ + share;
    if (is_paused(*connection)) {
      go_on(*connection);
    } else if (connection->throttle != nullptr && connection->throttle->heir) {
      hear_out(*connection);
    }
  }
  has_waited_ = false;
  work_end_ = config_.work_a_turn;
  behind_.insert(behind_.begin(), next, waiting.end());  // who had no turn
}

void Core::go_on(Connection& connection) {
  if (auto& subscribing = connection.throttle->subscribing) {
    if (!go_on_subscribing(connection, *subscribing)) return put_off(connection);
    subscribing.reset();
  }
  resume(connection);
}

void Core::fill(Connection& connection) {
  Throttle& throttle = *connection.throttle;
  const ListenerConfig& listener = config_.listeners[connection.listener];
  const double messages = listener.max_publish_rate;
  const auto bytes = static_cast<double>(listener.max_bytes_rate);
  const double passed = static_cast<double>((now_.steady - throttle.filled_at).count()) / 1000;
  throttle.filled_at = now_.steady;
  throttle.messages = std::min(messages, throttle.messages + passed * messages);
  throttle.bytes = std::min(bytes, throttle.bytes + passed * bytes);
}

bool Core::has_turn(Connection& connection) {
  Throttle& throttle = *connection.throttle;
  if (throttle.paused_until != kNever) return false;
  if (throttle.heir) return true;
  fill(connection);
  const ListenerConfig& listener = config_.listeners[connection.listener];
  const double messages = listener.max_publish_rate;
  const auto bytes = static_cast<double>(listener.max_bytes_rate);
  Millis wait{0};
  if (messages > 0 && throttle.messages < 1) {
    wait = std::max(kShortestPause, time_for(1 - throttle.messages, messages));
  }
  if (bytes > 0 && throttle.bytes < 0) {
    wait = std::max({kShortestPause, wait, time_for(-throttle.bytes, bytes)});
  }
  if (wait == Millis(0)) return true;
  pause_until(connection, now_.steady + wait);
  return false;
}

void Core::pause(Connection& connection, Instant until) {
  connection.throttle->paused_until = until;
  throttled_.push_back(connection.id);
}

void Core::pause_until(Connection& connection, Instant until) {
  pause(connection, until);
  connection_wheel_.set(connection, until);
}

void Core::resume(Connection& connection) {
  if (connection.throttle->subscribing != nullptr) return;  // go_on_with_packets() comes first
  const ListenerConfig& listener = config_.listeners[connection.listener];
  const bool is_limited = listener.max_publish_rate > 0 || listener.max_bytes_rate > 0;
  const ConnectionId id = connection.id;
  const bool is_gone = connection.throttle->is_gone;
  const bool has_heir = connection.throttle->heir.has_value();
  const std::vector<Byte> behind = std::exchange(connection.throttle->behind, {});
  const bool was_paused = std::exchange(connection.throttle->paused_until, kNever) != kNever;
  if (!is_limited && !is_gone && !has_heir) connection.throttle.reset();
  connection.last_received = now_.steady;
  watch(connection);
  const auto bytes = turn_.take(behind.size());
  std::ranges::copy(behind, bytes.begin());
  connection.framer.feed(bytes);
  read_frames(connection);
  Connection* still = find(id);
  if (still == nullptr || is_paused(*still)) return;
  if (is_gone) return forget(*still, {id, {}, fact::End::closed, {}});
  if (has_heir) {
    if (!still->is_behind) hear_out(*still);  // or go_on_with_packets() does
    return;
  }
  if (was_paused) released_.push_back(id);
}

void Core::wait_for(Connection& heir, Connection& other, ByteView connect) {
  const auto former = other.throttle == nullptr ? std::nullopt : other.throttle->heir;
  if (!former) {
    put_off(other);
    other.throttle->heir_since = now_.steady;
    other.throttle->messages = other.throttle->bytes = 0;  // what it owed is not what is heard now
  } else if (Connection* third = find(*former)) {
    disconnect(*third, ReasonCode::session_taken_over, fact::End::taken_over);
  }
  other.throttle->heir = heir.id;
  throttled_.push_back(heir.id);
  put_aside(heir, connect);
}

void Core::hear_out(Connection& connection) {
  Throttle& throttle = *connection.throttle;
  const ListenerConfig& listener = config_.listeners[connection.listener];
  const double messages = listener.max_publish_rate;
  const auto bytes = static_cast<double>(listener.max_bytes_rate);
  const bool owes_much = (messages > 0 && throttle.messages < -kFarewellsWorth * messages) ||
                         (bytes > 0 && throttle.bytes < -kFarewellsWorth * bytes);
  const bool is_late = throttle.heir_since + kLongestFarewell <= now_.steady;
  const bool is_held_back = connection.held_since != kNever;
  const bool was_released = std::exchange(throttle.is_released, !is_held_back);
  const bool is_silent = throttle.is_silent && !is_held_back;
  const bool may_end = was_released || is_held_back;  // the second: nothing else would come
  if (may_end && (is_silent || owes_much || is_late)) {
    return disconnect(connection, ReasonCode::session_taken_over,  // [MQTT-3.1.4-3]
                      fact::End::taken_over);
  }
  throttle.is_silent = was_released && !is_held_back;
  if (is_held_back) return pause_until(connection, now_.steady + kShortestPause);
  released_.push_back(connection.id);
  if (!std::exchange(connection.is_behind, true)) behind_.push_back(connection.id);
}

void Core::let_heirs_in() {
  for (const auto id : std::exchange(heirs_, {})) {
    Connection* connection = find(id);
    if (connection == nullptr || connection->waiting == nullptr) continue;
    const auto waiting = std::move(connection->waiting);
    handle_connect(*connection, waiting->frame);  // as if it came now: a reload may lie between
    read_behind(id, waiting->behind);
  }
}

void Core::hold_back(ConnectionId id, bool is_held_back, Now now) {
  now_ = now;
  Connection* connection = find(id);
  if (connection == nullptr) return;
  const Instant since = std::exchange(connection->held_since, is_held_back ? now.steady : kNever);
  if (is_held_back) return;
  connection->last_received = now.steady;
  if (auto& begun = connection->frame_begun; begun != kNever) {
    begun += now.steady - std::max(since, begun);
  }
  if (connection->session != nullptr && !is_paused(*connection)) watch(*connection);
  if (connection->session == nullptr && connection->waiting == nullptr) await_connect(*connection);
}

bool Core::is_above_rate(ConnectionId id) {
  const Connection* connection = find(id);
  return connection != nullptr && is_paused(*connection) && !connection->throttle->heir &&
         connection->throttle->paused_until > now_.steady;
}

bool Core::is_paused(const Connection& connection) {
  return connection.throttle != nullptr && connection.throttle->paused_until != kNever;
}

bool Core::is_owed_a_turn(const Connection& connection) {
  const Throttle& throttle = *connection.throttle;
  return !throttle.behind.empty() || throttle.subscribing != nullptr ||
         connection.framer.is_mid_frame();
}

}  // namespace mq::broker

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <utility>

#include "broker/core.hpp"

// A password takes long to verify, so that is done elsewhere. Meanwhile the connection has its
// CONNECT put aside, with whatever came behind it, and goes on from there when the answer is in. A
// client that has left by then is none of the answer's business. Who comes with the client id of
// somebody who is not done yet waits in the same way.

namespace mq::broker {

using wire::ReasonCode;

namespace {

/// What a client may send ahead of the answer to its CONNECT.
constexpr std::size_t kMostBehind = 1U << 20U;

}  // namespace

bool Core::must_verify(const Connection& connection, const wire::Connect& connect) const {
  return connect.user_name && !connection.proved_name &&
         config_.listeners[connection.listener].has_passwords;
}

void Core::verify(Connection& connection, const wire::Connect& connect, ByteView frame) {
  verifications_.push_back({connection.id, connection.listener, std::string(*connect.user_name),
                            std::string(text_of(connect.password.value_or(ByteView())))});
  put_aside(connection, frame);
}

void Core::put_aside(Connection& connection, ByteView frame) {
  connection.waiting = std::make_unique<WaitingConnect>();
  connection.waiting->frame.assign(frame.begin(), frame.end());
  await_connect(connection);
  wait_behind(connection, connection.framer.take_rest());
}

void Core::wait_behind(Connection& connection, ByteView bytes) {
  auto& behind = connection.waiting->behind;
  if (behind.size() + bytes.size() > kMostBehind) {
    return fail(connection, {ReasonCode::quota_exceeded, "",
                             "too much behind a CONNECT that is not answered yet"});
  }
  behind.insert(behind.end(), bytes.begin(), bytes.end());
  keep(connection);
}

void Core::on_verified(ConnectionId id, Verdict verdict, Now now) {
  now_ = now;
  Connection* connection = find(id);
  if (connection == nullptr || connection->waiting == nullptr) return;
  let_heirs_in();  // they came earlier
  const auto waiting = std::move(connection->waiting);
  auto packet = wire::decode(waiting->frame, wire::Version::v5);
  auto& connect = std::get<wire::Connect>(*packet);
  adopt_name(*connection, connect);
  if (verdict == Verdict::wrong) {
    return refuse(*connection, connect,
                  {ReasonCode::not_authorized, "MQTT-3.1.4-2", "not the password of such a user"});
  }
  connection->is_verified = true;
  if (const auto fault = objection(*connection, connect)) {  // things may have changed meanwhile
    return refuse(*connection, connect, *fault);
  }
  admit(*connection, connect, waiting->frame);
  read_behind(id, waiting->behind);
}

void Core::read_behind(ConnectionId id, ByteView bytes) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  if (connection->waiting != nullptr) return wait_behind(*connection, bytes);
  const auto behind = turn_.take(bytes.size());
  std::ranges::copy(bytes, behind.begin());
  connection->framer.feed(behind);
  read_frames(*connection);
  connection = find(id);
  if (connection != nullptr && !is_paused(*connection)) released_.push_back(id);
}

void Core::expel(std::uint16_t listener, std::span<const std::string> users, Now now) {
  now_ = now;
  const absl::flat_hash_set<std::string_view> names(users.begin(), users.end());
  for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
    Connection* connection = connections_[slot].get();
    if (connection == nullptr || connection->listener != listener) continue;
    connection->is_verified = false;
    if (connection->session == nullptr || connection->proved_name) continue;
    if (!names.contains(connection->session->user_name)) continue;
    disconnect(*connection, ReasonCode::administrative_action, fact::End::expelled);
  }
}

void Core::forget_passwords(std::uint16_t listener) {
  for (const auto& connection : connections_) {
    if (connection == nullptr || connection->listener != listener) continue;
    connection->is_verified = false;
    if (connection->proved_name == nullptr) connection->is_anonymous = true;
  }
}

void Core::give_up_waiting(Connection& connection) {
  const auto waiting = std::move(connection.waiting);
  const auto packet = wire::decode(waiting->frame, wire::Version::v5);
  const auto& connect = std::get<wire::Connect>(*packet);
  refuse(connection, connect,
         {ReasonCode::server_busy, "", "its CONNECT had to wait for longer than connect_timeout"});
}

}  // namespace mq::broker

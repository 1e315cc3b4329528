#include "broker/core.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "broker/write_packet.hpp"

// The core's day: bytes are cut into frames, each frame goes to the handler of its packet, the
// handlers append to send queues, and every connection that has something to send is listed once.
// A connection that is to end is forgotten at once, its last bytes go to the driver; so whoever
// holds a Connection& must not touch it after a handler has returned false.

namespace mq::broker {

using wire::Fault;
using wire::PacketType;
using wire::ReasonCode;
using wire::Version;

namespace {

/// Who has not said CONNECT yet cannot make us set much memory aside; see keep(), too.
constexpr std::size_t kLargestConnect = 1U << 20U;

/// Who has come to the wrong port, as its first bytes tell; else nothing.
const Fault* fault_of_stranger(ByteView bytes) {
  static constexpr Fault kTls{ReasonCode::malformed_packet, "",
                              "it speaks TLS, and this listener is without"};
  static constexpr Fault kHttp{ReasonCode::malformed_packet, "",
                               "it speaks HTTP, and this listener is for MQTT"};
  static constexpr Fault kProxy{
      ReasonCode::malformed_packet, "",
      "it begins with a PROXY header, and enable_proxy_protocol is not given"};
  static constexpr Fault kOther{ReasonCode::protocol_error, "MQTT-3.1.0-1", "no CONNECT first"};
  const std::string_view text = text_of(bytes);
  if (text.starts_with("PROXY ") || text.starts_with("\r\n\r\n")) return &kProxy;
  if (text.starts_with("\x16\x03")) return &kTls;
  for (const std::string_view method : {"GET ", "HEAD ", "POST ", "PUT ", "OPTIONS "}) {
    if (text.starts_with(method)) return &kHttp;
  }
  // He need not come to the end of whatever it is.
  const bool is_connect =
      static_cast<unsigned>(bytes[0]) >> 4U == static_cast<unsigned>(PacketType::connect);
  return is_connect ? nullptr : &kOther;
}

Millis keep_alive_of(const Connection& connection) {
  return Millis(connection.keep_alive * 1500);
}

/// A v5 client that has its CONNACK can be told why it is disconnected.
bool may_say_goodbye(const Connection& connection) {
  return connection.version == Version::v5 && connection.session != nullptr &&
         connection.session->is_awake;  // [MQTT-3.14.0-1]
}

}  // namespace

Core::Core(Config config, Now now, const storage::Snapshot& stored)
    : config_(std::move(config)),
      now_(now),
      random_([prng = Prng(config_.seed)]() mutable { return prng.next(); }),
      work_end_(config_.work_a_turn),
      sys_topics_(config_.sys_interval, now) {
  MQ_CHECK(!config_.listeners.empty());
  connection_wheel_.advance(now.steady, [](Connection&) {});
  session_wheel_.advance(now.steady, [](Session&) {});
  limit_unread();
  if (config_.persistence) recover(stored);
  if (config_.retain_expiry_interval > Seconds(0)) {
    sweep_at_ = now.steady + config_.retain_expiry_interval;
  }
}

Core::~Core() = default;

ConnectionId Core::on_open(std::uint16_t listener, Now now) {
  now_ = now;
  std::uint32_t slot = 0;
  if (free_connections_.empty()) {
    slot = static_cast<std::uint32_t>(connections_.size());
    connections_.emplace_back();
    generations_.push_back(0);
  } else {
    slot = free_connections_.back();
    free_connections_.pop_back();
  }
  auto& connection = connections_[slot] = std::make_unique<Connection>();
  connection->id = {slot, generations_[slot]};
  connection->listener = listener;
  if (const auto& mount = config_.listeners[listener].mount_point; !mount.empty()) {
    connection->mount = std::make_unique<const std::string>(mount);
  }
  connection->last_received = now.steady;
  await_connect(*connection);
  ++stats_.connections;
  const ConnectionId id = connection->id;
  const auto limit = config_.global_max_connections;
  if (limit > 0 && connection_count() > limit) {
    disconnect(*connection, ReasonCode::quota_exceeded, fact::End::too_many);
  }
  return id;
}

Connection* Core::find(ConnectionId id) {
  if (id.slot >= connections_.size() || generations_[id.slot] != id.generation) return nullptr;
  return connections_[id.slot].get();
}

void Core::on_bytes(ConnectionId id, ByteView bytes, Now now) {
  now_ = now;
  Connection* connection = find(id);
  if (connection == nullptr) return;
  stats_.bytes_received += bytes.size();
  connection->last_received = now.steady;
  if (!bytes.empty() && connection->session == nullptr &&
      !std::exchange(connection->has_begun, true)) {
    if (const Fault* fault = fault_of_stranger(bytes)) return fail(*connection, *fault);
  }
  if (connection->waiting != nullptr) return wait_behind(*connection, bytes);
  if (connection->throttle != nullptr) connection->throttle->is_silent = false;
  connection->framer.feed(bytes);
  read_frames(*connection);
}

std::span<Byte> Core::tail(ConnectionId id) {
  Connection* connection = find(id);
  return connection == nullptr ? std::span<Byte>() : connection->framer.tail();
}

void Core::on_tail(ConnectionId id, std::size_t size, Now now) {
  now_ = now;
  Connection* connection = find(id);
  if (connection == nullptr) return;
  stats_.bytes_received += size;
  connection->last_received = now.steady;
  if (connection->throttle != nullptr) connection->throttle->is_silent = false;
  connection->framer.tail_filled(size);
  read_frames(*connection);
}

void Core::read_frames(Connection& connection) {
  const auto size =
      connection.session == nullptr ? config_.max_packet_size : connection.promise.max_packet_size;
  const auto any = size == 0 ? wire::kMaximumPacketSize : size;
  for (bool is_first = true;; is_first = false) {
    const bool is_suspect = connection.throttle != nullptr || has_worked_enough();
    if (is_suspect && must_pause(connection, is_first)) [[unlikely]] {
      const ByteView rest = connection.framer.take_rest();
      connection.framer.feed({});  // what it has yielded is done with
      auto& behind = connection.throttle->behind;
      behind.insert(behind.end(), rest.begin(), rest.end());
      return;
    }
    const auto limit = connection.session == nullptr ? std::min(any, kLargestConnect) : any;
    const auto frame = connection.framer.next(limit);
    if (!frame) return fail(connection, frame.error());
    if (!*frame) return expect_rest(connection);
    if (connection.frame_begun != kNever) [[unlikely]] {
      connection.frame_begun = kNever;
      keep_no_more(connection);
    }
    ++stats_.packets_received;
    if (is_suspect && connection.throttle != nullptr) {
      connection.throttle->bytes -= static_cast<double>((*frame)->size());
    }
    if (!handle(connection, **frame)) return;
  }
}

bool Core::handle(Connection& connection, ByteView frame) {
  if (connection.session == nullptr) {  // [MQTT-3.2.0-2]
    const ConnectionId id = connection.id;
    handle_connect(connection, frame);
    return find(id) != nullptr;
  }
  switch (wire::packet_type(frame)) {
    case PacketType::publish:
      return handle_publish(connection, frame);
    case PacketType::puback:
      if (const auto packet_id = wire::short_puback_id(frame); packet_id != 0) [[likely]] {
        on_puback(connection, packet_id);
        return true;
      }
      [[fallthrough]];
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      return handle_acknowledgement(connection, frame);
    default:
      return handle_other(connection, frame);
  }
}

bool Core::handle_other(Connection& connection, ByteView frame) {
  const auto packet = wire::decode(frame, connection.version);
  if (!packet) {
    fail(connection, packet.error());
    return false;
  }
  if (const auto* subscribe = std::get_if<wire::Subscribe>(&*packet)) {
    return handle_subscribe(connection, frame, *subscribe);
  }
  if (const auto* unsubscribe = std::get_if<wire::Unsubscribe>(&*packet)) {
    return handle_unsubscribe(connection, *unsubscribe);
  }
  if (std::holds_alternative<wire::Pingreq>(*packet)) {
    acknowledge(connection, wire::Pingresp{}, 0);  // [MQTT-3.12.4-1]
    return true;
  }
  if (const auto* disconnect = std::get_if<wire::Disconnect>(&*packet)) {
    return handle_disconnect(connection, *disconnect);
  }
  if (std::holds_alternative<wire::Connect>(*packet)) {
    fail(connection, {ReasonCode::protocol_error, "MQTT-3.1.0-2", "a second CONNECT"});
  } else if (std::holds_alternative<wire::Auth>(*packet)) {  // [MQTT-4.12.1-2]
    fail(connection, {ReasonCode::protocol_error, "MQTT-4.12.0-6",
                      "AUTH, but CONNECT named no authentication method"});
  } else {
    fail(connection, {ReasonCode::protocol_error, "", "a packet that only a server may send"});
  }
  return false;
}

void Core::on_close(ConnectionId id, Now now, std::size_t unread) {
  now_ = now;
  Connection* connection = find(id);
  if (connection == nullptr) return;
  if (is_paused(*connection) && is_owed_a_turn(*connection)) {
    if (unread > 0) facts_.emplace_back(fact::Unread{id, connection->session->client_id, unread});
    connection->throttle->is_gone = true;
    return;
  }
  forget(*connection, {id, {}, fact::End::closed, {}});
}

void Core::on_broken(ConnectionId id, std::string words, Now now) {
  now_ = now;
  Connection* connection = find(id);
  if (connection == nullptr) return;
  forget(*connection, {id, {}, fact::End::broken, {}, std::move(words)});
}

void Core::on_proved(ConnectionId id, std::string user_name) {
  Connection* connection = find(id);
  if (connection == nullptr || user_name.empty()) return;
  connection->proved_name = std::make_unique<const std::string>(std::move(user_name));
}

void Core::on_drained(ConnectionId id, Now now) {
  now_ = now;
  Connection* connection = find(id);
  if (connection == nullptr || connection->session == nullptr) return;
  connection->unsent_packets = 0;
  Session& session = *connection->session;
  if (session.is_awake && session.has_more()) pump(session);
}

std::optional<storage::Batch> Core::take_batch() {
  journal_.end_turn(now_);
  if (!is_storing() && journal_.settled() > stored_) on_stored(journal_.settled(), now_);
  auto batch = journal_.take_batch(now_);
  if (batch) submitted_ = batch->ticket;
  return batch;
}

void Core::on_stored(storage::Ticket ticket, Now now) {
  now_ = now;
  stored_ = ticket;
  while (!holding_.empty() && holding_.front().first <= ticket) {
    if (Connection* connection = find(holding_.front().second)) release_held(*connection);
    holding_.pop_front();
  }
  while (!storing_.empty() && storing_.front().first <= ticket) {
    const auto& session = sessions_[storing_.front().second];
    if (session != nullptr && session->is_awake) pump(*session);
    if (session != nullptr && session->leaving != nullptr) load_tail(*session);
    storing_.pop_front();
  }
  shed_retained();
}

void Core::release_held(Connection& connection) {
  bool has_left = false;
  for (; !connection.held.empty() && connection.held.front().ticket <= stored_; has_left = true) {
    const auto& bytes = connection.held.front().bytes;
    connection.held_bytes -= sizeof(Held) + bytes.size();
    std::ranges::copy(bytes, connection.out.reserve(bytes.size(), turn_));
    connection.out.append_written(bytes.size());
    ++stats_.packets_sent;
    ++connection.unsent_packets;
    stats_.bytes_sent += bytes.size();
    connection.held.pop_front();
    mark_dirty(connection);
  }
  Session* session = connection.session;
  if (session == nullptr || session->is_awake || !has_left) return;
  session->is_awake = true;  // what has left first is its CONNACK
  pump(*session);
}

void Core::on_deadline(Now now) {
  now_ = now;
  if (write_noted_at() <= now.steady) journal_.write_noted(now);
  go_on_with_packets();  // whom the wheel lets go on is read before its next turn
  connection_wheel_.advance(now.steady,
                            [this](Connection& connection) { on_connection_deadline(connection); });
  session_wheel_.advance(now.steady, [this](Session& session) { on_session_deadline(session); });
  if (sweep_at_ <= now.steady) sweep_retained();
  if (tell_drops_at_ <= now.steady) tell_drops();
  if (sys_topics_.next() <= now.steady) sys_topics_.publish(*this, now);
  let_heirs_in();
  go_on_with_feeds();
}

void Core::on_heap(std::size_t bytes) {
  heap_ = bytes;
  heap_maximum_ = std::max(heap_maximum_, bytes);
  limit_unread();
}

void Core::await_connect(Connection& connection) {
  connection_wheel_.set(connection, now_.steady + config_.connect_timeout);
}

void Core::expect_rest(Connection& connection) {
  if (connection.session != nullptr) {
    if (!connection.framer.is_mid_frame()) return;
    if (connection.frame_begun == kNever) {
      connection.frame_begun = now_.steady;
      watch(connection);
    }
  }
  keep(connection);
}

void Core::watch(Connection& connection) {
  Instant due = kNever;
  if (connection.keep_alive > 0) due = connection.last_received + keep_alive_of(connection);
  if (connection.frame_begun != kNever) {
    due = std::min(due, connection.frame_begun + config_.packet_timeout);
  }
  connection_wheel_.set(connection, due);
}

void Core::on_connection_deadline(Connection& connection) {
  if (connection.waiting != nullptr) return give_up_waiting(connection);
  if (connection.session != nullptr && is_paused(connection)) return resume(connection);
  if (connection.held_since != kNever) return;  // hold_back() sets another deadline
  if (connection.session == nullptr) {
    return disconnect(connection, ReasonCode::keep_alive_timeout, fact::End::no_connect);
  }
  const auto& begun = connection.frame_begun;
  if (begun != kNever && begun + config_.packet_timeout <= now_.steady) {
    return disconnect(connection, ReasonCode::keep_alive_timeout, fact::End::too_slow);
  }
  const bool is_silent = connection.keep_alive > 0 &&
                         connection.last_received + keep_alive_of(connection) <= now_.steady;
  if (!is_silent) return watch(connection);
  disconnect(connection, ReasonCode::keep_alive_timeout,
             fact::End::timed_out);  // [MQTT-3.1.2-22]
}

void Core::shut_down(Now now) {
  now_ = now;
  for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
    if (connections_[slot] != nullptr) hear_goodbye(*connections_[slot]);
  }
  for (const auto& session : sessions_) {
    if (session == nullptr || session->will == nullptr) continue;
    // What is delayed is for those who do not come back in time, be it to another process.
    const bool may_wait = journal_.keeps(*session) && session->will->delay > Seconds(0);
    if (!may_wait) publish_will(*session);  // [MQTT-3.1.3-9]
  }
  for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
    if (connections_[slot] == nullptr) continue;
    disconnect(*connections_[slot], ReasonCode::server_shutting_down, fact::End::shutting_down);
  }
  journal_.write_noted(now);
  tell_drops();
  drops_pause_end_ = kNever;
}

void Core::fail(Connection& connection, const Fault& fault) {
  if (may_say_goodbye(connection)) {
    // Some faults have codes that only CONNACK may carry [MQTT-3.14.2-1].
    const bool is_allowed = wire::is_allowed(fault.reason, wire::PacketType::disconnect);
    const auto reason = is_allowed ? fault.reason : ReasonCode::protocol_error;
    // A code alone [MQTT-3.14.2-2] [MQTT-3.14.2-3] [MQTT-3.14.2-4].
    send(connection, wire::Disconnect{reason, {}});  // [MQTT-4.13.1-1]
  }
  const ConnectionId id = connection.id;
  closing_.push_back({id, std::move(connection.out)});    // [MQTT-3.14.4-2] [MQTT-4.13.2-1]
  forget(connection, {id, {}, fact::End::fault, fault});  // [MQTT-3.14.4-1]
}

void Core::disconnect(Connection& connection, ReasonCode reason, fact::End end) {
  if (may_say_goodbye(connection)) {
    send(connection, wire::Disconnect{reason, {}});  // [MQTT-3.14.2-3] [MQTT-3.14.2-4]
  }
  const ConnectionId id = connection.id;
  closing_.push_back({id, std::move(connection.out)});  // [MQTT-3.14.4-2] [MQTT-4.13.2-1]
  forget(connection, {id, {}, end, {reason, "", ""}});  // [MQTT-3.14.4-1]
}

void Core::forget(Connection& connection, const fact::Ended& ended) {
  const auto slot = connection.id.slot;
  Session* session = connection.session;
  facts_.emplace_back(ended);
  if (session != nullptr) {
    std::get<fact::Ended>(facts_.back()).client_id = session->client_id;
    --connected_;
  }
  if (connection.throttle != nullptr && connection.throttle->heir) {
    heirs_.push_back(*connection.throttle->heir);
  }
  keep_no_more(connection);
  ++generations_[slot];
  left_connections_.push_back(slot);
  connections_[slot].reset();
  if (session == nullptr) return;
  tell_last_denial(*session);
  session->note_what_was_sent();
  journal_.put_session(*session, now_.wall);
  fall_asleep(*session, now_.steady);
}

const std::vector<ConnectionId>& Core::take_dirty() {
  taken_.clear();
  taken_.swap(dirty_);
  for (const auto id : taken_) {
    if (Connection* connection = find(id)) connection->is_dirty = false;
  }
  written_.insert(written_.end(), taken_.begin(), taken_.end());
  return taken_;
}

SendQueue* Core::output(ConnectionId id) {
  Connection* connection = find(id);
  return connection == nullptr ? nullptr : &connection->out;
}

std::optional<std::size_t> Core::owed_bytes(ConnectionId id) {
  const Connection* connection = find(id);
  if (connection == nullptr) return std::nullopt;
  return connection->out.size() + connection->held_bytes;
}

std::vector<Closing> Core::take_closing() {
  return std::exchange(closing_, {});
}

std::vector<Fact> Core::take_facts() {
  return std::exchange(facts_, {});
}

void Core::end_turn() {
  for (const auto* list : {&written_, &dirty_}) {
    for (const auto id : *list) {
      if (Connection* connection = find(id)) connection->out.keep(leftovers_);
    }
  }
  written_.clear();
  for (auto& closing : closing_) closing.rest.keep(leftovers_);
  leftovers_.reset();
  turn_.reset();
  feed_steps_ = kFeedSteps;
  work_ = 0;
  work_end_ = config_.work_a_turn;
  free_connections_.insert(free_connections_.end(), left_connections_.begin(),
                           left_connections_.end());
  left_connections_.clear();
}

std::size_t Core::unsent_packets() const {
  std::size_t count = 0;
  for (const auto& connection : connections_) {
    if (connection != nullptr) count += connection->unsent_packets;
  }
  return count;
}

std::size_t Core::unsent_bytes() const {
  std::size_t size = 0;
  for (const auto& connection : connections_) {
    if (connection != nullptr) size += connection->out.size();
  }
  return size;
}

/// What the store is busy with anyway need not be added to.
Instant Core::write_noted_at() const {
  const Instant since = is_storing() ? kNever : journal_.noted_since();
  return since == kNever ? kNever : since + config_.persistence_delay;
}

Instant Core::next_deadline() const {
  if (!unfinished_.empty() || !behind_.empty() || !heirs_.empty()) return now_.steady;
  return std::min({connection_wheel_.next(), session_wheel_.next(), sys_topics_.next(), sweep_at_,
                   tell_drops_at_, write_noted_at()});
}

}  // namespace mq::broker

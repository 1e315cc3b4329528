#include <algorithm>
#include <array>
#include <utility>

#include "broker/core.hpp"
#include "broker/incoming.hpp"
#include "broker/write_packet.hpp"
#include "topic/name.hpp"

// CONNECT: is it well-formed, does anything speak against it, which client id, which session, and
// who holds that session now. Only then does the client hear of it.

namespace mq::broker {
namespace {

using wire::Fault;
using wire::PropertyId;
using wire::QoS;
using wire::ReasonCode;
using wire::Version;

constexpr std::uint32_t kNeverExpires = UINT32_MAX;

/// The version to answer a CONNECT in that could not be decoded: what its level says, if anything.
Version version_of(ByteView frame) {
  constexpr std::array<Byte, 6> kName{0, 4, 'M', 'Q', 'T', 'T'};
  const auto name = std::search(frame.begin(), frame.end(), kName.begin(), kName.end());
  const auto at = static_cast<std::size_t>(name - frame.begin());
  return at <= 5 && at + 6 < frame.size() && frame[at + 6] == 5 ? Version::v5 : Version::v311;
}

std::uint32_t requested_expiry(const wire::Connect& connect) {
  if (connect.version != Version::v5) return connect.clean_start ? 0 : kNeverExpires;
  return connect.properties.number(PropertyId::session_expiry_interval).value_or(0);
}

std::unique_ptr<StoredWill> store(const wire::Will& will) {
  auto stored = std::make_unique<StoredWill>();
  stored->topic = will.topic;
  stored->payload.assign(will.payload.begin(), will.payload.end());
  stored->qos = will.qos;
  stored->retain = will.retain;
  for (auto it = will.properties.begin(); it != will.properties.end(); ++it) {
    if (it->id == PropertyId::will_delay_interval) {
      stored->delay = Seconds(it->number);
    } else {
      const auto bytes = it.encoded();
      stored->properties.insert(stored->properties.end(), bytes.begin(), bytes.end());
    }
  }
  return stored;
}

}  // namespace

void Core::handle_connect(Connection& connection, ByteView frame) {
  let_heirs_in();  // they came earlier
  auto packet = wire::decode(frame, Version::v5);
  if (!packet) {
    wire::Connect unknown;
    unknown.version = version_of(frame);
    return refuse(connection, unknown, packet.error());  // [MQTT-3.1.4-1]
  }
  auto& connect = std::get<wire::Connect>(*packet);
  connection.version = connect.version;
  connection.maximum_packet_size = std::min<std::uint32_t>(
      connection.maximum_packet_size,
      connect.properties.number(PropertyId::maximum_packet_size).value_or(UINT32_MAX));
  adopt_name(connection, connect);
  if (const auto fault = objection(connection, connect)) {
    return refuse(connection, connect, *fault);
  }
  if (must_verify(connection, connect) && !connection.is_verified) {
    return verify(connection, connect, frame);
  }
  admit(connection, connect, frame);
}

void Core::admit(Connection& connection, const wire::Connect& connect, ByteView frame) {
  connection.is_anonymous = is_anonymous(connection, connect);
  const bool is_assigned = connect.client_id.empty();  // [MQTT-3.1.3-6]
  const std::string client_id = is_assigned
                                    ? assign_client_id(config_.listeners[connection.listener])
                                    : std::string(connect.client_id);
  const auto properties = connack_properties(connection, connect, client_id);
  if (!fits(connection, wire::Connack{false, 0, properties.view()})) {
    return refuse(connection, connect,
                  {ReasonCode::packet_too_large, "MQTT-3.1.2-24",
                   "it wants a CONNACK above its Maximum Packet Size"});
  }
  if (const auto held = session_ids_.find(client_id); held != session_ids_.end()) {
    if (Connection* other = sessions_[held->second]->connection) {
      return wait_for(connection, *other, frame);
    }
  }
  const auto written = journal_.position();
  bool present = false;
  Session& session = open_session(connect, client_id, present);
  const std::string user_name = connection.proved_name
                                    ? *connection.proved_name
                                    : std::string(connect.user_name.value_or(""));
  accept(connection, connect, session,
         {connection.id, client_id, user_name, connect.version, connect.clean_start, present,
          connect.keep_alive},
         properties.view(), written);
}

std::optional<Fault> Core::objection(const Connection& connection,
                                     const wire::Connect& connect) const {
  const bool is_v5 = connect.version == Version::v5;
  const ListenerConfig& listener = config_.listeners[connection.listener];
  const auto& versions = listener.versions;
  if (!versions.empty() && std::ranges::find(versions, connect.version) == versions.end()) {
    return Fault{ReasonCode::unsupported_protocol_version, "MQTT-3.1.2-2",
                 "its version is not among accept_protocol_versions"};
  }
  if (connect.properties.find(PropertyId::authentication_method)) {
    return Fault{ReasonCode::bad_authentication_method, "MQTT-4.12.0-1",
                 "no authentication method is offered"};
  }
  if (listener.use_username_as_clientid && connect.client_id.empty()) {
    return Fault{ReasonCode::not_authorized, "", "no user name to take for the client id"};
  }
  if (connect.client_id.empty()) {
    if (!config_.allow_zero_length_clientid || connect.version == Version::v31) {
      return Fault{ReasonCode::client_identifier_not_valid, "MQTT-3.1.3-8", "no client id"};
    }
    if (!is_v5 && !connect.clean_start) {
      return Fault{ReasonCode::client_identifier_not_valid, "MQTT3-3.1.3-8",
                   "a session that is to be kept needs a client id"};
    }
  }
  // Where no prefix is set, whatever else is text will do [MQTT-3.1.3-5].
  if (!connect.client_id.empty() && !connect.client_id.starts_with(config_.clientid_prefixes)) {
    return Fault{ReasonCode::not_authorized, "", "its id does not begin with clientid_prefixes"};
  }
  if (is_anonymous(connection, connect) && !listener.allow_anonymous) {
    return Fault{ReasonCode::not_authorized, "", "allow_anonymous is false and no user is known"};
  }
  if (!is_v5 && is_keep_alive_too_long(connect)) {
    return Fault{ReasonCode::client_identifier_not_valid, "", "keep alive above max_keepalive"};
  }
  if (is_memory_short()) {
    return Fault{ReasonCode::server_busy, "", "more memory is in use than memory_limit"};
  }
  if (config_.global_max_clients > 0 && session_count() >= config_.global_max_clients &&
      !session_ids_.contains(connect.client_id)) {
    return Fault{ReasonCode::quota_exceeded, "", "there are global_max_clients sessions"};
  }
  if (!connect.will) return std::nullopt;
  if (!topic::is_name(connect.will->topic) || !is_mountable(connection, connect.will->topic)) {
    return Fault{ReasonCode::topic_name_invalid, "", "a will on a topic of too many levels"};
  }
  if (is_reserved(connect.will->topic)) {
    return Fault{ReasonCode::not_authorized, "", "a will on a topic of the broker's own"};
  }
  if (config_.message_size_limit > 0 && connect.will->payload.size() > config_.message_size_limit) {
    return Fault{ReasonCode::quota_exceeded, "", "a will longer than message_size_limit"};
  }
  if (connect.will->qos > listener.max_qos) {
    return Fault{ReasonCode::qos_not_supported, "MQTT-3.2.2-12", "the will's QoS above max_qos"};
  }
  if (connect.will->retain && !config_.retain_available) {
    return Fault{ReasonCode::retain_not_supported, "MQTT-3.2.2-13", "the will is to be retained"};
  }
  return std::nullopt;
}

void Core::refuse(Connection& connection, const wire::Connect& connect, const Fault& fault) {
  connection.version = connect.version;
  if (const auto code = wire::connack_code(fault.reason, connect.version)) {  // [MQTT3-3.1.4-1]
    // A code alone [MQTT-3.2.2-19] [MQTT-3.2.2-20].
    send(connection, wire::Connack{false, *code, {}});  // [MQTT-3.2.2-6] [MQTT-3.2.2-8]
  }
  facts_.emplace_back(fact::Refused{connection.id, std::string(connect.client_id), fault,
                                    std::string(connect.user_name.value_or(""))});
  // [MQTT-3.2.2-7] [MQTT3-3.2.2-5] [MQTT-3.1.4-6] [MQTT-4.12.0-4] [MQTT-4.13.2-1]
  disconnect(connection, fault.reason, fact::End::refused);
}

Session& Core::open_session(const wire::Connect& connect, std::string_view client_id,
                            bool& present) {
  // [MQTT-3.1.3-2]
  if (const auto known = session_ids_.find(client_id); known != session_ids_.end()) {
    Session& session = *sessions_[known->second];
    if (!connect.clean_start && session.leaving == nullptr) {  // [MQTT-3.1.2-5] [MQTT-3.1.4-4]
      present = true;                                          // [MQTT-3.2.2-2] [MQTT-3.2.2-3]
      session_wheel_.set(session, kNever);
      session.expires_at = kNever;  // [MQTT-4.1.0-1]
      session.will.reset();         // [MQTT-3.1.3-9]
      return session;
    }
    end_session(session, true);  // [MQTT-3.1.2-4]
  }
  return create_session(client_id);  // [MQTT-3.1.2-6]
}

void Core::accept(Connection& connection, const wire::Connect& connect, Session& session,
                  const fact::Connected& connected, wire::Properties properties,
                  std::size_t written) {
  const auto number = [&connect](PropertyId id) { return connect.properties.number(id); };
  const auto window = config_.max_inflight_messages == 0 ? std::uint16_t{UINT16_MAX}
                                                         : config_.max_inflight_messages;
  const ListenerConfig& listener = config_.listeners[connection.listener];
  keep_no_more(connection);
  connection.session = &session;
  connection.promise = promise_of(listener);
  throttle(connection);
  connection.receive_maximum = static_cast<std::uint16_t>(  // [MQTT-4.9.0-1]
      std::min<std::uint32_t>(window, number(PropertyId::receive_maximum).value_or(UINT16_MAX)));
  connection.topic_alias_maximum = static_cast<std::uint16_t>(std::min<std::uint32_t>(
      listener.max_topic_alias_broker, number(PropertyId::topic_alias_maximum).value_or(0)));
  connection.keep_alive = connect.keep_alive;  // [MQTT-3.2.2-22]

  session.connection = &connection;
  session.user_name = connected.user_name;
  session.listener = connection.listener;
  apply_rules(session);
  session.expiry_interval = requested_expiry(connect);
  if (connect.will) {  // [MQTT3-3.1.2-12]
    wire::Will will = *connect.will;
    if (connection.mount != nullptr) will.topic = mounted(connection, will.topic);
    if (may_write(session, will.topic, fact::Act::will)) session.will = store(will);
  }
  if (session.expiry_interval == 0 && session.tail.count == 0) {
    journal_.drop_session(session);  // it was to be kept so far
    session.is_durable = false;
  } else {
    const bool had_will = session.is_durable && connected.session_present;
    session.is_durable = config_.persistence;
    journal_.put_session(session, storage::kAwake);
    if (session.will != nullptr) {
      journal_.put_will(session);
    } else if (had_will) {
      journal_.drop_will(session);
    }
  }
  ++connected_;
  ++stats_.connects;
  facts_.emplace_back(connected);

  if (is_keep_alive_too_long(connect)) connection.keep_alive = config_.max_keepalive;
  connection.last_received = now_.steady;  // it may have waited until now
  watch(connection);
  const bool tells_present = connected.session_present && connect.version != Version::v31;
  const auto ticket = journal_.written_since(written);
  acknowledge(connection, wire::Connack{tells_present, 0, properties}, ticket);  // [MQTT-3.1.4-5]
  if (!connection.held.empty()) return;                                          // [MQTT-3.2.0-1]
  session.is_awake = true;
  pump(session);
}

bool Core::is_keep_alive_too_long(const wire::Connect& connect) const {
  return config_.max_keepalive > 0 &&
         (connect.keep_alive == 0 || connect.keep_alive > config_.max_keepalive);
}

wire::PropertyList Core::connack_properties(const Connection& connection,
                                            const wire::Connect& connect,
                                            std::string_view client_id) const {
  wire::PropertyList properties;
  if (connect.version != Version::v5) return properties;
  const ListenerConfig& listener = config_.listeners[connection.listener];
  if (listener.max_topic_alias > 0) {
    properties.add(PropertyId::topic_alias_maximum, listener.max_topic_alias);
  }
  if (connect.client_id.empty()) {
    // [MQTT-3.1.3-7] [MQTT-3.2.2-16]
    properties.add(PropertyId::assigned_client_identifier, client_id);
  }
  if (is_keep_alive_too_long(connect)) {
    properties.add(PropertyId::server_keep_alive, config_.max_keepalive);  // [MQTT-3.1.2-21]
  }
  if (listener.max_qos < QoS::exactly_once) {  // [MQTT-3.2.2-9]
    properties.add(PropertyId::maximum_qos, static_cast<std::uint32_t>(listener.max_qos));
  }
  if (!config_.retain_available) properties.add(PropertyId::retain_available, 0U);
  if (config_.max_packet_size > 0) {
    properties.add(PropertyId::maximum_packet_size,
                   static_cast<std::uint32_t>(config_.max_packet_size));
  }
  if (config_.max_inflight_messages > 0) {
    properties.add(PropertyId::receive_maximum, config_.max_inflight_messages);
  }
  // [MQTT-3.1.2-28]
  if (connect.properties.number(PropertyId::request_response_information) != 1) return properties;
  const std::string response_topics = "response/" + std::string(client_id);
  if (response_topics.size() > topic::kLongestName) return properties;
  wire::PropertyList with_response = properties;
  with_response.add(PropertyId::response_information, std::string_view(response_topics));
  const bool has_room = fits(connection, wire::Connack{false, 0, with_response.view()});
  return has_room ? with_response : properties;
}

Promise Core::promise_of(const ListenerConfig& listener) const {
  return {.max_packet_size = config_.max_packet_size,
          .receive_maximum = config_.max_inflight_messages,
          .max_topic_alias = listener.max_topic_alias,
          .max_qos = listener.max_qos,
          .retain_available = config_.retain_available};
}

void Core::adopt_name(const Connection& connection, wire::Connect& connect) const {
  if (!config_.listeners[connection.listener].use_username_as_clientid) return;
  connect.client_id = connection.proved_name ? std::string_view(*connection.proved_name)
                                             : connect.user_name.value_or("");
}

bool Core::is_anonymous(const Connection& connection, const wire::Connect& connect) const {
  return !connection.proved_name && !must_verify(connection, connect);
}

std::string Core::assign_client_id(const ListenerConfig& listener) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string id;
  do {
    id = listener.auto_id_prefix;
    const std::array<std::uint64_t, 2> random{random_(), random_()};
    for (unsigned i = 0; i < 32; ++i) {
      if (i == 8 || i == 12 || i == 16 || i == 20) id.push_back('-');
      id.push_back(kDigits[(random[i / 16] >> (i % 16 * 4)) & 15U]);
    }
  } while (session_ids_.contains(id));  // [MQTT-3.2.2-16]
  return id;
}

}  // namespace mq::broker

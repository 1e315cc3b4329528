#include <algorithm>
#include <utility>

#include "broker/core.hpp"
#include "broker/incoming.hpp"
#include "broker/write_packet.hpp"
#include "topic/name.hpp"

// A PUBLISH is checked against what this connection agreed on, delivered, and acknowledged behind
// what it caused, so that a client which subscribes to its own topic sees the message first.
//
// Acknowledgements say no more than a code, so that none is larger than its receiver accepts
// [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3]; whether it wants problem information
// is of no account [MQTT-3.1.2-29].

namespace mq::broker {

using wire::Fault;
using wire::PropertyId;
using wire::QoS;
using wire::ReasonCode;
using wire::Version;

bool Core::handle_publish(Connection& connection, ByteView frame) {
  auto decoded = wire::decode_publish(frame, connection.version);
  if (!decoded) {
    fail(connection, decoded.error());
    return false;
  }
  Incoming incoming{.packet = *decoded,
                    .version = connection.version,
                    .publisher = connection.session->index,
                    .owner = connection.framer.block()};
  wire::Publish& publish = incoming.packet;
  ++stats_.publish_received;
  if (connection.throttle != nullptr) --connection.throttle->messages;
  stats_.publish_bytes_received += publish.payload.size();
  const auto whole_properties = publish.properties.encoded().size();
  if (const auto fault = resolve_topic(connection, *decoded, publish.topic)) {
    fail(connection, *fault);
    return false;
  }
  if (publish.topic.data() != decoded->topic.data() ||
      publish.properties.number(PropertyId::topic_alias)) {
    scratch_ = {};
    for (auto it = publish.properties.begin(); it != publish.properties.end(); ++it) {
      if (it->id != PropertyId::topic_alias) scratch_.add_encoded(it.encoded());
    }
    const auto rest = scratch_.view().encoded();
    const auto copy = turn_.take(rest.size());
    std::ranges::copy(rest, copy.begin());
    publish.properties = wire::Properties(copy);
  }
  if (connection.mount != nullptr) {
    if (!is_mountable(connection, publish.topic)) {
      fail(connection, {ReasonCode::topic_name_invalid, "", "a topic too long for mount_point"});
      return false;
    }
    publish.topic = mounted(connection, publish.topic);
  }
  const bool is_as_it_came =
      connection.mount == nullptr && publish.properties.encoded().size() == whole_properties;
  if (is_as_it_came) incoming.frame = frame;
  return accept_publish(connection, incoming);
}

std::optional<Fault> Core::resolve_topic(Connection& connection, const wire::Publish& publish,
                                         std::string_view& topic) {
  if (topic.size() >= topic::kMaximumLevels && !topic::is_name(topic)) {
    return Fault{ReasonCode::topic_name_invalid, "", "a topic of too many levels"};
  }
  if (publish.properties.empty()) return std::nullopt;
  if (publish.properties.find(PropertyId::subscription_identifier)) {
    return Fault{ReasonCode::protocol_error, "MQTT-3.3.4-6",
                 "a subscription identifier in a client's PUBLISH"};
  }
  const auto alias = publish.properties.number(PropertyId::topic_alias);
  if (!alias) return std::nullopt;
  if (*alias > connection.promise.max_topic_alias) {
    return Fault{ReasonCode::topic_alias_invalid, "MQTT-3.3.2-9",
                 "a topic alias above the maximum"};
  }
  if (connection.aliases == nullptr) connection.aliases = std::make_unique<Aliases>();
  auto& known = connection.aliases->incoming;
  if (known.size() < *alias) known.resize(*alias);
  std::string& name = known[*alias - 1];
  if (!topic.empty()) {
    name = topic;
  } else if (name.empty()) {
    return Fault{ReasonCode::protocol_error, "MQTT 5.0 §3.3.4", "a topic alias that was never set"};
  }
  topic = name;  // [MQTT-3.3.2-12]
  return std::nullopt;
}

bool Core::accept_publish(Connection& connection, Incoming& incoming) {
  const wire::Publish& packet = incoming.packet;
  if (packet.qos > connection.promise.max_qos) {
    fail(connection, {ReasonCode::qos_not_supported, "MQTT-3.2.2-11", "QoS above max_qos"});
    return false;
  }
  if (packet.retain && !connection.promise.retain_available) {
    fail(connection,
         {ReasonCode::retain_not_supported, "MQTT-3.2.2-14", "retain_available is false"});
    return false;
  }
  session::Inbox& inbox = connection.session->inbox;
  // [MQTT-4.3.2-5] [MQTT-4.3.3-10]
  if (packet.qos == QoS::exactly_once && inbox.repeat(packet.packet_id)) {
    // Its message was taken, even if it would be refused by now.
    acknowledge(connection, wire::Pubrec{packet.packet_id, ReasonCode::success, {}},
                journal_.pending());
    return true;
  }
  const auto refusal =
      is_reserved(packet.topic) ? ReasonCode::not_authorized : refusal_of(connection, packet);
  const bool is_denied = refusal != ReasonCode::success;
  if (is_store_in_trouble_ && !is_denied && must_be_stored(*connection.session, packet)) {
    return refuse_unstorable(connection, packet);
  }
  const auto limit = connection.promise.receive_maximum;
  if (packet.qos == QoS::exactly_once && connection.version == Version::v5 && limit > 0 &&
      inbox.under_way() >= limit) {
    fail(connection, {ReasonCode::receive_maximum_exceeded, "MQTT-3.3.4-7",
                      "more QoS 2 messages under way than max_inflight_messages"});
    return false;
  }
  const auto written = journal_.position();
  if (packet.qos == QoS::exactly_once && !is_denied) {  // [MQTT-4.3.3-9]
    inbox.put(packet.packet_id);
    journal_.put_incoming(*connection.session, packet.packet_id);
  }
  auto reason = ReasonCode::success;
  const bool is_unstorable =
      is_store_in_trouble_ && packet.retain && packet.qos == QoS::at_most_once;
  if (is_unstorable && !is_denied) count_drop(*connection.session, Drop::unstorable);
  if (is_denied) {  // [MQTT3-3.3.5-2]
    reason = refusal;
  } else if (is_unstorable ? !route(incoming) : !publish(incoming)) {
    reason = ReasonCode::no_matching_subscribers;
  }
  if (packet.qos == QoS::at_most_once) return true;
  // What is cleared already may not be stored as such yet.
  const bool is_clear = packet.retain && packet.payload.empty();
  const auto ticket = is_clear ? journal_.pending() : journal_.written_since(written);
  // [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-2.2.1-5] [MQTT-3.3.4-1]
  if (packet.qos == QoS::at_least_once) {
    acknowledge(connection, wire::Puback{packet.packet_id, reason, {}}, ticket);
  } else {
    acknowledge(connection, wire::Pubrec{packet.packet_id, reason, {}}, ticket);
  }
  return true;
}

bool Core::must_be_stored(const Session& publisher, const wire::Publish& packet) {
  if (packet.qos == QoS::at_most_once) return false;
  if (packet.qos == QoS::exactly_once && publisher.is_durable) return true;
  if (packet.retain) return true;
  const auto is_for_keeps = [&](const topic::Subscriber& subscriber) {
    const QoS granted = GrantedOptions::of(subscriber.options).qos;
    return sessions_[subscriber.owner]->is_durable &&
           outgoing_qos(granted, packet.qos) != QoS::at_most_once;
  };
  for (const auto filter : subscriptions_.match(packet.topic, work_)) {
    if (std::ranges::any_of(subscriptions_.subscribers(filter), is_for_keeps)) return true;
    for (auto share = subscriptions_.shared_from(filter); share != topic::kNoFilter;
         share = subscriptions_.shared_after(share)) {
      if (std::ranges::any_of(subscriptions_.subscribers(share), is_for_keeps)) return true;
    }
  }
  return false;
}

bool Core::refuse_unstorable(Connection& connection, const wire::Publish& packet) {
  if (connection.version != Version::v5) {  // [MQTT3-4.8.0-2]
    fail(connection, {ReasonCode::quota_exceeded, "", "its message cannot be stored just now"});
    return false;
  }
  if (packet.qos == QoS::at_least_once) {
    acknowledge(connection, wire::Puback{packet.packet_id, ReasonCode::quota_exceeded, {}}, 0);
  } else {
    acknowledge(connection, wire::Pubrec{packet.packet_id, ReasonCode::quota_exceeded, {}}, 0);
  }
  return true;
}

bool Core::publish(Incoming& incoming) {
  if (incoming.packet.retain) retain(incoming);  // [MQTT-3.3.1-8]
  return route(incoming);
}

void Core::retain(Incoming& incoming) {
  if (incoming.packet.payload.empty()) {   // [MQTT-3.3.1-7]
    drop_retained(incoming.packet.topic);  // [MQTT-3.3.1-6]
  } else {
    const Message& message = incoming.shared(now_.steady);
    put_retained(message);  // [MQTT-3.3.1-5] [MQTT3-3.3.1-7]
    remember_source(incoming);
    if (is_reserved(message.topic())) return;
    const auto source = sources_.empty() ? sources_.end() : sources_.find(message.topic());
    journal_.put_retained(message, source == sources_.end() ? nullptr : &source->second, now_);
    if (config_.persistence && retained_bytes_ > config_.retained_memory_limit) {
      shedding_.push_back({journal_.ticket(), message.stored_id(), std::string(message.topic())});
    }
  }
}

void Core::put_retained(Message message) {
  count_held(nullptr, message.payload().size());
  if (!is_reserved(message.topic())) retained_bytes_ += message.payload().size();
  if (const auto replaced = retained_.put(std::move(message))) count_retained_away(*replaced);
}

void Core::count_retained_away(const Message& message) {
  count_released(nullptr, message.payload().size());
  if (!is_reserved(message.topic())) retained_bytes_ -= message.payload().size();
}

void Core::shed_retained() {
  for (; !shedding_.empty() && shedding_.front().ticket <= stored_; shedding_.pop_front()) {
    const Shedding& shedding = shedding_.front();
    const Message* message = retained_.find(shedding.topic);
    if (message == nullptr || message->stored_id() != shedding.message) continue;
    put_retained(Message::stub(shedding.message, shedding.topic, message->expires_at()));
  }
}

void Core::drop_retained(std::string_view topic) {
  if (!forget_retained(topic)) return;
  if (!is_reserved(topic)) journal_.drop_retained(topic);
}

bool Core::forget_retained(std::string_view topic) {
  const auto dropped = retained_.drop(topic);
  if (!dropped) return false;
  count_retained_away(*dropped);
  if (const auto source = sources_.find(topic); source != sources_.end()) sources_.erase(source);
  return true;
}

}  // namespace mq::broker

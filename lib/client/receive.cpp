#include <string>
#include <utility>

#include "client/core.hpp"
#include "client/faults.hpp"
#include "wire/encode.hpp"

// One function for each family of packets that a server sends. Each returns what the owner is to
// know, or nothing. Acknowledgements go into the output before the owner sees the message; both
// leave in the same turn [MQTT-3.3.4-1] [MQTT-4.5.0-2]; they say no more than a code, so that none
// is larger than the server accepts [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3]
// [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3]. A fault is answered by DISCONNECT
// with its reason (v5) or by closing, and is told as a loss.

namespace mq::client {

using session::Delivery;
using wire::PacketType;
using wire::PropertyId;
using wire::QoS;
using wire::ReasonCode;
using wire::Version;

namespace {

/// Acknowledgements that a server does not take, while it sends more and more.
constexpr std::size_t kOutputLimit = 64U << 20U;

std::string text_or_empty(const wire::Properties& properties, PropertyId id) {
  return std::string(properties.text(id).value_or(std::string_view()));
}

}  // namespace

std::optional<Event> Core::handle(ByteView frame, Now now) {
  const PacketType type = wire::packet_type(frame);
  const bool is_early = state_ == State::handshaking;
  if (is_early && type != PacketType::connack && type != PacketType::auth) {
    violate(fault::kNoConnack, now);  // [MQTT-3.2.0-1]
    return std::nullopt;
  }
  switch (type) {
    case PacketType::publish:
      return handle_publish(frame, now);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      return handle_acknowledgement(frame, now);
    default:
      return handle_other(frame, now);
  }
}

std::optional<Event> Core::handle_other(ByteView frame, Now now) {
  const auto packet = wire::decode(frame, settings_.version);
  if (!packet) {
    violate(packet.error(), now);
    return std::nullopt;
  }
  if (const auto* connack = std::get_if<wire::Connack>(&*packet)) {
    return handle_connack(*connack, now);
  }
  if (const auto* suback = std::get_if<wire::Suback>(&*packet)) {
    const auto request = take_request(suback->packet_id, PacketType::suback);
    const bool fits = request && request->filters == suback->codes.size();
    last_acknowledged_ = now.steady;
    if (fits) return Subscribed{request->ticket, suback->codes, suback->properties};
    violate(request ? fault::kAnswerLength : fault::kUnknownRequest, now);
  } else if (const auto* unsuback = std::get_if<wire::Unsuback>(&*packet)) {
    const auto request = take_request(unsuback->packet_id, PacketType::unsuback);
    const bool is_v5 = settings_.version == Version::v5;
    const bool fits = request && (!is_v5 || request->filters == unsuback->codes.size());
    last_acknowledged_ = now.steady;
    if (fits) return Unsubscribed{request->ticket, unsuback->codes, unsuback->properties};
    violate(request ? fault::kAnswerLength : fault::kUnknownRequest, now);
  } else if (std::holds_alternative<wire::Pingresp>(*packet)) {
    ping_sent_ = kNever;
  } else if (const auto* disconnect = std::get_if<wire::Disconnect>(&*packet)) {
    handle_disconnect(*disconnect, now);
  } else if (std::holds_alternative<wire::Auth>(*packet)) {
    // No method was named in CONNECT [MQTT-4.12.0-6] [MQTT-4.12.0-7] [MQTT-4.12.1-2].
    violate(fault::kAuth, now);
  } else {
    violate(fault::kClientPacket, now);
  }
  return std::nullopt;
}

std::optional<Event> Core::handle_connack(const wire::Connack& packet, Now now) {
  if (state_ != State::handshaking) {
    violate(fault::kSecondConnack, now);
    return std::nullopt;
  }
  if (packet.code != 0) {
    refuse({.version = settings_.version,
            .code = packet.code,
            .reason = text_or_empty(packet.properties, PropertyId::reason_string)},
           now);
    return std::nullopt;
  }
  if (packet.session_present && is_clean_start()) {
    violate(fault::kSessionPresent, now);  // [MQTT-3.2.2-2] [MQTT-3.2.2-4]
    return std::nullopt;
  }
  if (errand_ != Errand::run) {
    send(wire::Disconnect{});
    state_ = State::draining;
    transport_ = Transport::drain;
    return std::nullopt;
  }
  limits_ = limits_of(packet.properties);
  if (const auto id = packet.properties.text(PropertyId::assigned_client_identifier)) {
    settings_.client_id = *id;
  }
  state_ = State::connected;
  connected_at_ = last_acknowledged_ = now.steady;
  // MQTT 3.1 cannot say it; what the client did not ask to be forgotten is there.
  const bool is_assumed =
      settings_.version == Version::v31 && was_ever_connected_ && !is_clean_start();
  if (!packet.session_present && !is_assumed) start_session_anew();  // [MQTT-3.2.2-5]
  const bool is_first = !std::exchange(was_ever_connected_, true);
  pump();
  return Connected{packet.session_present, is_first, settings_.client_id, packet.properties};
}

Core::Limits Core::limits_of(const wire::Properties& properties) const {
  Limits limits;
  limits.keep_alive = settings_.keep_alive;
  for (const wire::Property& property : properties) {
    switch (property.id) {
      case PropertyId::receive_maximum:  // [MQTT-4.9.0-1]
        limits.receive_maximum = static_cast<std::uint16_t>(property.number);
        break;
      case PropertyId::maximum_qos:
        limits.maximum_qos = static_cast<QoS>(property.number);
        break;
      case PropertyId::retain_available:
        limits.retain_available = property.number != 0;
        break;
      case PropertyId::maximum_packet_size:
        limits.maximum_packet_size = property.number;
        break;
      case PropertyId::topic_alias_maximum:
        limits.topic_alias_maximum = static_cast<std::uint16_t>(property.number);
        break;
      case PropertyId::server_keep_alive:  // [MQTT-3.1.2-21] [MQTT-3.2.2-21]
        limits.keep_alive = static_cast<std::uint16_t>(property.number);
        break;
      default:
        break;
    }
  }
  return limits;
}

/// The server knows nothing of what was under way, which is only ever said at the begin of a
/// connection [MQTT-4.1.0-1]. What it had not acknowledged is sent as new, however old it is;
/// what it had taken over with PUBREC must not be sent again [MQTT-4.3.3-6].
void Core::start_session_anew() {
  inbox_.clear();  // [MQTT-3.1.2-4]
  std::vector<std::uint16_t> taken_over;
  outbox_.send_releases([&](std::uint16_t packet_id) { taken_over.push_back(packet_id); });
  for (const auto packet_id : taken_over) {
    events_.push_back(settle(*outbox_.find(packet_id), ReasonCode::success));
  }
  while (const auto item = outbox_.next(SIZE_MAX)) {
    outbox_.mark_sent();
    item->entry->state = Delivery::waiting;
    item->entry->was_sent = false;
    item->entry->message.frame->bytes()[0] &= static_cast<Byte>(~kDup);
  }
  outbox_.rewind();
}

std::optional<Event> Core::handle_publish(ByteView frame, Now now) {
  auto decoded = wire::decode_publish(frame, settings_.version);
  if (!decoded) {
    violate(decoded.error(), now);
    return std::nullopt;
  }
  wire::Publish& packet = *decoded;
  if (const wire::Fault* fault = resolve_topic(packet)) {
    violate(*fault, now);
    return std::nullopt;
  }
  if (packet.qos == QoS::at_most_once) return Arrived{packet};
  if (!takes_more_) return std::nullopt;
  // [MQTT-4.3.2-5]
  const bool is_known = packet.qos == QoS::exactly_once && inbox_.repeat(packet.packet_id);
  if (!is_known && inbox_.under_way() >= own_.receive_maximum) {
    violate(fault::kReceiveMaximum, now);  // [MQTT-3.3.4-9]
    return std::nullopt;
  }
  if (output_.size() > kOutputLimit) {
    lose({.cause = Cause::violation,
          .reason = ReasonCode::quota_exceeded,
          .words = "the server takes no acknowledgements"},  // [MQTT3-4.8.0-2]
         now);
    return std::nullopt;
  }
  if (packet.qos == QoS::at_least_once) {
    // [MQTT-2.2.1-5] [MQTT-4.6.0-2]
    send(wire::Puback{.packet_id = packet.packet_id, .properties = {}});  // [MQTT-4.3.2-4]
    return Arrived{packet};
  }
  // [MQTT-2.2.1-5] [MQTT-4.6.0-3]; it is never a refusal, after which the id were free
  // [MQTT-4.3.3-9]
  send(wire::Pubrec{.packet_id = packet.packet_id, .properties = {}});  // [MQTT-4.3.3-8]
  if (is_known) return std::nullopt;                                    // [MQTT-4.3.3-10]
  inbox_.put(packet.packet_id);
  return Arrived{packet};
}

const wire::Fault* Core::resolve_topic(wire::Publish& packet) {
  if (packet.properties.empty()) return nullptr;
  const auto alias = packet.properties.number(PropertyId::topic_alias);
  if (!alias) return nullptr;
  if (*alias > own_.topic_alias_maximum) return &fault::kTopicAlias;  // [MQTT-3.1.2-26]
  if (!packet.topic.empty()) {
    aliases_in_.put(*alias, packet.topic);
    return nullptr;
  }
  const auto topic = aliases_in_.find(*alias);
  if (!topic) return &fault::kUnknownAlias;
  packet.topic = *topic;  // [MQTT-3.3.2-10]
  return nullptr;
}

std::optional<Event> Core::handle_acknowledgement(ByteView frame, Now now) {
  const auto packet = wire::decode_acknowledgement(frame, settings_.version);
  if (!packet) {
    violate(packet.error(), now);
    return std::nullopt;
  }
  if (packet->type == PacketType::pubrel) {
    const bool is_known = inbox_.drop(packet->packet_id);  // [MQTT-4.3.3-12]
    send(wire::Pubcomp{
        .packet_id = packet->packet_id,
        .reason = is_known ? ReasonCode::success : ReasonCode::packet_identifier_not_found,
        .properties = {}});  // [MQTT-4.3.3-11]
    return std::nullopt;
  }
  last_acknowledged_ = now.steady;
  const auto item = outbox_.find(packet->packet_id);
  if (!item) {
    if (packet->type == PacketType::pubrec) {
      send(wire::Pubrel{.packet_id = packet->packet_id,
                        .reason = ReasonCode::packet_identifier_not_found,
                        .properties = {}});
    }
    return std::nullopt;
  }
  const bool is_qos2 = item->entry->qos == QoS::exactly_once;
  const bool is_released = session::is_released(item->entry->state);
  // [MQTT-4.3.2-3] [MQTT-4.3.3-3]
  if (is_qos2 != (packet->type != PacketType::puback) ||
      (packet->type == PacketType::pubcomp && !is_released)) {
    violate(fault::kWrongAcknowledgement, now);
    return std::nullopt;
  }
  if (packet->type == PacketType::pubrec && !is_failure(packet->reason)) {
    release(*item);
    return std::nullopt;
  }
  // A PUBREL whose id the server does not know any more: it has had the message.
  const bool is_late = packet->type == PacketType::pubcomp || is_released;
  Settled settled = settle(*item, is_late ? ReasonCode::success : packet->reason);
  settled.reason_string =
      packet->properties.text(PropertyId::reason_string).value_or(std::string_view());
  pump();
  return settled;
}

/// PUBREC came: the server has taken the message over.
void Core::release(Outbox::Item item) {
  if (!session::is_released(item.entry->state)) {
    stored_bytes_ -= item.entry->message.frame->size();
    outbox_.release(item);
  }
  // [MQTT-4.6.0-4]
  send(wire::Pubrel{.packet_id = item.packet_id(), .properties = {}});  // [MQTT-4.3.3-4]
}

std::optional<Core::Request> Core::take_request(std::uint16_t packet_id, PacketType answer) {
  for (auto it = requests_.begin(); it != requests_.end(); ++it) {
    if (it->packet_id != packet_id || it->answer != answer) continue;
    const Request request = *it;
    requests_.erase(it);
    pump();  // a message may have waited for this packet id
    return request;
  }
  return std::nullopt;
}

void Core::handle_disconnect(const wire::Disconnect& packet, Now now) {
  lose({.cause = Cause::disconnected,
        .reason = packet.reason,
        .words = text_or_empty(packet.properties, PropertyId::reason_string)},
       now);
}

/// Answers the server's mistake: with a word where the version has one, then by closing.
void Core::violate(const wire::Fault& fault, Now now) {
  Lost lost{.cause = Cause::violation, .reason = fault.reason, .words = fault.words};
  if (settings_.version != Version::v5) return lose(std::move(lost), now);
  // Some faults have codes that only CONNACK may carry [MQTT-3.14.2-1].
  const bool is_allowed = wire::is_allowed(fault.reason, PacketType::disconnect);
  send(wire::Disconnect{.reason = is_allowed ? fault.reason : ReasonCode::protocol_error,
                        .properties = {}});  // [MQTT-4.13.1-1]
  lost.was_connected = state_ == State::connected;
  drained_ = std::move(lost);  // [MQTT-4.13.2-1]
  state_ = State::draining;
  transport_ = Transport::drain;
}

}  // namespace mq::client

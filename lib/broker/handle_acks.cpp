#include "broker/core.hpp"
#include "broker/write_packet.hpp"

// What answers an acknowledgement says no more than a code, so that it is never larger than its
// receiver accepts [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3]; whether it wants
// problem information is of no account [MQTT-3.1.2-29].

namespace mq::broker {

using session::Delivery;
using wire::PacketType;
using wire::QoS;
using wire::ReasonCode;

bool Core::handle_acknowledgement(Connection& connection, ByteView frame) {
  const auto ack = wire::decode_acknowledgement(frame, connection.version);
  if (!ack) {
    fail(connection, ack.error());
    return false;
  }
  Session& session = *connection.session;
  if (ack->type == PacketType::pubrel) {
    const auto written = journal_.position();
    const bool was_known = session.inbox.drop(ack->packet_id);  // [MQTT-4.3.3-12]
    if (was_known) journal_.drop_incoming(session, ack->packet_id);
    const auto reason = was_known ? ReasonCode::success : ReasonCode::packet_identifier_not_found;
    acknowledge(connection, wire::Pubcomp{ack->packet_id, reason, {}},
                journal_.written_since(written));  // [MQTT-4.3.3-11]
    return true;
  }
  if (ack->type == PacketType::puback) {
    on_puback(connection, ack->packet_id);
    return true;
  }
  if (ack->type == PacketType::pubrec) {
    on_pubrec(connection, *ack);
  } else if (const auto item = session.outbox.find(ack->packet_id)) {
    // [MQTT-4.3.3-3] [MQTT-4.3.3-5]
    if (session::is_released(item->entry->state)) settle(session, *item);
  }
  if (session.is_awake && session.has_more()) pump(session);
  return true;
}

void Core::on_puback(Connection& connection, std::uint16_t packet_id) {
  Session& session = *connection.session;
  const auto item = session.outbox.find(packet_id);
  // [MQTT-4.3.2-3] [MQTT-4.3.3-3]
  if (item && item->entry->qos == QoS::at_least_once) settle(session, *item);
  if (session.is_awake && session.has_more()) pump(session);
}

void Core::on_pubrec(Connection& connection, const wire::AnyAcknowledgement& ack) {
  Session& session = *connection.session;
  const auto item = session.outbox.find(ack.packet_id);
  if (!item || item->entry->qos != QoS::exactly_once) {
    const auto reason = ReasonCode::packet_identifier_not_found;
    acknowledge(connection, wire::Pubrel{ack.packet_id, reason, {}}, 0);
    return;
  }
  // [MQTT-4.4.0-2] [MQTT-4.8.2-6]
  if (is_failure(ack.reason)) {  // the message is not wanted (MQTT 5.0 §4.3.3)
    settle(session, *item);
    return;
  }
  if (item->entry->state == Delivery::published) {
    const auto size = item->entry->message.message.payload().size();
    session.in_flight_bytes -= size;
    count_released(&session, size);
    session.outbox.release(*item);  // [MQTT-4.3.3-6]
    note_release(session, item->sequence);
  }
  acknowledge(connection, wire::Pubrel{ack.packet_id, ReasonCode::success, {}},
              session.released_by);  // [MQTT-4.3.3-4]
}

void Core::note_release(Session& session, std::uint64_t sequence) {
  if (!journal_.keeps(session)) return;
  session.released_by = journal_.ticket();
  storing_.push_back({session.released_by, session.index});
  journal_.release_queued(session, sequence);
}

void Core::settle(Session& session, Outbox::Item item) {
  const Message& message = item.entry->message.message;
  if (message) {
    const auto size = message.payload().size();
    session.in_flight_bytes -= size;
    count_released(&session, size);
  }
  if (journal_.keeps(session)) journal_.drop_queued(session, item.sequence);
  session.outbox.settle(item);
}

}  // namespace mq::broker

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "client/core.hpp"
#include "topic/name.hpp"
#include "wire/encode.hpp"

// A QoS 1 or 2 message is encoded once, when it is published: its packet id is known then, so
// sending it is copying, and sending it again is setting one bit. Only where the server takes topic
// aliases, the head is written anew each time. The outbox decides what may go out; the output is
// filled only so far, so that acknowledgements and pings are never far behind.
//
// Packet ids of SUBSCRIBE and UNSUBSCRIBE are taken from the top, those of messages count from 1:
// each side looks whether the other holds an id before it uses it.

namespace mq::client {

using wire::PacketType;
using wire::PropertyId;
using wire::QoS;
using wire::ReasonCode;
using wire::Version;

namespace {

/// Frames above it are not copied into the output.
constexpr std::size_t kByReference = 16U << 10U;
/// As long as so much waits in the output, nothing more is taken from the outbox.
constexpr std::size_t kOutputMax = 1U << 20U;
/// QoS 2 messages under way to a v3 server, which cannot say how many it can hold. Mosquitto 2.0
/// acknowledges what is beyond its own limit of 20, and loses it.
constexpr std::size_t kQos2WindowV3 = 20;
/// An alias takes three bytes.
constexpr std::size_t kShortTopic = 3;
/// What a new alias adds to a packet, at most: the lengths before it may need a byte more each.
constexpr std::size_t kAliasSize = 5;

/// Whether no packet can hold it (MQTT 5.0 §2.1.4).
bool is_beyond_measure(const wire::Publish& message) {
  constexpr std::size_t kAround = 16;  // more than all the lengths and the packet id take
  return message.topic.size() + message.properties.encoded().size() + message.payload.size() >
         wire::kMaximumPacketSize - kAround;
}

}  // namespace

template <class P>
bool Core::fits(const P& packet) const {  // [MQTT-3.2.2-15]
  return wire::encoded_size(packet, settings_.version) <= limits_.maximum_packet_size;
}

template <class P>
void Core::send(const P& packet) {
  wire::encode(packet, settings_.version,
               output_.append(wire::encoded_size(packet, settings_.version)));
}

template void Core::send(const wire::Pingreq&);
template void Core::send(const wire::Disconnect&);
template void Core::send(const wire::Puback&);
template void Core::send(const wire::Pubrec&);
template void Core::send(const wire::Pubrel&);
template void Core::send(const wire::Pubcomp&);

void Core::send_connect() {
  wire::Connect packet;
  packet.version = settings_.version;
  packet.clean_start = is_clean_start();
  packet.keep_alive = settings_.keep_alive;
  packet.client_id = settings_.client_id;  // [MQTT-3.1.3-2]
  if (settings_.will) {
    const Will& will = *settings_.will;
    packet.will = wire::Will{.topic = will.topic,
                             .payload = bytes_of(will.payload),
                             .qos = will.qos,
                             .retain = will.retain,
                             .properties = will.properties.view()};
  }
  if (settings_.user_name) packet.user_name = *settings_.user_name;
  if (settings_.password) packet.password = bytes_of(*settings_.password);
  packet.properties = settings_.properties.view();
  send(packet);
}

std::optional<Ticket> Core::publish(const wire::Publish& message, Now now) {
  if (!has_room(message.qos)) return std::nullopt;
  if (is_beyond_measure(message)) return refuse_publish(ReasonCode::packet_too_large);
  if (message.qos == QoS::at_most_once) return publish_unacknowledged(message);
  wire::Publish packet = message;
  packet.dup = false;  // [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
  packet.packet_id = session::packet_id_of(outbox_.next_sequence());  // [MQTT-2.2.1-3]
  const std::size_t size = wire::encoded_size(packet, settings_.version);
  Stored stored{BlockRef::allocate(size)};
  wire::encode(packet, settings_.version, stored.frame->bytes());
  stored_bytes_ += size;
  if (!is_answer_due()) last_acknowledged_ = now.steady;
  ++unsettled_;
  if (message.qos == QoS::exactly_once) ++unsettled_qos2_;
  const Ticket ticket = outbox_.push(std::move(stored), message.qos);
  if (state_ == State::connected) pump();  // [MQTT-3.1.2-30]
  return ticket;
}

Ticket Core::publish_unacknowledged(const wire::Publish& message) {
  wire::Publish packet = message;
  packet.dup = false;  // [MQTT-3.3.1-2] [MQTT-4.3.1-1]
  packet.packet_id = 0;
  const std::size_t size = wire::encoded_size(packet, settings_.version);
  if (const auto reason = objection(packet, size)) return refuse_publish(*reason);
  send_publish(packet, {});
  unacknowledged_.push_back({sent_total_ + output_.size(), next_unacknowledged_});
  return next_unacknowledged_++;
}

Ticket Core::refuse_publish(ReasonCode reason) {
  events_.push_back(
      Settled{.ticket = next_unacknowledged_, .outcome = Outcome::refused, .reason = reason});
  return next_unacknowledged_++;
}

std::optional<ReasonCode> Core::objection(const wire::Publish& message, std::size_t size) const {
  if (message.qos > limits_.maximum_qos) return ReasonCode::qos_not_supported;  // [MQTT-3.2.2-11]
  if (message.retain && !limits_.retain_available) {
    return ReasonCode::retain_not_supported;  // [MQTT-3.2.2-14]
  }
  if (size > limits_.maximum_packet_size) return ReasonCode::packet_too_large;  // [MQTT-3.2.2-15]
  return std::nullopt;
}

void Core::pump() {
  outbox_.send_releases([this](std::uint16_t packet_id) {
    send(wire::Pubrel{.packet_id = packet_id, .properties = {}});
  });
  while (output_.size() < kOutputMax) {
    const auto item = outbox_.next(window());  // [MQTT-3.3.4-7]
    if (!item || is_requested(item->packet_id())) return;
    send_stored(*item);
  }
}

/// Sends the item that the outbox shows next, or settles it when this server must not have it. Time
/// is of no account: nothing expires here [MQTT-4.3.3-7].
void Core::send_stored(Outbox::Item item) {
  const BlockRef frame = item.entry->message.frame;
  const ByteView bytes(frame->bytes(), frame->size());
  const bool is_plain = limits_.maximum_qos == QoS::exactly_once && limits_.retain_available &&
                        limits_.topic_alias_maximum == 0 &&
                        bytes.size() <= limits_.maximum_packet_size;
  if (item.entry->was_sent) frame->bytes()[0] |= kDup;  // [MQTT-3.3.1-1]
  if (!is_plain) {
    const auto packet = wire::decode_publish(bytes, settings_.version);
    MQ_CHECK(packet);
    if (const auto reason = objection(*packet, bytes.size())) {
      events_.push_back(
          Settled{.ticket = item.sequence, .outcome = Outcome::refused, .reason = *reason});
      stored_bytes_ -= frame->size();
      --unsettled_;
      if (item.entry->qos == QoS::exactly_once) --unsettled_qos2_;
      return outbox_.skip();
    }
    send_publish(*packet, frame);
  } else if (bytes.size() < kByReference) {
    std::memcpy(output_.append(bytes.size()), bytes.data(), bytes.size());
  } else {
    output_.append(frame, bytes);
  }
  outbox_.mark_sent();
}

/// Sends a PUBLISH, with an alias for its topic where that helps. When `owner` holds the payload, a
/// long one is not copied.
void Core::send_publish(const wire::Publish& packet, const BlockRef& owner) {
  wire::Publish aliased = packet;
  const auto has_room = [&] {
    return wire::encoded_size(packet, settings_.version) + kAliasSize <=
           limits_.maximum_packet_size;
  };
  if (limits_.topic_alias_maximum > 0 && packet.topic.size() > kShortTopic && has_room()) {
    // [MQTT-3.2.2-17] [MQTT-3.3.2-9]
    if (const auto alias = aliases_out_.take(packet.topic, limits_.topic_alias_maximum)) {
      scratch_ = {};
      scratch_.add_encoded(packet.properties.encoded()).add(PropertyId::topic_alias, alias->number);
      aliased.properties = scratch_.view();
      if (!alias->is_new) aliased.topic = {};
    }
  }
  if (!owner || packet.payload.size() < kByReference) return send(aliased);
  const auto size = wire::encoded_header_size(aliased, settings_.version);
  wire::encode_header(aliased, settings_.version, output_.append(size));
  output_.append(owner, packet.payload);
}

/// How many QoS 1 and 2 messages may be under way.
std::size_t Core::window() const {
  if (settings_.in_flight_max) return std::min(limits_.receive_maximum, *settings_.in_flight_max);
  const bool is_guess = settings_.version != Version::v5 && unsettled_qos2_ > 0;
  return is_guess ? kQos2WindowV3 : limits_.receive_maximum;
}

std::optional<Ticket> Core::subscribe(wire::Subscribe request, Now now) {
  if (state_ != State::connected) return std::nullopt;
  for (const auto& wanted : request.subscriptions) {
    const bool is_shared = topic::share_of(wanted.filter).has_value();
    if (is_shared && wanted.options.no_local) return std::nullopt;  // [MQTT-3.8.3-4]
  }
  request.packet_id = free_packet_id();
  if (request.packet_id == 0 || !fits(request)) return std::nullopt;
  send(request);
  return add_request(request.packet_id, PacketType::suback, request.subscriptions.size(), now);
}

std::optional<Ticket> Core::unsubscribe(wire::Unsubscribe request, Now now) {
  if (state_ != State::connected) return std::nullopt;
  request.packet_id = free_packet_id();
  if (request.packet_id == 0 || !fits(request)) return std::nullopt;
  send(request);
  return add_request(request.packet_id, PacketType::unsuback, request.filters.size(), now);
}

Ticket Core::add_request(std::uint16_t packet_id, PacketType answer, std::size_t filters, Now now) {
  if (!is_answer_due()) last_acknowledged_ = now.steady;
  requests_.push_back({next_request_, packet_id, answer, filters});
  return next_request_++;
}

std::uint16_t Core::free_packet_id() {
  std::uint16_t id = session::kPacketIds;
  while (id > 0 && (is_requested(id) || outbox_.is_in_use(id))) --id;  // [MQTT-2.2.1-3]
  return id;
}

bool Core::is_requested(std::uint16_t packet_id) const {
  return std::ranges::any_of(
      requests_, [&](const Request& request) { return request.packet_id == packet_id; });
}

Settled Core::settle(Outbox::Item item, ReasonCode reason) {
  const BlockRef& frame = item.entry->message.frame;
  if (frame) stored_bytes_ -= frame->size();
  if (item.entry->qos == QoS::exactly_once) --unsettled_qos2_;
  --unsettled_;
  outbox_.settle(item);
  return {.ticket = item.sequence,
          // [MQTT-4.4.0-2]
          .outcome = is_failure(reason) ? Outcome::refused : Outcome::acknowledged,
          .reason = reason};
}

/// QoS 0 messages whose last byte lies before `up_to` have had their chance.
void Core::settle_sent(Outcome outcome, std::uint64_t up_to) {
  while (!unacknowledged_.empty() && unacknowledged_.front().end <= up_to) {
    const Ticket first = unacknowledged_.front().ticket;
    std::uint64_t count = 0;
    while (!unacknowledged_.empty() && unacknowledged_.front().end <= up_to &&
           unacknowledged_.front().ticket == first + count) {
      unacknowledged_.pop_front();
      ++count;
    }
    events_.push_back(Settled{.ticket = first, .count = count, .outcome = outcome});
  }
}

}  // namespace mq::client

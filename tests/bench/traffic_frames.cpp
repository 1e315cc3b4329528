#include <algorithm>
#include <cstring>

#include "bench/traffic.hpp"

// What is done for every message. The broker under load shares the machine with us, so this has to
// be cheaper than any broker: a frame is copied from its model and stamped, what comes is looked at
// where it lies.

namespace mq::bench {

void Traffic::want(Publisher& publisher) {
  if (std::exchange(publisher.is_ready, true)) return;
  ready_.push_back(static_cast<std::uint32_t>(&publisher - publishers_.data()));
}

std::uint32_t Traffic::room(const Publisher& publisher) const {
  std::uint32_t room = publisher.limit - publisher.sent;
  room = std::min(room, window_ - std::min(window_, publisher.sent - publisher.base));
  if (plan_.qos > 0) {
    room = std::min(room, inflight_ - std::min(inflight_, publisher.sent - publisher.acknowledged));
  }
  return room;
}

void Traffic::fill(Publisher& publisher) {
  std::uint32_t count = room(publisher);
  if (plan_.rate > 0) {
    const auto now = Clock::now();
    const auto index = static_cast<std::uint32_t>(&publisher - publishers_.data());
    for (; count > 0 && due(index, publisher.sent) <= now; --count) publish(publisher);
    return;
  }
  if (count < smallest_batch_ && publisher.limit - publisher.sent > count) return;
  while (count-- > 0) publish(publisher);
}

void Traffic::publish(Publisher& publisher) {
  const std::uint32_t position = publisher.sent++;
  Bytes& out = publisher.client->out();
  std::uint32_t stream = publisher.fixed.stream;
  std::uint32_t receivers = publisher.fixed.receivers;
  if (publisher.route) {
    const Route route = publisher.route(position);
    stream = route.stream;
    receivers = route.receivers;
    put_publish(out, route.topic, plan_.qos << 1U | (is_retained_ ? 1U : 0U), plan_.payload);
  } else {
    out.insert(out.end(), publisher.model.begin(), publisher.model.end());
  }
  unsigned packet_id = 0;
  if (plan_.qos > 0) {
    packet_id = position % 65'535 + 1;
    publisher.under_way[packet_id] = true;
  }
  const auto index = static_cast<std::uint32_t>(&publisher - publishers_.data());
  stamp_publish(out.data() + out.size(), plan_.payload, packet_id,
                {stream, published_[stream]++, index, position});
  publisher.owed[position & (publisher.owed.size() - 1)] = receivers;
  if (receivers == 0 && publisher.base == position) ++publisher.base;
  ++sent_;
  publisher.client->touch();
}

Clock::time_point Traffic::due(std::uint32_t publisher, std::uint32_t position) const {
  const auto before = static_cast<double>(position) * static_cast<double>(publishers_.size());
  const std::chrono::duration<double> after((before + publisher) / plan_.rate);
  return started_ + std::chrono::duration_cast<Clock::duration>(after);
}

void Traffic::on_frame(Client& client, const Frame& frame) {
  const unsigned type = frame.type();
  if (type == kPublish) return on_publish(client, frame);
  if (type == kConnack || type == kSuback) {
    if (awaited_ > 0) --awaited_;
    if (type == kConnack && frame.body[1] != 0) ++faults_.wrong;
    return;
  }
  const unsigned packet_id = frame.body.size() < 2 ? 0 : two_bytes(frame.body.data());
  switch (type) {
    case kPuback:
      return on_acknowledged(client, packet_id, true);
    case kPubcomp:
      return on_acknowledged(client, packet_id, true);
    case kPubrec:
      put_acknowledgement(client.out(), kPubrel, packet_id);
      client.touch();
      return on_acknowledged(client, packet_id, false);
    case kPubrel:
      put_acknowledgement(client.out(), kPubcomp, packet_id);
      return client.touch();
    default:
      ++faults_.wrong;
  }
}

void Traffic::on_closed(Client&) {
  if (is_leaving_) {
    --awaited_;
  } else {
    ++faults_.closed;
  }
}

void Traffic::on_acknowledged(Client& client, unsigned packet_id, bool is_last) {
  if (client.index >= publishers_.size() || plan_.qos == 0) return;
  Publisher& publisher = publishers_[client.index];
  if (!publisher.under_way[packet_id]) {
    ++faults_.wrong;
    return;
  }
  if (!is_last) return;
  publisher.under_way[packet_id] = false;
  ++publisher.acknowledged;
  ++acknowledged_;
  want(publisher);
}

bool Traffic::is_right(const Subscriber& subscriber, const Frame& frame, ByteView payload,
                       const Stamp& stamp) const {
  return payload.size() == plan_.payload && frame.qos() == plan_.qos &&
         frame.retain() == is_retained_ && stamp.stream >= subscriber.first &&
         stamp.stream - subscriber.first < subscriber.tally.streams() &&
         stamp.publisher < publishers_.size() &&
         (payload.size() == sizeof stamp || payload.back() == static_cast<Byte>(stamp.position));
}

void Traffic::on_publish(Client& client, const Frame& frame) {
  Subscriber& subscriber = subscribers_[client.index];
  const std::size_t topic = 2 + two_bytes(frame.body.data());
  const std::size_t head = topic + (frame.qos() > 0 ? 2 : 0);
  if (head + sizeof(Stamp) > frame.body.size()) {
    ++faults_.wrong;
    return;
  }
  const ByteView payload = frame.body.subspan(head);
  Stamp stamp;
  std::memcpy(&stamp, payload.data(), sizeof stamp);
  if (!is_right(subscriber, frame, payload, stamp)) {
    ++faults_.wrong;
    return;
  }
  ++delivered_;
  if (subscriber.tally.take(stamp.stream - subscriber.first, stamp.number)) count_delivery(stamp);
  if (frame.qos() == 0) return;
  const unsigned packet_id = two_bytes(frame.body.data() + topic);
  put_acknowledgement(client.out(), frame.qos() == 1 ? kPuback : kPubrec, packet_id);
  client.touch();
}

void Traffic::count_delivery(const Stamp& stamp) {
  Publisher& publisher = publishers_[stamp.publisher];
  if (plan_.rate > 0) {
    const std::chrono::duration<double, std::micro> late =
        Clock::now() - due(stamp.publisher, stamp.position);
    latencies_us_.push_back(late.count());
  }
  const auto mask = publisher.owed.size() - 1;
  if (stamp.position - publisher.base >= publisher.owed.size()) return;  // nobody waits for it
  std::uint32_t& owed = publisher.owed[stamp.position & mask];
  if (owed == 0 || --owed > 0) return;
  while (publisher.base < publisher.sent && publisher.owed[publisher.base & mask] == 0) {
    ++publisher.base;
  }
  want(publisher);
}

}  // namespace mq::bench

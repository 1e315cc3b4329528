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
    publisher.steps[packet_id] = Step::sent;
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
  ++heard_;
  switch (frame.type()) {
    case kPublish:
      return on_publish(client, frame);
    case kConnack:
    case kSuback:
      if (awaited_ == 0 || !is_right_answer(client, frame)) ++faults_.wrong;
      if (awaited_ > 0) --awaited_;
      return;
    case kPuback:
    case kPubrec:
    case kPubcomp:
      return on_acknowledged(client, frame);
    case kPubrel:
      return on_released(client, frame.packet_id());
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

bool Traffic::is_right_answer(const Client& client, const Frame& frame) const {
  const bool is_subscriber = client.role == kSubscriber;
  if (frame.type() == kConnack) {
    return is_connack(frame, is_subscriber && subscribers_[client.index].is_back);
  }
  return is_subscriber && frame.body.size() > 2 &&
         std::ranges::all_of(frame.body.subspan(2), [&](Byte qos) { return qos == plan_.qos; });
}

void Traffic::on_acknowledged(Client& client, const Frame& frame) {
  const unsigned packet_id = frame.packet_id();
  const unsigned type = frame.type();
  const Step needed = type == kPubcomp ? Step::received : Step::sent;
  if (client.role != kPublisher || plan_.qos != (type == kPuback ? 1U : 2U) ||
      publishers_[client.index].steps[packet_id] != needed) {
    ++faults_.wrong;
    return;
  }
  Publisher& publisher = publishers_[client.index];
  if (type == kPubrec) {
    publisher.steps[packet_id] = Step::received;
    put_acknowledgement(client.out(), kPubrel, packet_id);
    return client.touch();
  }
  publisher.steps[packet_id] = Step::none;
  ++publisher.acknowledged;
  ++acknowledged_;
  want(publisher);
}

void Traffic::on_released(Client& client, unsigned packet_id) {
  if (client.role != kSubscriber || plan_.qos != 2 ||
      !subscribers_[client.index].unreleased[packet_id]) {
    ++faults_.wrong;
    return;
  }
  Subscriber& subscriber = subscribers_[client.index];
  subscriber.unreleased[packet_id] = false;
  --subscriber.unreleased_count;
  put_acknowledgement(client.out(), kPubcomp, packet_id);
  client.touch();
}

bool Traffic::is_sent_to(const Stamp& stamp, ByteView topic) const {
  if (stamp.publisher >= publishers_.size()) return false;
  const Publisher& publisher = publishers_[stamp.publisher];
  if (stamp.position >= publisher.sent) return false;
  const auto is_it = [&](const Route& route) {
    return route.stream == stamp.stream &&
           std::ranges::equal(topic, route.topic,
                              [](Byte a, char b) { return a == static_cast<Byte>(b); });
  };
  return publisher.route ? is_it(publisher.route(stamp.position)) : is_it(publisher.fixed);
}

bool Traffic::is_right(const Subscriber& subscriber, const Frame& frame, ByteView topic,
                       ByteView payload, const Stamp& stamp) const {
  return payload.size() == plan_.payload && frame.qos() == plan_.qos && !frame.dup() &&
         frame.retain() == is_retained_ && stamp.stream >= subscriber.first &&
         stamp.stream - subscriber.first < subscriber.tally.streams() && is_sent_to(stamp, topic) &&
         (payload.size() == sizeof stamp || payload.back() == static_cast<Byte>(stamp.position));
}

void Traffic::on_publish(Client& client, const Frame& frame) {
  const std::size_t topic = 2 + (frame.body.size() < 2 ? 0 : two_bytes(frame.body.data()));
  const std::size_t head = topic + (frame.qos() > 0 ? 2 : 0);
  if (client.role != kSubscriber || head + sizeof(Stamp) > frame.body.size()) {
    ++faults_.wrong;
    return;
  }
  Subscriber& subscriber = subscribers_[client.index];
  const ByteView payload = frame.body.subspan(head);
  Stamp stamp;
  std::memcpy(&stamp, payload.data(), sizeof stamp);
  if (!is_right(subscriber, frame, frame.body.subspan(2, topic - 2), payload, stamp)) {
    ++faults_.wrong;
    return;
  }
  if (subscriber.tally.take(stamp.stream - subscriber.first, stamp.number)) {
    ++delivered_;
    count_delivery(stamp);
  }
  if (frame.qos() == 0) return;
  const unsigned packet_id = two_bytes(frame.body.data() + topic);
  if (frame.qos() == 2) {
    if (packet_id == 0 || subscriber.unreleased[packet_id]) {
      ++faults_.wrong;
      return;
    }
    subscriber.unreleased[packet_id] = true;
    ++subscriber.unreleased_count;
  }
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

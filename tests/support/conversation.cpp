#include "support/conversation.hpp"

#include <array>
#include <utility>
#include <variant>

#include "base/check.hpp"
#include "support/transcript.hpp"
#include "wire/decode.hpp"

namespace mq::support {

namespace {

using namespace client;

std::string codes(ByteView list) {
  std::string text;
  for (const Byte code : list) text += " " + std::to_string(code);
  return text;
}

std::string fate(Instant retry_at) {
  return retry_at == kNever ? " for good" : "";
}

struct Describer {
  std::string operator()(const Connected& event) const {
    return std::string(event.is_first ? "connected" : "connected again") +
           (event.session_present ? " present" : "");
  }
  std::string operator()(const Refused& event) const {
    return "refused " + std::to_string(event.code) + fate(event.retry_at);
  }
  std::string operator()(const Arrived& event) const {
    return "arrived " + line_of(wire::Packet(event.message));
  }
  std::string operator()(const Settled& event) const {
    constexpr std::array kOutcomes{"acknowledged", "sent", "refused", "dropped"};
    constexpr Ticket kUnacknowledged = Ticket{1} << 63U;
    const bool is_qos0 = event.ticket >= kUnacknowledged;
    std::string text = std::string(kOutcomes[static_cast<std::size_t>(event.outcome)]) + " " +
                       (is_qos0 ? "x" + std::to_string(event.count) : std::to_string(event.ticket));
    if (is_failure(event.reason)) text += " " + std::to_string(static_cast<int>(event.reason));
    return text;
  }
  std::string operator()(const Subscribed& event) const {
    return "subscribed " + std::to_string(event.ticket) + codes(event.codes);
  }
  std::string operator()(const Unsubscribed& event) const {
    return "unsubscribed " + std::to_string(event.ticket) + codes(event.codes);
  }
  std::string operator()(const Lost& event) const {
    constexpr std::array kCauses{"unreachable", "timed out",  "closed",    "disconnected",
                                 "violation",   "keep alive", "unanswered"};
    std::string text = std::string("lost ") + kCauses[static_cast<std::size_t>(event.cause)];
    if (event.reason != wire::ReasonCode::success) {
      text += " " + std::to_string(static_cast<int>(event.reason));
    }
    return text + fate(event.retry_at);
  }
  std::string operator()(const Ended& event) const {
    return event.words.empty() ? "ended" : "ended " + event.words;
  }
};

void add(std::string& all, const std::string& line) {
  if (!all.empty()) all += "; ";
  all += line;
}

}  // namespace

std::string line_of(const Event& event) {
  return std::visit(Describer(), event);
}

client::Settings v5(const wire::PropertyList& properties) {
  client::Settings settings;
  settings.version = wire::Version::v5;
  settings.properties = properties;
  return settings;
}

Conversation::Conversation(client::Settings settings) : core(std::move(settings), Prng(1)) {
  now.steady += Seconds(1000);
}

Conversation& Conversation::open() {
  core.connect(now);
  MQ_CHECK(core.transport() == Transport::open);
  core.on_open(now);
  return *this;
}

Conversation& Conversation::join(const wire::PropertyList& properties) {
  open();
  sent();
  reply(wire::Connack{.properties = properties.view()});
  return *this;
}

Conversation& Conversation::come_back(wire::Connack answer) {
  cut();
  now.steady = core.next_deadline();
  core.on_deadline(now);
  framer_ = wire::Framer();
  core.on_open(now);
  sent();
  reply(answer);
  return *this;
}

std::string Conversation::sent() {
  std::vector<Byte> bytes;
  std::array<ByteView, 4> pieces;
  while (core.has_output()) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < core.gather(pieces); ++i) {
      bytes.insert(bytes.end(), pieces[i].begin(), pieces[i].end());
      size += pieces[i].size();
    }
    core.on_sent(size, now);
  }
  std::string all;
  framer_.feed(bytes);
  while (true) {
    const auto frame = framer_.next(wire::kMaximumPacketSize);
    MQ_CHECK(frame.has_value());
    if (!*frame) return all;
    const auto packet = wire::decode(**frame, core.version());
    MQ_CHECK(packet.has_value());
    add(all, line_of(*packet));
  }
}

std::string Conversation::reply_bytes(ByteView bytes) {
  core.on_bytes(bytes, now);
  return events();
}

std::string Conversation::events() {
  std::string all;
  while (const auto event = core.next_event(now)) add(all, line_of(*event));
  return all;
}

std::string Conversation::advance(Millis duration) {
  now.steady += duration;
  core.on_deadline(now);
  return events();
}

std::string Conversation::cut(std::string_view words) {
  core.on_close(words, now);
  return events();
}

client::Ticket Conversation::publish(std::string_view topic, std::string_view payload,
                                     wire::QoS qos) {
  const auto ticket = core.publish(
      {.qos = qos, .topic = topic, .properties = {}, .payload = bytes_of(payload)}, now);
  MQ_CHECK(ticket.has_value());
  return *ticket;
}

}  // namespace mq::support

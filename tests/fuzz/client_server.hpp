#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "aliases.hpp"
#include "base/check.hpp"
#include "numbered.hpp"
#include "window.hpp"
#include "wire/decode.hpp"
#include "wire/encode.hpp"
#include "wire/framer.hpp"

// The far end of a client's connections. It knows what it has allowed and what it has acknowledged,
// and complains about what it must not be sent.

namespace mq::fuzz {

using wire::PropertyId;

class Server {
 public:
  /// What a CONNACK allows.
  struct Limits {
    std::size_t receive_maximum = 65'535;
    std::size_t maximum_packet_size = wire::kMaximumPacketSize;
    wire::QoS maximum_qos = wire::QoS::exactly_once;
    bool retain_available = true;
    std::size_t topic_alias_maximum = 0;
  };
  struct Request {
    wire::PacketType answer{};
    std::size_t filters = 0;
  };

  /// messages  that the client has published
  Server(wire::Version version, const Numbered& messages)
      : version_(version), published_(messages) {}

  void on_open() {
    framer_ = wire::Framer();
    said.clear();
    window_.clear();
    requests_.clear();
    aliases_.clear();
    aliases_out_.clear();
    limits_ = Limits();
    is_asked_ = is_answered_ = is_over_ = false;
    is_count_known_ = is_framed_ = true;
  }

  // What it says: `said`, as far as the client has not read it.

  template <class P>
  void say(const P& packet) {
    wire::encode(packet, version_, said);
  }
  /// Accepts the client; what it allows holds as soon as the client has read that.
  void accept(bool session_present, Limits limits, wire::Properties properties) {
    say(wire::Connack{session_present, 0, properties});
    is_answered_ = true;
    limits_ = limits;
    // 3.1 does not tell: unless it is asked to forget, it does not.
    is_first_ = version_ == wire::Version::v31 ? is_clean_ || !is_known_ : !session_present;
    is_known_ = true;
    if (!is_first_) return;
    inbox_.clear();
    seen_.clear();
    unreleased_.clear();
  }
  void acknowledge(const wire::Puback& packet) {
    note(packet.packet_id);
    window_.puback(packet.packet_id);
    say(packet);
  }
  void acknowledge(const wire::Pubrec& packet) {
    note(packet.packet_id);
    window_.pubrec(packet.packet_id, version_ != wire::Version::v5 || !is_failure(packet.reason));
    say(packet);
  }
  void acknowledge(const wire::Pubcomp& packet) {
    note(packet.packet_id);
    window_.pubcomp(packet.packet_id);
    say(packet);
  }
  void release(std::uint16_t packet_id) {
    unreleased_.erase(packet_id);
    say(wire::Pubrel{packet_id, {}, {}});
  }
  template <class P>
  void answer(const P& packet) {
    if (requests_.erase(packet.packet_id) == 0) is_count_known_ = false;
    say(packet);
  }
  /// At QoS 2, what has not been released is sent again.
  void publish(wire::Publish packet, std::size_t size) {
    const auto alias = packet.properties.number(PropertyId::topic_alias);
    std::string topic(packet.topic);
    if (alias && topic.empty()) topic = aliases_out_[*alias];
    const auto known = unreleased_.find(packet.packet_id);
    const bool is_again = packet.qos == wire::QoS::exactly_once && known != unreleased_.end();
    if (is_again && sent.topic_of(known->second) != topic) return;
    if (alias) aliases_out_[*alias] = topic;
    std::vector<Byte> payload;
    if (is_again) {
      payload = sent.payload_of(known->second);
    } else if (is_framed_ && !is_unsure_ && !topic.empty()) {
      payload = sent.add(std::move(topic), size);
      if (packet.qos == wire::QoS::exactly_once) unreleased_[packet.packet_id] = sent.size() - 1;
    }
    packet.payload = payload;
    say(packet);
  }
  /// Nothing in it looks like a message with a number. It may be a CONNACK.
  void say_anything(ByteView bytes) {
    if (!std::exchange(is_answered_, true)) is_unsure_ = true;
    for (const Byte byte : bytes) said.push_back(byte == Numbered::kStamp ? Byte{0} : byte);
    is_framed_ = is_count_known_ = false;
    may_have_acknowledged_ = true;
  }

  std::vector<Byte> said;
  Numbered sent;

  // What it has heard.

  bool is_asked() const { return is_asked_ && !is_answered_; }
  bool is_clean() const { return is_clean_; }
  const Window& window() const { return window_; }
  const std::map<std::uint16_t, Request>& requests() const { return requests_; }
  /// Whether it may have said that it has a message.
  bool may_have(std::size_t number) const {
    return may_have_acknowledged_ || acknowledged_.contains(number);
  }

  void hear(ByteView bytes) {
    framer_.feed(bytes);
    while (true) {
      const auto frame = framer_.next(wire::kMaximumPacketSize);
      MQ_CHECK(frame.has_value());
      if (!*frame) return;
      hear_packet(**frame);
    }
  }

 private:
  void hear_packet(ByteView frame) {
    const auto packet = wire::decode(frame, version_);
    MQ_CHECK(packet.has_value());
    MQ_CHECK(!is_over_);  // [MQTT-3.14.4-2]
    const auto* connect = std::get_if<wire::Connect>(&*packet);
    MQ_CHECK((connect != nullptr) == !std::exchange(is_asked_, true));  // [MQTT-3.1.0-1]
    if (connect != nullptr) {
      is_clean_ = connect->clean_start;
      return;
    }
    MQ_CHECK(frame.size() <= limits_.maximum_packet_size);  // [MQTT-3.2.2-15]
    if (const auto* publish = std::get_if<wire::Publish>(&*packet)) {
      hear_publish(*publish);
    } else if (const auto* pubrel = std::get_if<wire::Pubrel>(&*packet)) {
      inbox_.erase(pubrel->packet_id);
    } else if (const auto* subscribe = std::get_if<wire::Subscribe>(&*packet)) {
      hear_request(subscribe->packet_id,
                   {wire::PacketType::suback, subscribe->subscriptions.size()});
    } else if (const auto* unsubscribe = std::get_if<wire::Unsubscribe>(&*packet)) {
      hear_request(unsubscribe->packet_id,
                   {wire::PacketType::unsuback, unsubscribe->filters.size()});
    } else {
      is_over_ = std::holds_alternative<wire::Disconnect>(*packet);
    }
  }

  void hear_publish(const wire::Publish& publish) {
    MQ_CHECK(publish.qos <= limits_.maximum_qos);           // [MQTT-3.2.2-11]
    MQ_CHECK(!publish.retain || limits_.retain_available);  // [MQTT-3.2.2-14]
    const auto number =
        published_.check(aliases_.topic_of(publish, limits_.topic_alias_maximum), publish.payload);
    if (publish.qos == wire::QoS::at_most_once) return;
    MQ_CHECK(number.has_value());
    if (!is_unsure_) hear_in_session(publish, *number);
    if (!is_count_known_) return;
    MQ_CHECK(!requests_.contains(publish.packet_id));  // [MQTT-2.2.1-3]
    window_.take(publish);
    MQ_CHECK(window_.size() <= limits_.receive_maximum);  // [MQTT-3.3.4-7]
  }

  void hear_in_session(const wire::Publish& publish, std::size_t number) {
    MQ_CHECK(!is_first_ || !publish.dup);
    const bool was_seen = !seen_.emplace(publish.packet_id, number).second;
    MQ_CHECK(!was_seen || publish.dup);  // [MQTT-3.3.1-1]
    MQ_CHECK(seen_[publish.packet_id] == number);
    if (publish.qos == wire::QoS::exactly_once && inbox_.insert(publish.packet_id).second) {
      MQ_CHECK(!was_seen);  // [MQTT-4.3.3-6]
    }
  }

  void hear_request(std::uint16_t packet_id, Request request) {
    if (!is_count_known_) return;
    MQ_CHECK(window_.find(packet_id) == nullptr);  // [MQTT-2.2.1-3]
    MQ_CHECK(requests_.emplace(packet_id, request).second);
  }

  /// It acknowledges a message, or what it has not heard of yet.
  void note(std::uint16_t packet_id) {
    if (window_.find(packet_id) == nullptr) is_count_known_ = false;
    if (const auto seen = seen_.find(packet_id); seen != seen_.end()) {
      acknowledged_.insert(seen->second);
    } else {
      may_have_acknowledged_ = true;
    }
  }

  wire::Version version_;
  const Numbered& published_;

  // For as long as a connection.
  wire::Framer framer_;
  Window window_;
  std::map<std::uint16_t, Request> requests_;
  Aliases aliases_;
  std::map<std::uint32_t, std::string> aliases_out_;
  Limits limits_;
  bool is_asked_ = false;     ///< CONNECT has come
  bool is_answered_ = false;  ///< it is accepted
  bool is_clean_ = false;
  bool is_first_ = true;        ///< the first connection of its session
  bool is_over_ = false;        ///< DISCONNECT has come
  bool is_count_known_ = true;  ///< it has acknowledged no more than it has heard
  bool is_framed_ = true;       ///< it has said packets only

  // For as long as a session, or longer.
  bool is_known_ = false;                            ///< there is a session
  std::set<std::uint16_t> inbox_;                    ///< QoS 2 messages that are not released
  std::map<std::uint16_t, std::size_t> seen_;        ///< messages of QoS 1 and 2, by packet id
  std::map<std::uint16_t, std::size_t> unreleased_;  ///< QoS 2 messages that it has sent
  std::set<std::size_t> acknowledged_;
  bool is_unsure_ = false;              ///< nobody knows what its session is
  bool may_have_acknowledged_ = false;  ///< others, too
};

}  // namespace mq::fuzz

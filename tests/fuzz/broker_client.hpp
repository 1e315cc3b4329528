#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aliases.hpp"
#include "base/check.hpp"
#include "broker/access.hpp"
#include "numbered.hpp"
#include "window.hpp"
#include "wire/decode.hpp"
#include "wire/framer.hpp"

// The far end of a connection to the broker. It knows what it has asked for and what was published,
// and complains about what it must not be sent.

namespace mq::fuzz {

using wire::PropertyId;

/// What clients know together.
struct Book {
  /// What a client keeps from one connection to the next, by its client id.
  struct Memory {
    std::set<std::uint16_t> inbox{};  ///< packet ids of QoS 2 messages that are not released
    /// How often a QoS 2 message was taken, by its number and the subscription identifier.
    std::map<std::pair<std::size_t, std::uint32_t>, std::size_t> taken{};
    std::set<std::string_view> filters{};  ///< that it has ever subscribed to
    const void* connection = nullptr;      ///< the last one
    bool is_unanswered = false;            ///< the CONNECT of that
    bool is_unsure = false;                ///< nobody knows what its session is
  };

  std::map<std::string, Memory> memories{};
  Numbered messages{};  ///< that were published, by the topics that everybody sees
};

class Client {
 public:
  /// What it has said in CONNECT, and what its listener makes of it.
  struct Terms {
    wire::Version version = wire::Version::v311;
    bool clean_start = true;
    std::string client_id{};  ///< empty: assigned
    std::string user_name{};
    std::string_view mount{};
    std::size_t maximum_packet_size = wire::kMaximumPacketSize;
    std::size_t receive_maximum = 65'535;
    std::size_t topic_alias_maximum = 0;
    bool must_be_verified = false;
  };
  /// The broker's own limits while the connection is there, the widest of them.
  struct Limits {
    std::size_t messages = 0;
    std::size_t bytes = 0;
  };

  /// memory  what its client id remembers; nullptr: it says no CONNECT that it knows of
  Client(Terms terms, Book& book, Book::Memory* memory)
      : terms_(std::move(terms)), book_(book), memory_(memory), id_(terms_.client_id) {
    if (memory_ == nullptr) return;
    if (std::exchange(memory_->is_unanswered, true)) memory_->is_unsure = true;
    memory_->connection = this;
  }

  const Terms& terms() const { return terms_; }
  wire::Version version() const { return terms_.version; }
  bool is_accepted() const { return is_accepted_; }
  const Window& window() const { return window_; }
  /// What it was sent and has not acknowledged is not known any more.
  void lose_count() { is_window_known_ = false; }
  void widen(Limits limits) {
    limits_.messages = std::max(limits_.messages, limits.messages);
    limits_.bytes = std::max(limits_.bytes, limits.bytes);
  }
  /// rules  that are in force; nullptr: none
  void obey(std::shared_ptr<const broker::AccessRules> rules) {
    rules_ = std::move(rules);
    access_.reset();
    const bool is_known = memory_ != nullptr && !id_.empty();
    if (rules_ != nullptr && is_known) access_.emplace(rules_, terms_.user_name, id_);
  }
  /// What comes now may have been sent under other rules, until everything has been heard.
  void expect_older() { hears_older_ = true; }
  void heard_all() { hears_older_ = false; }
  void verified() { is_verified_ = true; }

  // What it says.

  void acknowledge(const wire::Puback& packet) { window_.puback(packet.packet_id); }
  void acknowledge(const wire::Pubrec& packet) {
    const bool is_told = version() == wire::Version::v5;
    window_.pubrec(packet.packet_id, !is_told || !is_failure(packet.reason));
  }
  void acknowledge(const wire::Pubcomp& packet) { window_.pubcomp(packet.packet_id); }
  void acknowledge(const wire::Pubrel& packet) { (void)packet; }
  void subscribe(std::string_view filter) {
    if (memory_ != nullptr) memory_->filters.insert(filter);
  }
  /// What comes of that nobody knows.
  void say_anything() {
    lose_count();
    if (memory_ != nullptr) memory_->is_unsure = true;
  }

  // What it hears.

  void hear(ByteView bytes) {
    framer_.feed(bytes);
    while (true) {
      const auto frame = framer_.next(wire::kMaximumPacketSize);
      MQ_CHECK(frame.has_value());
      if (!*frame) return;
      if (memory_ != nullptr) hear_packet(**frame);
    }
  }

 private:
  void hear_packet(ByteView frame) {
    MQ_CHECK(frame.size() <= terms_.maximum_packet_size);  // [MQTT-3.1.2-24]
    const auto packet = wire::decode(frame, version());
    MQ_CHECK(packet.has_value());
    MQ_CHECK(!is_over_);  // [MQTT-3.14.4-1]
    const auto* connack = std::get_if<wire::Connack>(&*packet);
    MQ_CHECK((connack != nullptr) == !std::exchange(is_answered_, true));  // [MQTT-3.2.0-1]
    if (connack != nullptr) {
      hear_connack(*connack);
    } else if (const auto* publish = std::get_if<wire::Publish>(&*packet)) {
      hear_publish(*publish);
    } else if (const auto* pubrel = std::get_if<wire::Pubrel>(&*packet)) {
      if (is_last()) memory_->inbox.erase(pubrel->packet_id);
    } else {
      is_over_ = std::holds_alternative<wire::Disconnect>(*packet);
    }
  }

  void hear_connack(const wire::Connack& connack) {
    if (is_last()) memory_->is_unanswered = false;
    is_accepted_ = connack.code == 0;
    is_over_ = !is_accepted_;
    MQ_CHECK(!connack.session_present || (is_accepted_ && !terms_.clean_start));  // [MQTT-3.2.2-2]
    if (!is_accepted_) return;
    MQ_CHECK(!terms_.must_be_verified || is_verified_);
    const auto id = connack.properties.text(PropertyId::assigned_client_identifier);
    MQ_CHECK(!id || terms_.client_id.empty());
    if (id) id_ = *id;  // [MQTT-3.2.2-16]
    obey(rules_);
    if (!is_last()) return;
    if (!connack.session_present) memory_->inbox.clear();
    // 3.1 does not tell, so what is in the inbox may be of an earlier session.
    if (version() == wire::Version::v31 && !terms_.clean_start) memory_->is_unsure = true;
  }

  void hear_publish(const wire::Publish& publish) {
    const std::string whole =
        std::string(terms_.mount) + aliases_.topic_of(publish, terms_.topic_alias_maximum);
    if (access_ && !hears_older_) {
      MQ_CHECK(access_->decide(broker::Right::read, whole).is_allowed);
    }
    const auto number = book_.messages.check(whole, publish.payload);
    if (publish.qos == wire::QoS::at_most_once) return;
    if (is_window_known_) {
      const bool was_empty = window_.bytes() == 0;
      window_.take(publish);
      MQ_CHECK(window_.size() <= terms_.receive_maximum);  // [MQTT-3.3.4-9]
      MQ_CHECK(window_.size() <= limits_.messages);
      MQ_CHECK(was_empty || window_.bytes() <= limits_.bytes);
    }
    if (publish.qos == wire::QoS::exactly_once && is_last()) take_once(publish, number);
  }

  /// Once for each of its subscriptions, which have different identifiers, or none. What is
  /// retained comes anew with each SUBSCRIBE.
  void take_once(const wire::Publish& publish, std::optional<std::size_t> number) {
    Book::Memory& memory = *memory_;
    const bool is_new = memory.inbox.insert(publish.packet_id).second;
    if (memory.is_unsure) return;
    MQ_CHECK(is_new || publish.dup);  // [MQTT-3.3.1-1]
    if (!is_new || publish.retain || !number) return;
    const auto identifier =
        publish.properties.number(PropertyId::subscription_identifier).value_or(0);
    const auto count = ++memory.taken[{*number, identifier}];
    MQ_CHECK(count <= (identifier != 0 ? 1 : memory.filters.size()));  // [MQTT-4.3.3-10]
  }

  bool is_last() const { return memory_->connection == this; }

  Terms terms_;
  Book& book_;
  Book::Memory* memory_;
  std::string id_;  ///< empty: not known
  Limits limits_;
  wire::Framer framer_;
  Window window_;
  Aliases aliases_;
  std::shared_ptr<const broker::AccessRules> rules_;
  std::optional<broker::Access> access_;
  bool is_window_known_ = true;
  bool is_verified_ = false;
  bool is_answered_ = false;
  bool is_accepted_ = false;
  bool is_over_ = false;  ///< nothing comes behind what has come
  bool hears_older_ = false;
};

}  // namespace mq::fuzz

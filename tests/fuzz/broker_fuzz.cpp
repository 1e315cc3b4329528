#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "broker/core.hpp"
#include "script.hpp"
#include "storage/memory.hpp"
#include "wire/encode.hpp"

// The input is a script: who connects, what they send, well-formed or not, when they leave, how
// time passes, when the disk keeps up and when the broker crashes. Whatever it says, what the
// broker sends is a stream of well-formed packets, none larger than the client accepts and never
// more at once than it wants, and no rule of the broker's own is broken.

namespace mq {

namespace {

using fuzz::Script;
using wire::PropertyId;
using wire::QoS;
using wire::Version;

constexpr std::string_view kNames[] = {"a", "b", "c", ""};
constexpr std::string_view kTopics[] = {"t", "t/1", "t/2", "$SYS/x", "u", "", "t/1/2"};
constexpr std::string_view kFilters[] = {"t", "t/+",          "#",  "t/#",   "$share/g/t/+", "+/1",
                                         "u", "$share/g/t/#", "a#", "$SYS/#"};

/// As a name, with the end of it: the longest that there are.
constexpr std::size_t kLongest = 65'535;

/// What the broker has sent a client at QoS 1 and 2, and the client has not acknowledged.
class Window {
 public:
  void take(const wire::Publish& publish) {
    const bool is_new = open_.emplace(publish.packet_id, publish.qos).second;
    MQ_CHECK(is_new);  // nothing is repeated within a connection [MQTT-4.4.0-1]
  }
  void settle(std::uint16_t id, QoS qos) {
    const auto entry = open_.find(id);
    if (entry != open_.end() && entry->second == qos) open_.erase(entry);
  }
  void release(std::uint16_t id) {
    const auto entry = open_.find(id);
    if (entry != open_.end() && entry->second == QoS::exactly_once) entry->second = kReleased;
  }
  std::size_t size() const { return open_.size(); }

  static constexpr QoS kReleased{3};  ///< at QoS 2, PUBREC has gone

 private:
  std::map<std::uint16_t, QoS> open_;
};

struct Connection {
  broker::ConnectionId id;
  Version version = Version::v311;
  wire::Framer framer{};
  bool has_left = false;
  bool is_reading = true;
  std::size_t maximum_packet_size = wire::kMaximumPacketSize;
  std::size_t receive_maximum = 0;
  bool is_window_known = true;  ///< it has read everything, and said nothing that is not a packet
  Window window{};
};

class Play {
 public:
  explicit Play(Script& script) : script_(script), now_{Instant(Seconds(1000)), WallTime()} {
    now_.wall += Seconds(1'700'000'000);
    const auto choice = script_.byte();
    config_.sys_interval = Seconds(choice & 1U);
    config_.persistence = (choice & 2U) != 0;
    config_.max_inflight_messages = (choice & 4U) != 0 ? 2 : 20;
    config_.queue_qos0_messages = (choice & 8U) != 0;
    if ((choice & 16U) != 0) config_.queue_window = {2, 20};
    if ((choice & 32U) != 0) config_.retained_memory_limit = 4;
    config_.max_queued_messages = 20;
    config_.max_packet_size = 2000;
    config_.max_unread_bytes = 1000;
    start();
  }

  void run() {
    for (int i = 0; i < 200 && !script_.is_over(); ++i) {
      step();
      settle();
    }
  }

 private:
  void start() {
    core_ = std::make_unique<broker::Core>(config_, now_, store_.load(config_.budget()));
  }

  Connection* pick() {
    if (connections_.empty()) return nullptr;
    auto& connection = *connections_[script_.below(static_cast<unsigned>(connections_.size()))];
    return connection.has_left ? nullptr : &connection;
  }

  void step() {
    const auto act = script_.below(16);
    if (act == 0) return open();
    if (act == 1) return advance();
    if (act == 2) return crash();
    if (act == 3) {
      is_storing_ = !is_storing_;
      return;
    }
    if (act == 4) return core_->on_store_trouble(script_.flag());
    Connection* connection = pick();
    if (connection == nullptr) return open();
    if (act == 5) {
      core_->on_close(connection->id, now_);
      connection->has_left = true;
    } else if (act == 6) {
      connection->is_reading = !connection->is_reading;
      connection->is_window_known = false;
    } else if (act == 7) {
      connection->is_window_known = false;
      feed(*connection, script_.bytes());
    } else {
      say(*connection, act);
    }
  }

  void open() {
    if (connections_.size() >= 8) return;
    auto& connection = *connections_.emplace_back(std::make_unique<Connection>());
    connection.id = core_->on_open(0, now_);
    connection.version = std::array{Version::v31, Version::v311, Version::v5}[script_.below(3)];
    wire::PropertyList properties;
    const auto flags = script_.byte();
    if ((flags & 1U) != 0) properties.add(PropertyId::session_expiry_interval, 10U);
    const bool is_v5 = connection.version == Version::v5;
    const bool takes_one = (flags & 2U) != 0;
    if (takes_one) properties.add(PropertyId::receive_maximum, 1U);
    connection.receive_maximum = takes_one && is_v5 ? 1 : config_.max_inflight_messages;
    if ((flags & 4U) != 0) properties.add(PropertyId::topic_alias_maximum, 2U);
    if ((flags & 8U) != 0) {
      properties.add(PropertyId::maximum_packet_size, 30U);
      if (is_v5) connection.maximum_packet_size = 30;
    }
    if ((flags & 64U) != 0) properties.add(PropertyId::request_response_information, 1U);
    wire::Connect connect{.version = connection.version,
                          .clean_start = (flags & 16U) != 0,
                          .keep_alive = static_cast<std::uint16_t>(script_.below(3) * 5),
                          .client_id = script_.one_of(kNames),
                          .properties = properties.view()};
    if ((flags & 32U) != 0) {
      connect.will = wire::Will{.topic = script_.one_of(kTopics),
                                .payload = bytes_of("w"),
                                .qos = static_cast<QoS>(script_.below(3)),
                                .retain = script_.flag()};
    }
    std::string long_id;
    if ((flags & 128U) != 0) {
      long_id = std::string(kLongest - script_.below(16), 'x');
      connect.client_id = long_id;
    }
    send(connection, connect);
  }

  void say(Connection& connection, unsigned act) {
    const auto id = static_cast<std::uint16_t>(script_.below(4));
    const auto reason =
        script_.flag() ? wire::ReasonCode::success : wire::ReasonCode::quota_exceeded;
    wire::PropertyList properties;
    switch (act) {
      case 8:
        connection.window.settle(id, QoS::at_least_once);
        return send(connection, wire::Puback{id, reason, {}});
      case 9:
        if (connection.version == Version::v5 && is_failure(reason)) {
          connection.window.settle(id, QoS::exactly_once);
          connection.window.settle(id, Window::kReleased);
        }
        connection.window.release(id);
        return send(connection, wire::Pubrec{id, reason, {}});
      case 10:
        return send(connection, wire::Pubrel{id, {}, {}});
      case 11:
        connection.window.settle(id, Window::kReleased);
        return send(connection, wire::Pubcomp{id, {}, {}});
      case 12:
        return send(connection, wire::Unsubscribe{id, {}, {script_.one_of(kFilters)}});
      case 13: {
        if (script_.flag()) properties.add(PropertyId::subscription_identifier, 5U);
        const wire::SubscriptionOptions options{
            .qos = static_cast<QoS>(script_.below(3)),
            .no_local = script_.flag(),
            .retain_as_published = script_.flag(),
            .retain_handling = static_cast<wire::RetainHandling>(script_.below(3))};
        return send(connection,
                    wire::Subscribe{id, properties.view(), {{script_.one_of(kFilters), options}}});
      }
      case 14:
        return send(connection, wire::Disconnect{});
      default:
        return publish(connection, id);
    }
  }

  void publish(Connection& connection, std::uint16_t id) {
    wire::PropertyList properties;
    const auto flags = script_.byte();
    if ((flags & 1U) != 0) properties.add(PropertyId::topic_alias, script_.below(4));
    if ((flags & 2U) != 0) properties.add(PropertyId::message_expiry_interval, 2U);
    const auto qos = static_cast<QoS>(script_.below(3));
    send(connection, wire::Publish{.qos = qos,
                                   .dup = (flags & 4U) != 0 && qos != QoS::at_most_once,
                                   .retain = (flags & 8U) != 0,
                                   .topic = script_.one_of(kTopics),
                                   .packet_id = id,
                                   .properties = properties.view(),
                                   .payload = script_.bytes()});
  }

  template <class P>
  void send(Connection& connection, const P& packet) {
    std::vector<Byte> bytes;
    wire::encode(packet, connection.version, bytes);
    feed(connection, bytes);
  }

  /// What was handed over stays where it is until the turn ends.
  void feed(Connection& connection, ByteView bytes) {
    auto& kept =
        *turn_.emplace_back(std::make_unique<std::vector<Byte>>(bytes.begin(), bytes.end()));
    core_->on_bytes(connection.id, kept, now_);
  }

  void advance() {
    const Millis step(script_.two_bytes());
    now_.steady += step;
    now_.wall += step;
    core_->on_deadline(now_);
  }

  void crash() {
    store_.crash();
    for (auto& connection : connections_) connection->has_left = true;
    connections_.clear();
    turn_.clear();
    start();
  }

  /// Nobody acknowledges what he has not read: what storing brings about is read, too.
  void settle() {
    do {
      move();
      settle_storage();
    } while (core_->has_dirty());
    std::erase_if(connections_, [](const auto& connection) { return connection->has_left; });
  }

  void move() {
    for (int round = 0; round < 4 && core_->has_dirty(); ++round) {
      for (const auto id : core_->take_dirty()) {
        for (auto& connection : connections_) {
          if (connection->has_left || !(connection->id == id) || !connection->is_reading) continue;
          if (auto* queue = core_->output(id)) receive(*connection, *queue);
          core_->on_drained(id, now_);
        }
      }
    }
    for (auto& closing : core_->take_closing()) {
      for (auto& connection : connections_) {
        if (!(connection->id == closing.connection)) continue;
        connection->has_left = true;
        if (connection->is_reading) receive(*connection, closing.rest);
      }
    }
    core_->end_turn();
    turn_.clear();
    core_->take_facts();
  }

  void settle_storage() {
    for (auto& load : core_->take_loads()) store_.load(std::move(load));
    if (auto batch = core_->take_batch()) store_.submit(std::move(*batch));
    if (!is_storing_) return;
    store_.answer_loads();
    for (const auto& page : store_.take_pages()) core_->on_loaded(page, now_);
    while (store_.commit()) core_->on_stored(store_.stored(), now_);
  }

  void receive(Connection& connection, broker::SendQueue& queue) {
    std::array<ByteView, 1> piece;
    while (queue.gather(piece) > 0) {
      connection.framer.feed(piece[0]);
      while (true) {
        const auto frame = connection.framer.next(wire::kMaximumPacketSize);
        MQ_CHECK(frame.has_value());
        if (!*frame) break;
        MQ_CHECK((*frame)->size() <= connection.maximum_packet_size);  // [MQTT-3.1.2-24]
        const auto packet = wire::decode(**frame, connection.version);
        MQ_CHECK(packet.has_value());
        const auto* publish = std::get_if<wire::Publish>(&*packet);
        if (publish == nullptr || publish->qos == QoS::at_most_once) continue;
        if (!connection.is_window_known) continue;
        connection.window.take(*publish);
        MQ_CHECK(connection.window.size() <= connection.receive_maximum);  // [MQTT-3.3.4-9]
      }
      queue.sent(piece[0].size());
    }
  }

  Script& script_;
  Now now_;
  broker::Config config_;
  storage::Memory store_;
  std::unique_ptr<broker::Core> core_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<std::vector<Byte>>> turn_;
  bool is_storing_ = true;
};

}  // namespace

}  // namespace mq

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  mq::fuzz::Script script({data, size});
  mq::Play(script).run();
  return 0;
}

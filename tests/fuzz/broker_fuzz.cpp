#include <array>
#include <memory>
#include <vector>

#include "base/check.hpp"
#include "broker/core.hpp"
#include "script.hpp"
#include "storage/memory.hpp"
#include "wire/encode.hpp"

// The input is a script: who connects, what they send, well-formed or not, when they leave, how
// time passes, when the disk keeps up and when the broker crashes. Whatever it says, what the
// broker sends is a stream of well-formed packets, and no rule of its own is broken.

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

struct Connection {
  broker::ConnectionId id;
  Version version = Version::v311;
  wire::Framer framer{};
  bool has_left = false;
  bool is_reading = true;
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
    } else if (act == 7) {
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
    if ((flags & 2U) != 0) properties.add(PropertyId::receive_maximum, 1U);
    if ((flags & 4U) != 0) properties.add(PropertyId::topic_alias_maximum, 2U);
    if ((flags & 8U) != 0) properties.add(PropertyId::maximum_packet_size, 30U);
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
    send(connection, connect);
  }

  void say(Connection& connection, unsigned act) {
    const auto id = static_cast<std::uint16_t>(script_.below(4));
    const auto reason =
        script_.flag() ? wire::ReasonCode::success : wire::ReasonCode::quota_exceeded;
    wire::PropertyList properties;
    switch (act) {
      case 8:
        return send(connection, wire::Puback{id, reason, {}});
      case 9:
        return send(connection, wire::Pubrec{id, reason, {}});
      case 10:
        return send(connection, wire::Pubrel{id, {}, {}});
      case 11:
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

  void settle() {
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
    settle_storage();
    std::erase_if(connections_, [](const auto& connection) { return connection->has_left; });
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
        // Before CONNECT was understood, its answer is in the version that it seemed to have.
        MQ_CHECK(wire::decode(**frame, connection.version).has_value() ||
                 wire::decode(**frame, Version::v311).has_value());
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

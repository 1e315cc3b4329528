#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "broker/core.hpp"
#include "topic/subscription_index.hpp"
#include "wire/decode.hpp"
#include "wire/encode.hpp"

// The steps of a message's life one by one, without a socket: bytes to packet, packet to bytes,
// topic to filters, and all of the broker's core from a PUBLISH to its receivers' queues.

namespace {

using namespace mq;
using namespace mq::wire;

const Now kNow{Instant(Millis(1'000'000)), WallTime(std::chrono::seconds(1'700'000'000))};
const std::vector<Byte> kPayload(64, 'x');

template <class P>
std::vector<Byte> bytes_of_packet(const P& packet, Version version) {
  std::vector<Byte> bytes(encoded_size(packet, version));
  encode(packet, version, bytes.data());
  return bytes;
}

Publish some_publish(QoS qos) {
  return {.qos = qos,
          .topic = "house/kitchen/temperature",
          .packet_id = static_cast<std::uint16_t>(qos == QoS::at_most_once ? 0 : 7),
          .properties = {},
          .payload = kPayload};
}

void decode_publish(benchmark::State& state) {
  const auto version = state.range(0) == 5 ? Version::v5 : Version::v311;
  const auto frame = bytes_of_packet(some_publish(QoS::at_least_once), version);
  for (auto _ : state) benchmark::DoNotOptimize(wire::decode_publish(frame, version));
}
BENCHMARK(decode_publish)->Arg(3)->Arg(5);

void decode_puback(benchmark::State& state) {
  const auto frame = bytes_of_packet(Puback{7, ReasonCode::success, {}}, Version::v5);
  for (auto _ : state) benchmark::DoNotOptimize(decode_acknowledgement(frame, Version::v5));
}
BENCHMARK(decode_puback);

void encode_publish(benchmark::State& state) {
  const auto version = state.range(0) == 5 ? Version::v5 : Version::v311;
  const auto packet = some_publish(QoS::at_least_once);
  std::array<Byte, 256> out{};
  for (auto _ : state) benchmark::DoNotOptimize(encode(packet, version, out.data()));
}
BENCHMARK(encode_publish)->Arg(3)->Arg(5);

/// A topic that was not seen lately, among so many filters: of each ten, three have a wildcard.
void match(benchmark::State& state) {
  topic::SubscriptionIndex index;
  const auto count = static_cast<std::uint32_t>(state.range(0));
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto room = "house/" + std::to_string(i);
    const std::array filters{room + "/value", room + "/+", room + "/#"};
    index.subscribe(filters[i % 10 < 7 ? 0 : i % 2 + 1], {.owner = i});
  }
  std::vector<std::string> topics;  // in an order that no cache foresees
  for (std::uint32_t i = 0, at = 0; i < count; ++i) {
    at = (at + 2'654'435'761U) % count;
    topics.push_back("house/" + std::to_string(at) + "/value");
  }
  std::size_t at = 0;
  std::size_t steps = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(index.match(topics[at], steps));
    at = at + 1 == topics.size() ? 0 : at + 1;
  }
}
BENCHMARK(match)->Arg(1)->Arg(1'000)->Arg(100'000);

/// Somebody whose packets go straight into the core, and whose output is thrown away.
class Guest {
 public:
  Guest(broker::Core& core, const std::string& name) : core_(core), id_(core.on_open(0, kNow)) {
    send(Connect{.version = Version::v311,
                 .clean_start = true,
                 .client_id = name,
                 .will = {},
                 .user_name = {},
                 .password = {},
                 .properties = {}});
  }

  template <class P>
  void send(const P& packet) {
    core_.on_bytes(id_, bytes_of_packet(packet, Version::v311), kNow);
    end_turn(core_);
  }

  broker::ConnectionId id() const { return id_; }

  static void end_turn(broker::Core& core) {
    for (const auto id : core.take_dirty()) {
      if (auto* queue = core.output(id)) queue->sent(queue->size());
    }
    core.end_turn();
  }

 private:
  broker::Core& core_;
  broker::ConnectionId id_;
};

void deliver(benchmark::State& state) {
  broker::Config config;
  config.max_inflight_messages = 0;
  config.max_queued_messages = 0;
  broker::Core core(config, kNow);
  const auto qos = static_cast<QoS>(state.range(1));
  std::vector<Guest> guests;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    guests.emplace_back(core, "subscriber" + std::to_string(i));
    guests.back().send(Subscribe{1, {}, {{some_publish(qos).topic, {.qos = qos}}}});
  }
  Guest publisher(core, "publisher");
  const auto frame = bytes_of_packet(some_publish(qos), Version::v311);
  std::uint16_t packet_id = 0;
  for (auto _ : state) {
    core.on_bytes(publisher.id(), frame, kNow);
    Guest::end_turn(core);
    if (qos == QoS::at_most_once) continue;
    packet_id = static_cast<std::uint16_t>(packet_id % 65'535 + 1);
    const auto ack = bytes_of_packet(Puback{packet_id, ReasonCode::success, {}}, Version::v311);
    for (const auto& guest : guests) core.on_bytes(guest.id(), ack, kNow);
    Guest::end_turn(core);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(deliver)->Args({1, 0})->Args({100, 0})->Args({1, 1})->Args({100, 1});

}  // namespace

BENCHMARK_MAIN();

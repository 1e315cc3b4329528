#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/client.hpp"
#include "bench/plan.hpp"
#include "bench/tally.hpp"

namespace mq::bench {

using Clock = std::chrono::steady_clock;

/// Where a message goes, and who is to get it.
struct Route {
  std::string topic;
  std::uint32_t stream = 0;
  std::uint32_t receivers = 0;  ///< who hold the window of its publisher back
};

/// Publishers, subscribers, and an account of every message between them.
///
/// A publisher stops when `window` messages are on their way to somebody, or `inflight` are not
/// acknowledged: so no broker has a reason to drop anything, and whatever is missing counts.
class Traffic : private Hearer {
 public:
  Traffic(const Plan& plan, std::uint16_t port);

  /// Streams are numbered from 0; returns the first of `count` new ones.
  std::uint32_t add_streams(std::uint32_t count);

  enum class Kept : std::uint8_t { no, yes };
  /// Somebody who is to get everything of `streams` streams. The session may outlive the
  /// connection.
  void add_subscriber(std::vector<std::string> filters, std::uint32_t first, std::uint32_t streams,
                      Kept session = Kept::no);
  /// Somebody who publishes to one topic.
  void add_publisher(const Route& route);
  /// Somebody who publishes each message to another one; `route` says where the next one goes.
  void add_publisher(std::function<Route(std::uint32_t position)> route);
  void go_in_step_with(const Process& broker) { loop_.go_in_step_with(broker); }
  void add_idle(std::uint32_t count);
  /// Waits until all of them are connected and subscribed.
  void settle() { await(0); }

  /// The subscribers leave; they are to come back for what is published meanwhile.
  void leave();
  void come_back();

  /// Publishing begins: `count` messages of all publishers, or as many as come before stop().
  void start(std::uint32_t count);
  void stop();

  /// Waits for the last PUBREL, and hears what comes when all has come: there should be nothing.
  void listen_on();

  /// Turns the loop until `is_done`, for so long at most, or until nothing has come for as long as
  /// the plan has patience.
  void run(const std::function<bool()>& is_done, double seconds = 1e9);
  /// Everything that was published is acknowledged, and with subscribers, delivered.
  bool is_acknowledged() const;
  bool is_delivered() const;

  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t sent() const { return sent_; }
  /// Of the messages so far the time from when each was due to its arrival, with a rate.
  std::vector<double> take_latencies_us() { return std::exchange(latencies_us_, {}); }
  Faults faults() const;

 private:
  enum Role : std::uint8_t { kPublisher, kSubscriber, kIdle };
  /// How far the acknowledgement of a message has come.
  enum class Step : std::uint8_t { none, sent, received };

  struct Publisher {
    std::unique_ptr<Client> client;
    std::function<Route(std::uint32_t)> route;
    Route fixed;  ///< without `route`
    Bytes model;  ///< a frame of the fixed route
    std::uint32_t sent = 0;
    std::uint32_t limit = 0;
    std::uint32_t acknowledged = 0;
    std::uint32_t base = 0;             ///< what is before it is delivered everywhere
    std::vector<std::uint32_t> owed{};  ///< by position: how many have still to get it; a ring
    std::vector<Step> steps{};          ///< by packet id
    bool is_ready = false;
  };
  struct Subscriber {
    std::unique_ptr<Client> client;
    std::vector<std::string> filters;
    std::uint32_t first;
    Tally tally;
    Kept session;
    bool is_back = false;            ///< its session is there when it connects
    std::vector<bool> unreleased{};  ///< by packet id, at QoS 2
    std::uint32_t unreleased_count = 0;
  };

  void on_frame(Client& client, const Frame& frame) override;
  void on_closed(Client& client) override;
  void on_publish(Client& client, const Frame& frame);
  void on_acknowledged(Client& client, const Frame& frame);
  void on_released(Client& client, unsigned packet_id);
  bool is_right(const Subscriber& subscriber, const Frame& frame, ByteView topic, ByteView payload,
                const Stamp& stamp) const;
  bool is_right_answer(const Client& client, const Frame& frame) const;
  bool is_sent_to(const Stamp& stamp, ByteView topic) const;
  void count_delivery(const Stamp& stamp);

  std::unique_ptr<Client> connect(Role role, std::uint32_t index, Kept session);
  void subscribe(Subscriber& subscriber);
  void await(std::size_t answers);
  void add_publisher(Publisher publisher);
  void want(Publisher& publisher);
  void fill(Publisher& publisher);
  std::uint32_t room(const Publisher& publisher) const;
  void publish(Publisher& publisher);
  Clock::time_point due(std::uint32_t publisher, std::uint32_t position) const;

  const Plan plan_;
  const std::uint16_t port_;
  std::uint32_t window_ = 0;
  std::uint32_t inflight_ = 0;
  std::uint32_t smallest_batch_ = 1;
  Loop loop_;
  std::vector<Publisher> publishers_;
  std::vector<Subscriber> subscribers_;
  std::vector<std::unique_ptr<Client>> idle_;
  std::vector<std::uint32_t> published_;  ///< by stream
  std::vector<std::uint32_t> ready_;      ///< publishers that may have room
  std::size_t awaited_ = 0;               ///< CONNACK and SUBACK
  std::uint64_t heard_ = 0;               ///< frames
  std::uint64_t sent_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t acknowledged_ = 0;
  bool is_retained_ = false;
  bool is_leaving_ = false;
  Clock::time_point started_{};
  std::vector<double> latencies_us_;
  Faults faults_;
};

}  // namespace mq::bench

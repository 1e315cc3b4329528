#pragma once

#include <uv.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "broker/core.hpp"
#include "net/failure_brake.hpp"
#include "net/listen_options.hpp"
#include "net/read_pool.hpp"
#include "storage/store.hpp"

namespace mq::net {

/// Moves bytes between a broker core and libuv: listeners, one stream a connection, one timer,
/// signals. It knows no MQTT.
///
/// A turn of the loop: everything readable is read and handed over, then each connection that has
/// something to send is written to once.
class BrokerDriver {
 public:
  /// Told what happened, in order, with the peer's address ("127.0.0.1:53466", or empty when it is
  /// not known any more), and its listener unless the client has come in ("[::1]:53466 on port
  /// 1883").
  using FactSink = std::function<void(const broker::Fact&, const std::string& peer)>;
  /// A client is about to come in. Of a connection that ends before, nothing but its end is told.
  using OpenSink = std::function<void(const std::string& peer, const std::string& listener)>;

  BrokerDriver(broker::Core& core, FactSink facts, OpenSink opened);
  ~BrokerDriver();
  BrokerDriver(const BrokerDriver&) = delete;
  BrokerDriver& operator=(const BrokerDriver&) = delete;

  struct Bound {
    std::string address;  ///< "127.0.0.1", "::1", a path
    std::uint16_t port = 0;
  };
  /// Listens on every address that `host` stands for.
  ///
  /// listener  index into the core's listeners
  /// host      a name or an address; empty for all interfaces
  /// port      0 lets the system choose, the same for all addresses
  /// Returns   what it listens on, at least one
  /// Fails     an address that cannot be bound; that one of several is not of this machine (it has
  ///           no IPv6) is no failure
  std::expected<std::vector<Bound>, Error> listen(std::uint16_t listener, const std::string& host,
                                                  std::uint16_t port,
                                                  const ListenOptions& options = {});
  /// Listens for this machine only: on 127.0.0.1 and ::1.
  std::expected<std::vector<Bound>, Error> listen_loopback(std::uint16_t listener,
                                                           std::uint16_t port,
                                                           const ListenOptions& options = {});
  /// Listens on a Unix socket; a socket file that nobody listens on is replaced.
  std::expected<Bound, Error> listen_unix(std::uint16_t listener, const std::string& path,
                                          ListenOptions options = {});

  /// Listens on a socket that is open and bound already, of TCP or a Unix socket, and owns it from
  /// now on. Of the options, those about opening one do not matter.
  std::expected<Bound, Error> listen_on_descriptor(std::uint16_t listener, int descriptor,
                                                   ListenOptions options = {});

  /// Lets `store` keep what the core wants kept. To be called before run(); the store must be gone
  /// from its thread when the driver is destroyed.
  ///
  /// trouble  told why nothing can be stored, and with an empty text that it can again
  void keep_in(storage::Store& store, std::function<void(const std::string&)> trouble);
  /// Tells that the store has news. Any thread may call it, as long as the driver is there.
  void on_store_news();

  /// Answers the core's requests to verify a password. To be called before run(), where a listener
  /// of the core has passwords.
  ///
  /// verify  called in the loop; what it returns is called on another thread, answers whether the
  ///         password is right, and so refers to nothing that the loop may change; nothing: it is
  ///         known to be right
  using Verify = std::function<std::function<bool()>(const broker::Verification&)>;
  void verify_with(Verify verify);
  /// What `verify` goes by has changed: what is being verified does not count, and is asked for
  /// again.
  void verify_again() { ++verify_generation_; }

  /// Goes on telling others, from now on.
  void tell(FactSink facts, OpenSink opened);
  enum class Passage : std::uint8_t { opened, received, sent, closed };
  /// Told of the bytes that pass between a client and the core, in the order in which they do, and
  /// of when their connection begins and ends.
  using ByteSink =
      std::function<void(broker::ConnectionId connection, Passage passage, ByteView bytes)>;
  /// Goes on telling of all bytes; an empty sink: of none.
  void tell_bytes(ByteSink sink) { byte_sink_ = std::move(sink); }
  /// Whether file descriptors are there for new connections. Without them, who connects is closed
  /// at once, or waits where not even that can be done.
  enum class Shortage : std::uint8_t { begins, ends };
  /// Goes on telling of it, each change once.
  void tell_shortage(std::function<void(Shortage)> sink) { shortage_sink_ = std::move(sink); }
  /// Lets an open listener go on with these options, but for those that say where it listens.
  ///
  /// Fails  who may use a Unix socket cannot be changed
  std::expected<void, Error> adapt(std::uint16_t listener, const ListenOptions& options);
  /// Accepts no more connections through this listener; those that it has stay.
  void stop_listening(std::uint16_t listener);
  /// Calls `changed` from the loop, a moment after one of the files has changed or is there again.
  /// Replaces what was watched before.
  void watch(const std::vector<std::string>& files, std::function<void()> changed);
  /// Calls `handler` from the loop at this pace.
  void every(Millis pause, std::function<void()> handler);

  Now now() const;
  /// Runs until SIGINT, SIGTERM or stop(), then lets the core say goodbye.
  void run();
  void stop();

  /// `signal` calls `handler` from the loop.
  void on_signal(int signal, std::function<void()> handler);

 private:
  struct Listener;
  struct NotBound;
  struct Regular;
  struct Peer;
  struct Write;
  struct Signal;
  struct Filtered;
  struct Verifying;
  struct HangUp;
  struct Watch;

  static void on_alloc(uv_handle_t* handle, std::size_t suggested, uv_buf_t* buffer);
  static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer);
  static void on_written(uv_write_t* request, int status);
  static void on_check(uv_check_t* check);
  /// Reads no more from who does not take the answers, nor when the store is behind.
  void pause_if_deaf(uv_stream_t& stream);
  /// Whether so much waits for the peer, or for the store, that it is not read meanwhile.
  bool is_much(const Peer& peer, std::size_t owed) const;
  /// Whether what else the peer has sent is left for the next turn: libuv would read 32 times.
  bool has_had_its_turn(const Peer& peer) const;
  static void on_timer(uv_timer_t* timer);

  // broker_store.cpp
  void submit_changes();
  void take_store_news();
  /// It is not to be read until read_on().
  void hold_back(Peer& peer);
  /// Unless the store is behind.
  void read_on();

  // broker_operate.cpp
  void heed_throttle();
  void look_at_heap();
  void stop_watching();
  static bool may_read(const Peer& peer);
  /// How many bytes have come from a peer that were not read.
  static std::size_t unread_of(const Peer& peer);
  /// How many bytes for a peer have not left this machine, or are not known to have arrived.
  static std::size_t unsent_of(const Peer& peer);

  // broker_verify.cpp
  void take_verifications();
  void verify(broker::Verification asked);
  void start(Verifying& one);
  void on_verified(Verifying& done);
  void start_verifying();
  void start_if_due(Verifying& one);
  void verify_at(Instant due);
  void forget_verifying(const Peer& peer);
  void listen_for_hang_up(Peer& peer);
  static void forget_hang_up(Peer& peer);

  std::expected<std::vector<Bound>, Error> listen_on_all(std::uint16_t listener,
                                                         std::vector<sockaddr_storage> addresses,
                                                         const ListenOptions& options);
  std::expected<std::vector<Bound>, NotBound> try_addresses(std::uint16_t listener,
                                                            std::vector<sockaddr_storage> addresses,
                                                            const ListenOptions& options);
  std::unique_ptr<Listener> make_listener(std::uint16_t index, const ListenOptions& options);
  static void close_listener(std::unique_ptr<Listener> listener);
  /// Returns libuv's code.
  int start(std::unique_ptr<Listener> listener);
  /// Fails  libuv's code
  std::expected<Bound, int> listen_on(std::uint16_t listener, const sockaddr_storage& address,
                                      const ListenOptions& options);

  // broker_accept.cpp
  void wait_for_connections(Listener& listener);
  static void on_connection(uv_poll_t* poll, int status, int events);
  void admit(Listener& listener, int socket, const sockaddr_storage& address);
  /// Closes a connection that the listener has no room for.
  void turn_away(Peer& peer);
  bool is_full(const Listener& listener) const;
  /// Closes whoever waits to come in.
  void turn_all_away(Listener& listener);
  std::size_t connection_count() const;
  /// Nobody is listened to for a while.
  void rest(Listener& listener);
  void begin_shortage();
  /// When it is due, and ends a shortage.
  void listen_again();
  /// A connection has gone, and the shortage may have.
  void look_for_room();
  /// Returns whether somebody had to go.
  bool make_room();

  // broker_filter.cpp: connections that pass through a filter
  /// Whether the peer's handshake is left for a later turn, in which it is read.
  bool must_wait(const Peer& peer) const;
  void on_filtered_read(Peer& peer, ByteView bytes);
  void filter(Peer& peer, ByteView bytes);
  void fill(Peer& peer, broker::SendQueue& queue);
  /// Returns whether the peer may speak, and not only shake hands.
  bool follow_filter(Peer& peer);
  void linger(Peer& peer);
  void write_filtered(Peer& peer);

  void flush();
  void pass(broker::ConnectionId id, Passage passage, ByteView bytes = {}) const {
    if (byte_sink_) [[unlikely]] {
      byte_sink_(id, passage, bytes);
    }
  }
  void pass_sent(broker::ConnectionId id, std::span<const uv_buf_t> pieces, std::size_t size) const;
  void write_some(Peer& peer);
  void write_rest(Peer& peer);
  /// Nothing is left to be sent.
  void on_all_sent(Peer& peer);
  /// Reads on where it takes again what it is sent.
  void unpause(Peer& peer);
  void end(Peer& peer, broker::SendQueue rest);
  void fail(Peer& peer);
  void destroy(Peer& peer);
  void end_overdue();
  void heed_deadlines();
  void arm_timer();
  /// The loop polls without sleeping until the next flush.
  void stay_awake();
  void tell_facts();
  broker::SendQueue* queue_of(Peer& peer);
  Peer* find(broker::ConnectionId id) const;
  static sockaddr_storage address_of(const Peer& peer);
  static std::string label_of(const Peer& peer);

  broker::Core& core_;
  FactSink fact_sink_;
  OpenSink open_sink_;
  ByteSink byte_sink_;
  uv_loop_t loop_{};
  uv_check_t check_{};
  uv_timer_t timer_{};
  uv_async_t store_news_{};
  uv_timer_t verify_timer_{};
  uv_timer_t watch_timer_{};  ///< set when a watched file has changed
  uv_idle_t idle_{};          ///< keeps the loop from sleeping while there is something to send
  ReadPool pool_;
  std::uint64_t opening_ns_ = 0;     ///< what handshakes have taken of this turn
  const Peer* last_read_ = nullptr;  ///< in this turn; may be gone
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::size_t> connection_counts_;  ///< by the core's listener
  std::vector<std::string> listener_labels_;    ///< likewise: "port 1883", or a path
  std::function<void(Shortage)> shortage_sink_;
  int reserve_ = -1;                       ///< a descriptor for when there is no other
  std::optional<std::size_t> short_at_;    ///< connections when descriptors ran out; none: enough
  std::uint64_t listen_due_ = UINT64_MAX;  ///< in loop time: when listen_again() has work
  std::uint64_t room_due_ = 0;             ///< likewise: make_room() does nothing before
  std::vector<std::unique_ptr<Signal>> signals_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::function<void()> on_change_;
  std::vector<std::unique_ptr<Regular>> regulars_;
  std::uint64_t heap_due_ns_ = 0;  ///< by uv_hrtime(): not looked at before
  std::size_t heap_trimmed_ = 0;   ///< how much was free when free pages were given back
  std::vector<Peer*> peers_;       ///< by the slot of the core's id
  std::vector<broker::ConnectionId> held_back_;  ///< until the store has caught up
  std::vector<Peer*> stalled_;   ///< their sockets took less than was there this turn
  std::vector<Peer*> ending_;    ///< forgotten by the core, not yet closed
  std::uint64_t armed_for_ = 0;  ///< what the timer is set to, in loop time
  bool is_due_ = false;          ///< a deadline is, when the loop has polled
  bool is_stopping_ = false;
  storage::Store* store_ = nullptr;  ///< none: nothing is kept
  std::function<void(const std::string&)> trouble_sink_;
  std::string trouble_;  ///< of the store, as far as it was told
  storage::Ticket submitted_ = 0;
  storage::Ticket stored_ = 0;
  Verify verify_;
  FailureBrake brake_;
  std::map<std::uint64_t, std::unique_ptr<Verifying>> verifying_;  ///< by when they came
  std::uint64_t last_verifying_ = 0;
  std::uint64_t verify_generation_ = 0;
  std::vector<const Verifying*> verifying_now_;
  Instant verify_due_ = kNever;  ///< when verify_timer_ rings
};

}  // namespace mq::net

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/block.hpp"
#include "base/bytes.hpp"
#include "base/prng.hpp"
#include "base/ring.hpp"
#include "base/time.hpp"
#include "client/backoff.hpp"
#include "client/event.hpp"
#include "client/send_queue.hpp"
#include "client/settings.hpp"
#include "client/topic_aliases.hpp"
#include "session/inbox.hpp"
#include "session/outbox.hpp"
#include "wire/decode.hpp"
#include "wire/fault.hpp"
#include "wire/framer.hpp"
#include "wire/packet.hpp"

namespace mq::client {

/// What a core wants of its transport. It stays so until the core says otherwise.
enum class Transport : std::uint8_t {
  none,   ///< drop it at once, if there is one
  open,   ///< make one, if there is none
  drain,  ///< send what is queued, let the peer close, then on_close()
};

/// One MQTT client, without the world: no socket, no clock, no log. Bytes and the time go in;
/// bytes, events and a wish for the transport come out.
///
/// Unsettled QoS 1 and 2 messages outlive a connection: they are sent again, in order, when the
/// next one is there; with DUP in the same session, as new in a fresh one. Subscriptions are not
/// remembered: see Connected::session_present.
///
/// Spec  MQTT 3.1, 3.1.1, 5.0: the client's side
class Core {
 public:
  Core(Settings settings, Prng prng);

  // What the owner wants.

  void connect(Now now);
  /// Queues a message, copied; its outcome comes as Settled. The caller keeps to the rules for
  /// topics and properties. Its packet id and DUP are of no account.
  ///
  /// Returns  nothing when there is no room now, or at QoS 0 no connection
  [[nodiscard]] std::optional<Ticket> publish(const wire::Publish& message, Now now);
  /// Returns  nothing when there is no connection, when the server takes no packet as large as
  ///          that, when all packet ids are in use, or when somebody asks for no_local in a shared
  ///          subscription. A request ends with its connection
  [[nodiscard]] std::optional<Ticket> subscribe(wire::Subscribe request, Now now);
  [[nodiscard]] std::optional<Ticket> unsubscribe(wire::Unsubscribe request, Now now);
  /// Asks for a sign of life, if none is asked for yet; see is_ping_out().
  void ping(Now now);
  /// Messages of QoS 1 and 2 that come from now on are neither handed out nor acknowledged: in a
  /// kept session they come again.
  void take_no_more() { takes_more_ = false; }
  /// Ends without a word: what is queued is not sent any more, acknowledgements least of all.
  void abandon();
  /// Says goodbye and ends; what is unsettled stays so.
  void disconnect(wire::ReasonCode reason, Now now);

  // What happened to the transport.

  void on_open(Now now);
  void on_open_failed(std::string words, Now now);
  /// The bytes must stay until next_event() has said nothing.
  void on_bytes(ByteView bytes, Now now);
  /// Room for the rest of a long packet, to read into directly; then on_tail() instead.
  std::span<Byte> tail() { return framer_.tail(); }
  void on_tail(std::size_t size, Now now);
  void on_sent(std::size_t size, Now now);
  /// It is gone, by itself or after draining. `words` say how it broke; empty when the server
  /// closed.
  void on_close(std::string_view words, Now now);
  void on_deadline(Now now);

  // What to do about it.

  std::optional<Event> next_event(Now now);
  Transport transport() const { return transport_; }
  std::size_t gather(std::span<ByteView> pieces) const { return output_.gather(pieces); }
  template <class F>
  void for_first(std::size_t count, F use) const {
    output_.for_first(count, use);
  }
  Instant next_deadline() const;

  // What is so.

  bool is_connected() const { return state_ == State::connected; }
  /// The answer to a PINGREQ is awaited.
  bool is_ping_out() const { return ping_sent_ != kNever; }
  /// publish() would take a message of this QoS.
  bool has_room(wire::QoS qos) const;
  bool has_output() const { return !output_.empty(); }
  /// QoS 1 and 2 messages wait for their turn: one of QoS 0 would overtake them.
  bool has_unsent() const { return outbox_.waiting() > 0; }
  /// QoS 1 and 2 messages whose outcome is open.
  std::size_t unsettled() const { return unsettled_; }
  wire::Version version() const { return settings_.version; }
  std::string_view client_id() const { return settings_.client_id; }

 private:
  enum class State : std::uint8_t {
    idle,
    opening,      ///< the transport is wished for
    handshaking,  ///< CONNECT is under way
    connected,
    draining,  ///< DISCONNECT is under way
    waiting,   ///< for the next attempt
    ended,
  };

  /// What this connection is for.
  enum class Errand : std::uint8_t { clear_before, run, clear_after };

  /// What the server allows in this connection.
  struct Limits {
    std::uint16_t receive_maximum = 65'535;
    wire::QoS maximum_qos = wire::QoS::exactly_once;
    bool retain_available = true;
    std::uint32_t maximum_packet_size = wire::kMaximumPacketSize;
    std::uint16_t topic_alias_maximum = 0;  // [MQTT-3.2.2-18]
    std::uint16_t keep_alive = 0;
  };

  /// The encoded PUBLISH, as it was first to be sent.
  struct Stored {
    BlockRef frame;
  };
  using Outbox = session::Outbox<Stored>;
  /// Set in a stored PUBLISH that is sent again.
  static constexpr Byte kDup = 0x08;
  /// Tickets of QoS 0 messages have their own range: those of the outbox are its sequence.
  static constexpr Ticket kUnacknowledged = Ticket{1} << 63U;

  /// A QoS 0 message in the output.
  struct Unacknowledged {
    std::uint64_t end;  ///< of its bytes, counted from the first of the connection
    Ticket ticket;
  };

  struct Request {
    Ticket ticket;
    std::uint16_t packet_id;
    wire::PacketType answer;
    std::size_t filters;
  };

  // core.cpp: the life of a connection
  void lose(Lost lost, Now now);
  void refuse(Refused refused, Now now);
  Instant retry_at(bool may_retry, Now now);
  void reset_connection();
  void end(std::string_view words = {});
  void start_errand(Errand errand, Now now);
  bool is_clean_start() const;
  void check_keep_alive(Now now);
  /// Whether anything is under way that the server is to acknowledge.
  bool is_answer_due() const { return unsettled_ > outbox_.waiting() || !requests_.empty(); }
  Instant keep_alive_deadline() const;

  // receive.cpp: what the server sends
  std::optional<Event> handle(ByteView frame, Now now);
  std::optional<Event> handle_connack(const wire::Connack& packet, Now now);
  std::optional<Event> handle_publish(ByteView frame, Now now);
  std::optional<Event> handle_acknowledgement(ByteView frame, Now now);
  std::optional<Event> handle_other(ByteView frame, Now now);
  void handle_disconnect(const wire::Disconnect& packet, Now now);
  const wire::Fault* resolve_topic(wire::Publish& packet);
  std::optional<Request> take_request(std::uint16_t packet_id, wire::PacketType answer);
  Limits limits_of(const wire::Properties& properties) const;
  void start_session_anew();
  void release(Outbox::Item item);
  void violate(const wire::Fault& fault, Now now);

  // send.cpp: what goes to the server
  void send_connect();
  /// Whether the server takes a packet as large as this one.
  template <class P>
  bool fits(const P& packet) const;
  template <class P>
  void send(const P& packet);
  void send_publish(const wire::Publish& packet, const BlockRef& owner);
  void send_stored(Outbox::Item item);
  void pump();
  std::size_t window() const;
  Ticket publish_unacknowledged(const wire::Publish& message);
  Ticket refuse_publish(wire::ReasonCode reason);
  /// Why this server must not be sent such a message, if so.
  std::optional<wire::ReasonCode> objection(const wire::Publish& message, std::size_t size) const;
  Settled settle(Outbox::Item item, wire::ReasonCode reason);
  /// 0: there is none.
  std::uint16_t free_packet_id();
  bool is_requested(std::uint16_t packet_id) const;
  Ticket add_request(std::uint16_t packet_id, wire::PacketType answer, std::size_t filters,
                     Now now);
  void settle_sent(Outcome outcome, std::uint64_t up_to);

  Settings settings_;
  Prng prng_;
  Backoff backoff_;
  State state_ = State::idle;
  Errand errand_;
  Transport transport_ = Transport::none;
  bool was_ever_connected_ = false;
  bool is_ending_ = false;  ///< when drained: the end, not a loss
  Lost drained_;            ///< what draining ends in otherwise
  Ring<Event> events_;      ///< they own what they refer to

  wire::Framer framer_;
  SendQueue output_;
  std::uint64_t sent_total_ = 0;  ///< bytes of this connection
  Limits own_;                    ///< what we allow the server
  Limits limits_;                 ///< what the server allows us
  AliasesIn aliases_in_;
  AliasesOut aliases_out_;
  wire::PropertyList scratch_;
  std::vector<Request> requests_;
  Ticket next_request_ = 1;

  Outbox outbox_;
  session::Inbox inbox_;
  bool takes_more_ = true;
  std::size_t unsettled_ = 0;
  std::size_t unsettled_qos2_ = 0;
  std::size_t stored_bytes_ = 0;
  Ring<Unacknowledged> unacknowledged_;
  Ticket next_unacknowledged_ = kUnacknowledged;

  Instant attempt_ends_ = kNever;  ///< connecting, or waiting to
  Instant connected_at_{};
  Instant last_sent_{};
  Instant last_received_{};
  Instant ping_sent_ = kNever;  ///< kNever: none is out
  std::uint64_t ping_end_ = 0;  ///< where PINGREQ ends in the output
  Instant last_acknowledged_{};
};

}  // namespace mq::client

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/prng.hpp"
#include "base/time.hpp"
#include "base/wheel.hpp"
#include "broker/access.hpp"
#include "broker/config.hpp"
#include "broker/connection.hpp"
#include "broker/fact.hpp"
#include "broker/journal.hpp"
#include "broker/session.hpp"
#include "broker/stats.hpp"
#include "broker/sys_topics.hpp"
#include "broker/verification.hpp"
#include "storage/store.hpp"
#include "topic/retained_index.hpp"
#include "topic/subscription_index.hpp"
#include "wire/decode.hpp"

namespace mq::broker {

struct Encoded;
struct Incoming;
struct Outgoing;

/// A connection that is to be closed once `rest` is sent; the core has forgotten it, and no
/// on_close() must follow.
struct Closing {
  ConnectionId connection;
  SendQueue rest;
};

/// The broker without the world: what happens goes in with the time, bytes and requests come out.
///
/// A turn of the driver: any number of on_…(), then for every id of take_dirty() as much of
/// output() as the socket takes, then take_closing(), then end_turn(). Bytes handed to on_bytes()
/// stay where they are until end_turn(): what is forwarded refers to them.
class Core {
 public:
  /// stored  what a store read back; nothing without persistence
  Core(Config config, Now now, const storage::Snapshot& stored = {});
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // What happened.

  /// listener  index into Config::listeners
  ConnectionId on_open(std::uint16_t listener, Now now);
  void on_bytes(ConnectionId connection, ByteView bytes, Now now);
  /// Where to read the rest of a long frame directly; empty when there is none. What was read is
  /// announced by on_tail() instead of on_bytes().
  std::span<Byte> tail(ConnectionId connection);
  void on_tail(ConnectionId connection, std::size_t size, Now now);
  /// The peer closed, or the socket failed. Ids that the core has forgotten are ignored.
  /// unread  bytes that had come, and will not be passed on; of whom fact::Ended ends at once the
  ///         driver knows them itself
  void on_close(ConnectionId connection, Now now, std::size_t unread = 0);
  /// The connection is of no use any more, for the reason that `words` give.
  void on_broken(ConnectionId connection, std::string words, Now now);
  /// The transport has proved who the client is: that will be its user name.
  void on_proved(ConnectionId connection, std::string user_name);
  /// The answer to a request of take_verifications(), whenever it comes.
  void on_verified(ConnectionId connection, Verdict verdict, Now now);
  /// Everything of output() is with the kernel: there is room for more.
  void on_drained(ConnectionId connection, Now now);
  void on_deadline(Now now);
  /// So much memory is in use now: to be told now and then while must_know_heap().
  void on_heap(std::size_t bytes);
  /// Everything up to this ticket of take_batch() is stored.
  void on_stored(storage::Ticket ticket, Now now);
  /// The answer to one of take_loads().
  void on_loaded(const storage::Page& page, Now now);
  /// Nothing can be stored, or it can again. Meanwhile a PUBLISH that would have to be is refused.
  void on_store_trouble(bool is_in_trouble) { is_store_in_trouble_ = is_in_trouble; }

  /// Where the ids that are given to clients come from: whoever guesses one takes over a session.
  /// By default from `config.seed`, which is good for tests only.
  void use_random(std::function<std::uint64_t()> random) { random_ = std::move(random); }

  /// Takes over what a store read back. Before anything else happens, and with persistence on.
  void recover(const storage::Snapshot& stored);

  // What the operator wants.

  /// Disconnects those who came in through this listener, with a password, as one of `users`.
  void expel(std::uint16_t listener, std::span<const std::string> users, Now now);
  /// Their passwords prove nothing any more, to those who ask whether one is anonymous.
  void forget_passwords(std::uint16_t listener);
  /// What may be done by those who come in through this listener; nullptr: anything. Those who are
  /// there feel it at once.
  void use_rules(std::uint16_t listener, std::shared_ptr<const AccessRules> rules);
  /// Goes on by other limits. Those who are connected keep what CONNACK promised them; whom a
  /// listener lets in no more is disconnected. What is kept, and how, stays as it was.
  ///
  /// config  has the listeners that were there at the same index, and may have more
  void use_config(Config config, Now now);
  /// Publishes the state of something of the broker's, below $SYS/broker/: an empty value clears
  /// it. Does nothing while there are no such topics.
  void put_sys(std::string_view topic, std::string_view value, Now now);
  /// Publishes an event there, for those who listen now.
  void tell_sys(std::string_view topic, std::string_view text, Now now);
  /// Publishes the wills, but for delayed ones of sessions that are stored, and says goodbye to
  /// everyone.
  void shut_down(Now now);

  // What to do about it.

  /// The connections with something to send since the last call, once each. Valid until the next.
  const std::vector<ConnectionId>& take_dirty();
  bool has_dirty() const { return !dirty_.empty(); }
  /// nullptr for an id that the core has forgotten.
  SendQueue* output(ConnectionId connection);
  /// Bytes in output(), and of memory for what comes there when it is stored. Nothing for an id
  /// that the core has forgotten.
  std::optional<std::size_t> owed_bytes(ConnectionId connection);
  /// What a connection may be owed before it had better not be read.
  std::size_t unread_max() const { return unread_max_; }
  bool must_know_heap() const {
    return config_.memory_limit > 0 || leftovers_.bytes() > config_.global_max_unread_bytes ||
           unread_max_ < config_.max_unread_bytes;
  }
  /// Whether it is paused because it is faster than its listener allows.
  bool is_above_rate(ConnectionId connection);
  /// What is left of the rest when a turn ends goes through keep() before end_turn().
  std::vector<Closing> take_closing();
  void keep(SendQueue& rest) { rest.keep(leftovers_); }
  /// So much of what was taken from an output is still to be sent: unread as what is in there.
  void count_unread(Counted& taken, std::size_t bytes) { leftovers_.count(taken, bytes); }
  /// Whose passwords are to be verified. Until they are, what a connection sends waits in memory,
  /// so it had better not be read.
  std::vector<Verification> take_verifications() { return std::exchange(verifications_, {}); }
  std::vector<Fact> take_facts();
  /// What is to be stored since the last call, all or nothing; answered by on_stored().
  std::optional<storage::Batch> take_batch();
  /// What is to be read from the store, answered by on_loaded(). The changes that take_batch()
  /// returned before come first.
  std::vector<storage::Load> take_loads() { return std::exchange(loads_, {}); }
  /// What take_batch() would take, in bytes of memory.
  std::size_t unstored_bytes() const { return journal_.size(); }
  /// That is more than max_unstored_bytes: nobody is to be read.
  bool is_store_behind() const { return unstored_bytes() > config_.max_unstored_bytes; }
  /// A connection is not read for that reason, or is read again: that may be when it is stored.
  /// Meanwhile no silence of it counts.
  void hold_back(ConnectionId connection, bool is_held_back, Now now);
  /// Connections that are not to be read until they are in take_released().
  std::vector<ConnectionId> take_throttled() { return std::exchange(throttled_, {}); }
  std::vector<ConnectionId> take_released() { return std::exchange(released_, {}); }
  /// Nothing refers to the bytes of this turn any more.
  void end_turn();
  /// When on_deadline() is due; kNever when nothing waits.
  Instant next_deadline() const;

  // What is so.

  const Stats& stats() const { return stats_; }
  struct Subscription {
    std::string_view filter;
    std::string_view client_id;
    wire::QoS qos;
  };
  /// All of them, by filter and client id.
  std::vector<Subscription> subscriptions() const;
  std::size_t session_count() const { return session_ids_.size(); }
  std::size_t connected_count() const { return connected_; }
  std::size_t connection_count() const {
    return connections_.size() - free_connections_.size() - left_connections_.size();
  }
  std::size_t retained_count() const { return retained_.size(); }
  std::size_t subscription_count() const { return subscriptions_.size(); }
  std::size_t shared_subscription_count() const { return subscriptions_.shared_size(); }
  /// Messages that are retained or wait in an outbox, each counted as often as it is held.
  struct Stored {
    std::size_t count = 0;
    std::size_t bytes = 0;
  };
  const Stored& stored() const { return held_; }
  /// What connections have not taken yet; a packet counts until the queue it stands in is empty.
  std::size_t unsent_packets() const;
  std::size_t unsent_bytes() const;
  std::size_t heap() const { return heap_; }
  std::size_t heap_maximum() const { return heap_maximum_; }
  const Config& config() const { return config_; }

 private:
  friend class SysTopics;

  // core.cpp
  Connection* find(ConnectionId id);
  void read_frames(Connection& connection);
  /// Returns false when the connection is gone.
  bool handle(Connection& connection, ByteView frame);
  bool handle_other(Connection& connection, ByteView frame);
  void fail(Connection& connection, const wire::Fault& fault);
  void disconnect(Connection& connection, wire::ReasonCode reason, fact::End end);
  void forget(Connection& connection, const fact::Ended& ended);
  /// A frame that has begun is to come to its end in time.
  void expect_rest(Connection& connection);
  /// Sets when on_connection_deadline() has to look at the connection.
  void watch(Connection& connection);
  void await_connect(Connection& connection);
  /// Whether the client accepts a packet as long as this one.
  template <class P>
  static bool fits(const Connection& connection, const P& packet);
  template <class P>
  void send(Connection& connection, const P& packet);
  /// send(), but not before `ticket` is stored, nor ahead of what waits already.
  template <class P>
  void acknowledge(Connection& connection, const P& packet, storage::Ticket ticket);
  void release_held(Connection& connection);
  void mark_dirty(Connection& connection) {
    if (connection.is_dirty) return;
    connection.is_dirty = true;
    dirty_.push_back(connection.id);
  }
  void on_connection_deadline(Connection& connection);

  // handle_connect.cpp
  void handle_connect(Connection& connection, ByteView frame);
  /// frame  of the CONNECT
  void admit(Connection& connection, const wire::Connect& connect, ByteView frame);
  std::optional<wire::Fault> objection(const Connection& connection,
                                       const wire::Connect& connect) const;
  void refuse(Connection& connection, const wire::Connect& connect, const wire::Fault& fault);
  Session& open_session(const wire::Connect& connect, std::string_view client_id, bool& present);
  void accept(Connection& connection, const wire::Connect& connect, Session& session,
              const fact::Connected& connected, wire::Properties properties, std::size_t written);
  /// What CONNACK is to say; without the response information where that does not fit, and
  /// never a reason string or a user property [MQTT-3.2.2-19] [MQTT-3.2.2-20].
  wire::PropertyList connack_properties(const Connection& connection, const wire::Connect& connect,
                                        std::string_view client_id) const;
  bool is_keep_alive_too_long(const wire::Connect& connect) const;
  std::string assign_client_id(const ListenerConfig& listener);
  /// The user name takes the place of the client id, where the listener wants that.
  void adopt_name(const Connection& connection, wire::Connect& connect) const;
  bool is_anonymous(const Connection& connection, const wire::Connect& connect) const;
  Promise promise_of(const ListenerConfig& listener) const;

  // verify.cpp
  bool must_verify(const Connection& connection, const wire::Connect& connect) const;
  void verify(Connection& connection, const wire::Connect& connect, ByteView frame);
  /// Keeps CONNECT and what came behind it until on_verified(), or let_heirs_in().
  void put_aside(Connection& connection, ByteView frame);
  void wait_behind(Connection& connection, ByteView bytes);
  void read_behind(ConnectionId id, ByteView bytes);
  void give_up_waiting(Connection& connection);

  // access.cpp
  void apply_rules(Session& session);
  /// Of one who goes, or for whom other rules hold from now on.
  void tell_last_denial(Session& session);
  /// Whether the rules of a session that has some allow it; a denial is told.
  bool check(Session& session, fact::Act act, std::string_view topic);
  bool may_read(Session& session, std::string_view topic) {
    return session.access == nullptr || check(session, fact::Act::read, topic);
  }
  bool may_write(Session& session, std::string_view topic, fact::Act act) {
    return session.access == nullptr || check(session, act, topic);
  }
  bool may_subscribe(Session& session, std::string_view filter);
  /// Keeps in mind who has published what is retained now, where rules bind him.
  void remember_source(const Incoming& incoming);
  bool may_source_publish(std::string_view topic) const;

  // mount.cpp
  /// Whether a topic is still one behind the mount point.
  static bool is_mountable(const Connection& connection, std::string_view topic);
  /// A topic as everybody else sees it; in the memory of this turn. Only for who is mounted.
  std::string_view mounted(const Connection& connection, std::string_view topic);
  static std::string mounted_filter(const Connection& connection, std::string_view filter);
  static bool sees(const Connection& connection, std::string_view topic) {
    return connection.mount == nullptr ||
           (topic.size() > connection.mount->size() && topic.starts_with(*connection.mount));
  }
  /// A topic as the client sees it, which sees() it.
  static std::string_view seen_by(const Connection& connection, std::string_view topic) {
    return connection.mount == nullptr ? topic : topic.substr(connection.mount->size());
  }

  // recover.cpp
  void recover_session(const std::string& client_id, const storage::Snapshot::Session& stored,
                       const std::function<Message(storage::MessageId)>& message);
  /// Puts a stored entry into the outbox, unless it has expired.
  void restore(Session& session, std::uint64_t sequence, const storage::Snapshot::Queued& queued,
               Message message);
  /// A share that the session is a member of and that the topic's messages go through.
  topic::FilterId share_between(const Session& session, std::string_view topic);
  Session& create_session(std::string_view client_id);

  // handle_publish.cpp
  bool handle_publish(Connection& connection, ByteView frame);
  std::optional<wire::Fault> resolve_topic(Connection& connection, const wire::Publish& publish,
                                           std::string_view& topic);
  bool accept_publish(Connection& connection, Incoming& incoming);
  /// Why a message is dropped although it breaks no rule of the standard; success: it is not.
  wire::ReasonCode refusal_of(Connection& connection, const wire::Publish& packet);
  /// Whether its acknowledgement would have to wait for the store.
  bool must_be_stored(const Session& publisher, const wire::Publish& packet);
  bool refuse_unstorable(Connection& connection, const wire::Publish& packet);
  /// Stores or clears what is retained and delivers. Returns whether anybody subscribes.
  bool publish(Incoming& incoming);
  /// A message of the broker's own.
  void publish_own(std::string_view topic, std::string_view text, bool retain,
                   wire::Properties properties);
  void retain(Incoming& incoming);
  void drop_retained(std::string_view topic);
  /// Likewise, but not in the store. Returns whether there was one.
  bool forget_retained(std::string_view topic);
  void put_retained(Message message);
  void count_retained_away(const Message& message);
  /// Lets go of the bodies above the limit that are stored by now.
  void shed_retained();
  /// A batch is on its way to the store.
  bool is_storing() const { return submitted_ > stored_; }
  Instant write_noted_at() const;

  // limits.cpp
  void keep(Connection& connection);
  std::size_t most_kept(bool is_client) const;
  void keep_no_more(Connection& connection);
  void limit_unread();
  bool is_unread(const SendQueue& queue) const;
  bool is_memory_short() const { return config_.memory_limit > 0 && heap_ > config_.memory_limit; }
  bool has_no_memory_for(wire::QoS qos, bool retain) const {
    return is_memory_short() && (qos != wire::QoS::at_most_once || retain);
  }
  bool is_full(const Session& session, std::size_t size) const;
  /// Drops what has waited longest, where that is the policy. Returns whether that was enough.
  bool make_room(Session& session, std::size_t size);
  /// Whether a full queue is a reason to refuse the message.
  bool is_rejected(const Connection& connection, const wire::Publish& packet);
  void count_drop(Session& session, Drop reason, std::size_t count = 1);
  /// What of its losses was not told yet.
  void tell_drops(const Session& session);
  void tell_drops();
  /// Tells the last losses of a session. What $SYS says about them goes with it.
  void forget_drops(const Session& session);
  /// Drops some of the retained messages that have expired, and says when to go on.
  void sweep_retained();

  // throttle.cpp
  void throttle(Connection& connection);
  /// Whether what else it has sent is left for later. The first packet of a turn is not, unless a
  /// rate says so or the turn has become very long.
  bool must_pause(Connection& connection, bool is_first);
  bool has_worked_enough() const { return work_ >= work_end_; }
  /// What else it has sent is handled from the next turn on.
  void put_off(Connection& connection);
  void go_on_with_packets();
  void go_on(Connection& connection);
  /// Its rates have let it send more since the last time.
  void fill(Connection& connection);
  /// Whether another packet may be handled now.
  bool has_turn(Connection& connection);
  /// It goes on with go_on_with_packets().
  void pause(Connection& connection, Instant until);
  /// It goes on by itself.
  void pause_until(Connection& connection, Instant until);
  void resume(Connection& connection);
  /// `other` is heard out first, then let_heirs_in() goes on with the CONNECT.
  void wait_for(Connection& heir, Connection& other, ByteView connect);
  /// Ends it when nothing else has come for a turn.
  void hear_out(Connection& connection);
  void let_heirs_in();
  static bool is_paused(const Connection& connection);
  /// Whether a paused connection has sent something that was read, and not handled.
  static bool is_owed_a_turn(const Connection& connection);

  // handle_subscribe.cpp
  /// Shares that a session leaves, with its subscription identifiers there. What came through one
  /// stays with the session, for the share's filter id may soon be another filter's.
  using LeftShares = absl::flat_hash_map<topic::FilterId, std::uint32_t>;
  bool handle_subscribe(Connection& connection, ByteView frame, const wire::Subscribe& subscribe);
  /// Goes on with a SUBSCRIBE for as long as the turn lasts. Returns whether it is done.
  bool go_on_subscribing(Connection& connection, Subscribing& progress);
  bool handle_unsubscribe(Connection& connection, const wire::Unsubscribe& unsubscribe);
  bool may_be_retained(std::string_view filter) const;
  /// Has it stored which subscriptions retained messages are still owed to.
  void note_feeds(Session& session);
  /// owed  kRetainedOwed, or 0
  void store_subscription(Session& session, const RetainedFeed& feed, std::uint8_t owed);
  wire::ReasonCode subscribe_one(Session& session, const wire::Subscription& subscription,
                                 std::uint32_t identifier);
  wire::ReasonCode unsubscribe_one(Session& session, const std::string& filter,
                                   LeftShares& left_shares);
  static void keep_what_came_through(const LeftShares& shares, Session& session);

  // handle_acks.cpp
  bool handle_acknowledgement(Connection& connection, ByteView frame);
  void on_puback(Connection& connection, std::uint16_t packet_id);
  void on_pubrec(Connection& connection, const wire::AnyAcknowledgement& ack);
  /// Its PUBREL may leave when that is stored.
  void note_release(Session& session, std::uint64_t sequence);
  void settle(Session& session, Outbox::Item item);

  // handle_disconnect.cpp
  bool handle_disconnect(Connection& connection, const wire::Disconnect& disconnect);
  /// Handles a DISCONNECT that waits behind other packets, and these no more.
  void hear_goodbye(Connection& connection);
  /// The session loses its connection: its will and its end are due from now on.
  void fall_asleep(Session& session, Instant since);
  void on_session_deadline(Session& session);
  void publish_will(Session& session);
  /// is_name_wanted  another session is to have it now: what is left to hand over is lost, and
  /// counted
  void end_session(Session& session, bool is_name_wanted = false);
  /// Of what it has in memory, and of its subscriptions.
  void let_go(Session& session);
  void hand_over_shares(Session& session);
  /// Ends a session but for its tail, where that is for other members of a share. Returns false
  /// when there is no such tail.
  bool begin_leaving(Session& session);
  void hand_over(Session& session, const storage::Page& page);

  // deliver.cpp
  bool route(Incoming& incoming);
  void deliver(const topic::Subscriber& subscriber, Incoming& incoming);
  wire::QoS outgoing_qos(wire::QoS granted, wire::QoS published) const;
  int suitability(const topic::Subscriber& member, const wire::Publish& packet);
  /// Who of a share gets the message; nullptr: nobody can take it.
  const topic::Subscriber* member_for(topic::FilterId share, const wire::Publish& packet);
  void deliver_shared(topic::FilterId share, Incoming& incoming);
  /// To another than `except`, if there is one.
  void give_to_member(topic::FilterId share, const Message& message, Session& except);
  /// Whether a QoS 0 message comes behind what waits, since others of its kind may [MQTT-4.6.0-6].
  bool must_line_up(const Session& session) const {
    return config_.queue_qos0_messages && session.waiting() > 0;
  }
  void send_at_most_once(Session& session, const topic::Subscriber& subscriber, Incoming& incoming);
  /// `encoded` stays empty when the version has no such packet: it would be too long by some bytes.
  void encode_at_most_once(const Incoming& incoming, wire::Version version, Encoded& encoded);
  /// Sends at QoS 1 or 2 what nothing stands before. Returns false when there is more to it.
  bool send_at_once(Session& session, const topic::Subscriber& subscriber, Incoming& incoming,
                    wire::QoS qos, bool retain);
  /// Returns false when the version has no such packet.
  bool write_pattern(Incoming& incoming, wire::Version version, Byte first,
                     std::uint16_t packet_id);
  void enqueue(Session& session, Queued queued, wire::QoS qos, std::uint8_t flags);
  void push(Session& session, Queued queued, wire::QoS qos, std::uint8_t flags);
  /// A message that its receiver acknowledges soon need not be stored, if it may be sent before.
  bool may_be_noted(const Session& session, wire::QoS qos) const;
  bool may_note_at_once(const Session& session, wire::QoS qos) const;
  void note_at_once(const Session& session, const Message& message, std::uint8_t flags);
  /// Whether the message is not to be in memory, but in the store only.
  bool is_beyond_window(const Session& session, const Message& message) const;
  /// Asks for the bodies of the stubs that the feed comes to next.
  void load_bodies(Session& session, RetainedFeed& feed);
  void take_bodies(RetainedFeed& feed, const storage::Page& page);
  /// Asks for the next part of the tail when the outbox has room for it.
  void load_more(Session& session);
  void load_tail(Session& session);
  storage::Window page_size() const;
  void leave_tail(Session& session, const storage::Page::Entry& entry);
  /// The store has nothing of what should be there.
  void lose_tail(Session& session);
  /// Counts a payload that an outbox, or with no session the retained index, holds or lets go.
  void count_held(Session* session, std::size_t size) {
    ++held_.count;
    held_.bytes += size;
    if (session != nullptr) session->queued_bytes += size;
  }
  void count_released(Session* session, std::size_t size) {
    --held_.count;
    held_.bytes -= size;
    if (session != nullptr) session->queued_bytes -= size;
  }
  /// Lets go of what it remembers about entries that are stored by now.
  void forget_stored(Session& session) const;
  /// Whether the entry with this sequence number is stored, where that is to be waited for.
  bool is_stored(Session& session, std::uint64_t sequence) const;
  /// Sends what is due to a session with a connection: its outbox within its window, then
  /// retained messages.
  void pump(Session& session);
  void pump_outbox(Session& session);
  void publish_waiting(Session& session);
  /// PUBRELs that were sent in an earlier connection, or take the place of what is given up.
  void send_releases(Session& session);
  void pump_feeds(Session& session);
  /// With those that had used up what may be looked at in a turn.
  void go_on_with_feeds();
  /// Returns whether the feed is done.
  bool pump_feed(Session& session, RetainedFeed& feed);
  bool has_room_for(const Session& session, const RetainedFeed& feed) const;
  void feed_one(Session& session, const RetainedFeed& feed, const Message& message);
  /// Returns false when the packet would be larger than the client accepts.
  bool send_publish(Connection& connection, const Outgoing& outgoing);
  std::uint32_t identifier_in(topic::FilterId filter, std::uint32_t owner) const;
  /// nullptr: it is not subscribed.
  const topic::Subscriber* subscriber_of(topic::FilterId filter, std::uint32_t owner) const;
  /// The next entry of the outbox will not be sent.
  void give_up(Session& session, Drop reason);
  void count_sent(Connection& connection, std::size_t size, std::size_t payload_size) {
    ++stats_.packets_sent;
    ++connection.unsent_packets;
    ++stats_.publish_sent;
    stats_.publish_bytes_sent += payload_size;
    stats_.bytes_sent += size;
    mark_dirty(connection);
  }
  struct Alias {
    std::uint16_t number = 0;
    bool is_new = false;
  };
  static Alias alias_for(Connection& connection, std::string_view topic);
  /// Those that the packet has for its receiver alone.
  void add_properties(const Connection& connection, const Outgoing& outgoing, Alias alias,
                      wire::Publish& packet);

  Config config_;
  Now now_;
  std::function<std::uint64_t()> random_;
  Stats stats_;
  std::vector<std::shared_ptr<const AccessRules>> rules_;  ///< by listener
  Stored held_;
  Journal journal_;
  storage::Ticket submitted_ = 0;  ///< of the last batch
  storage::Ticket stored_ = 0;     ///< up to here everything is, or has come to nothing
  bool is_store_in_trouble_ = false;
  /// A retained message that is to be in the store only, as soon as it is there.
  struct Shedding {
    storage::Ticket ticket = 0;
    storage::MessageId message = 0;
    std::string topic;
  };
  Ring<Shedding> shedding_;
  std::size_t retained_bytes_ = 0;  ///< payloads in memory, $SYS not among them
  std::vector<storage::Load> loads_;
  std::uint64_t last_load_ = 0;
  Ring<std::pair<storage::Ticket, ConnectionId>> holding_;   ///< connections with held packets
  Ring<std::pair<storage::Ticket, std::uint32_t>> storing_;  ///< sessions whose outbox waits

  Leftovers leftovers_;  ///< before the queues that refer to it
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::uint32_t> generations_;
  std::vector<std::uint32_t> free_connections_;
  std::vector<std::uint32_t> left_connections_;  ///< free when the turn ends: the driver must hear
  Wheel<Connection> connection_wheel_;

  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::uint32_t> free_sessions_;
  TextMap<std::uint32_t> session_ids_;
  Wheel<Session> session_wheel_;
  std::size_t work_ = 0;     ///< of this turn, see Config::work_a_turn
  std::size_t work_end_;     ///< where the turn ends, or the share in it of one who has waited
  bool has_waited_ = false;  ///< it is such a share
  /// So many topics are looked at for feeds in a turn, whosever they are. Then others come first.
  static constexpr std::size_t kFeedSteps = 2'000;
  std::size_t feed_steps_ = kFeedSteps;    ///< that are left of this turn
  std::vector<std::uint32_t> unfinished_;  ///< sessions to be pumped at the next deadline
  std::size_t connected_ = 0;
  /// Of what is not whole yet: of those who have not been let in, and of clients.
  std::array<std::size_t, 2> kept_bytes_{};
  std::size_t heap_ = 0;
  std::size_t unread_max_ = 0;  ///< of what a connection was owed before this turn
  std::size_t heap_maximum_ = 0;

  Instant sweep_at_ = kNever;
  std::optional<std::string> swept_;         ///< the topic behind which the sweep goes on
  std::vector<std::uint32_t> dropping_;      ///< sessions whose DropBook is ahead of $SYS
  std::vector<std::uint32_t> untold_drops_;  ///< likewise, of the facts
  Instant tell_drops_at_ = kNever;
  Instant drops_pause_end_{};  ///< kNever: it is ending, and says at once what it drops
  std::vector<ConnectionId> throttled_;
  std::vector<ConnectionId> behind_;  ///< of these, those who go on in the next turn
  std::vector<ConnectionId> released_;
  std::vector<ConnectionId> heirs_;  ///< those with whose client id nobody is left

  topic::SubscriptionIndex subscriptions_;
  topic::RetainedIndex<Message> retained_;
  /// Who published what is retained, as far as rules bind him.
  TextMap<storage::Source> sources_;  ///< by topic
  SysTopics sys_topics_;

  TurnMemory turn_;
  wire::PropertyList scratch_;
  std::vector<ConnectionId> dirty_;
  std::vector<ConnectionId> taken_;    ///< what take_dirty() returned last
  std::vector<ConnectionId> written_;  ///< taken as dirty, not yet at their turn's end
  std::vector<Closing> closing_;
  std::vector<Verification> verifications_;
  std::vector<Fact> facts_;
};

}  // namespace mq::broker

#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "wire/version.hpp"

namespace mq::sim {

/// A numbered message of one publisher on one topic.
struct Numbered {
  std::string topic;
  std::uint64_t number = 0;
  auto operator<=>(const Numbered&) const = default;
};

/// A time of which only that is known.
struct Span {
  Millis at_least;
  Millis at_most;
};

/// What this run's broker may do that another may not.
struct Mercy {
  bool is_queue_bounded = false;  ///< it drops what is too much, and counts it
  bool refuses = false;           ///< it has no disk or memory now and then, or no room in a queue
  bool is_clock_wrong = false;    ///< what is stored may last longer
  bool forgets_goodbyes = false;  ///< it crashes: a goodbye is not acknowledged
  bool crashes = false;
  std::uint32_t publish_rate = 0;  ///< of each connection; 0: any
  std::uint64_t bytes_rate = 0;    ///< likewise
  bool is_short = false;           ///< of memory now and then: it drops wills, and counts them
  bool queues_qos0 = false;        ///< what it had sent may come again after a crash
  bool reads_late = false;         ///< what has come waits for the disk, or for the client's turn
  Millis commits_within{0};        ///< so long may a crash keep from being stored
};

/// Keeps what was said and done, apart from those who did it, and complains about broken promises.
///
/// Topics begin with the promise about them: live/, retained/, shared/, expiring/, secret/,
/// changing/, limited/, kept/, which is retained/ without subscribers, and fading/, which expires
/// besides. What is below shared/ is retained, too, and no share is to get that.
class Judge {
 public:
  explicit Judge(Mercy mercy) : mercy_(mercy) {}

  /// The lowest QoS that a member of the share will ask for.
  void expect_share(const std::string& share, wire::QoS qos) {
    const auto [state, is_new] = shares_.try_emplace(share);
    state->second.qos = is_new ? qos : std::min(state->second.qos, qos);
  }

  // Publishers.
  ///
  /// size  of the payload
  void published(const Numbered& message, wire::QoS qos, std::size_t size, Instant now);
  /// An empty retained message instead of a number.
  void cleared(const std::string& topic, std::uint64_t number, Instant now);
  void acknowledged(const std::string& topic, std::uint64_t number, Instant now);
  /// The broker has answered so many bytes on the connection that was opened then, too.
  void answered(const std::string& publisher, std::size_t size, Instant opened_at, Instant now);
  /// Its connection was lost before it was settled: it will be published again.
  void interrupted(const std::string& topic, std::uint64_t number);
  /// The broker had to drop it, and could not tell.
  void swallowed(const std::string& publisher, const std::string& topic, std::uint64_t number);
  /// It was ever published.
  bool knows(const Numbered& message) const {
    const auto topic = topics_.find(message.topic);
    return topic != topics_.end() && topic->second.publications.contains(message.number);
  }

  // The broker.
  /// From now on nobody may read below limited/; then everybody may.
  void limits_readers();
  void lets_readers();
  /// It does not know any more what rules bind those whom it has not seen again.
  void restarted(Instant now) {
    known_since_.clear();
    restarted_at_ = now;
  }
  /// The same, and it may have sent what it has still stored.
  void crashed(Instant now) {
    restarted(now);
    crashed_at_ = now;
    crashes_.push_back(now);
  }
  /// So many bytes wait for its disk; when it was last read, or might have been, it was `last`.
  void backlog(std::size_t unstored, std::size_t last);
  /// It says that somebody has lost so many messages: with a full queue, with a session, or because
  /// what was published was too large, or more than it had memory for.
  void dropped(const std::string& client, std::uint64_t count) { dropped_[client] += count; }
  /// Likewise, because its packets were larger than the client accepts.
  void too_large(const std::string& client, std::uint64_t count) { too_large_[client] += count; }

  // Subscribers, and members of a share: what one of these gets, all have got.
  /// SUBACK has come: whatever is published from now on is for this subscriber.
  ///
  /// largest  the size of a payload that it accepts for certain
  void subscribed(const std::string& subscriber, wire::QoS qos, std::size_t largest,
                  bool is_for_good, Instant now);
  void joined_share(const std::string& share);
  /// It sends SUBSCRIBE for changing/, or UNSUBSCRIBE; then the answer has come.
  void subscribes_again(const std::string& subscriber);
  void subscribed_again(const std::string& subscriber);
  void unsubscribes(const std::string& subscriber, Instant now);
  void unsubscribed(const std::string& subscriber);
  void connected(const std::string& client, bool session_present, Instant opened_at, Instant now);
  /// It reads nothing until then.
  void stalled(const std::string& client, Instant until);
  struct Arrival {
    std::string topic;
    std::uint64_t number = 0;
    bool is_repeated = false;
    std::optional<std::uint32_t> expiry;  ///< what is left of it, in seconds
    Instant at;
  };
  void arrived(const std::string& subscriber, const Arrival& arrival);
  /// At the process from which the session was taken over.
  void arrived_before(const std::string& subscriber, const Numbered& message);
  void arrived_in_share(const std::string& share, const Arrival& arrival);
  /// What a newcomer was sent as retained; then he has got all of it.
  void retained(const std::string& topic, std::uint64_t number);
  void check_retained();
  /// What he was sent below fading/.
  void check_faded(const Numbered& message, Instant now);

  // Those who leave a will, each life another.
  struct Death {
    Instant opened_at;  ///< its connection; it may have been lost at any time since then
    Instant lost_at;
    Instant not_before;
    Instant due;
    wire::QoS qos;     ///< of the will
    bool is_retained;  ///< likewise
    bool is_delayed;   ///< likewise: it is cancelled when the client comes back before it is due
    bool may_be_cancelled = false;
    bool is_cancelled = false;
  };
  void died(const std::string& will, Death death);
  void said_goodbye(const std::string& will);
  /// Whose will it is has opened a connection again; CONNACK has come, and the session was there.
  void returns(const std::string& will, Instant now);
  void returned(const std::string& will, Instant now);
  void will_arrived(const std::string& subscriber, const std::string& will, bool is_repeated,
                    Instant now);
  /// A newcomer was sent it as retained.
  void will_is_retained(const std::string& will) { retained_wills_.insert(will); }

  // One whose session is to last for so long after its connection.
  void came_back(Span away, Span lasts, bool session_present);

  void accuse(std::string words) { complaints_.push_back(std::move(words)); }
  /// After everything has come to rest. Empty: every promise was kept.
  ///
  /// untold_drops  how many messages the broker has dropped and not come to say whose they were
  std::vector<std::string> complaints(std::uint64_t untold_drops);
  std::size_t acknowledged_count() const { return acknowledged_.size(); }
  std::size_t arrived_count() const { return arrived_count_; }
  std::size_t will_count() const { return dead_.size(); }
  /// When the last of the wills is due.
  Instant last_due() const { return last_due_; }

  /// Of what is published below fading/.
  static constexpr Millis kFadesWithin = Seconds(2);
  /// Of what is published below expiring/: some of it is to arrive however long it waits.
  static constexpr Millis expiry_of(std::uint64_t number) {
    return number % 3 == 0 ? Seconds(24 * 3600) : Seconds(2);
  }
  /// Its session is over: what it has not got it need not get.
  void left(const std::string& subscriber);
  /// It was there, and nothing was in the way of what was published.
  void check_heard(const std::string& subscriber, const Numbered& message);

 private:
  struct Topic {
    wire::QoS qos{};
    std::uint64_t last = 0;
    std::uint64_t last_acknowledged = 0;
    std::set<std::uint64_t> interrupted;
    std::set<std::uint64_t> clears;
    struct Publication {
      Instant at;
      std::size_t size = 0;  ///< of the payload
    };
    std::map<std::uint64_t, Publication> publications;
  };
  using Numbers = std::map<std::string, std::uint64_t>;  ///< by topic
  /// A time in which somebody was subscribed to changing/.
  struct Stay {
    Numbers after;  ///< what was last published before it began
    Instant until = kNever;
  };
  struct Subscriber {
    wire::QoS qos{};
    std::size_t largest = SIZE_MAX;  ///< payload
    bool is_subscribed = false;
    bool is_for_good = false;
    bool is_changing = false;  ///< it has ever wanted changing/
    Instant subscribed_at = kNever;
    Numbers covered_after;
    std::vector<Stay> stays;
    std::optional<Numbers> without_after;  ///< it is not subscribed to changing/ since then
    std::set<Numbered> unwanted;           ///< published, and acknowledged, when it was not
    std::map<Numbered, Instant> arrivals;  ///< when the connection was opened by which it last came
    std::set<Numbered> from_store;  ///< of these: acknowledged before its connection was opened
    Numbers newest;
  };

  static bool is_promised(const Subscriber& subscriber, const Numbered& message);
  static bool is_promised_to_stay(const Subscriber& subscriber, const Numbered& message,
                                  Instant acknowledged);
  static bool is_behind(const Numbers& last, const Numbered& message);
  /// What was published behind these numbers, and is acknowledged by now.
  std::set<Numbered> acknowledged_behind(const Numbers& last) const;
  /// The last numbers below this prefix.
  Numbers numbers_below(std::string_view prefix) const;
  void check_wanted(const std::string& name, const Subscriber& subscriber, const Numbered& message);
  void check_allowed(const std::string& name, const Numbered& message);
  void check_order(const std::string& name, Subscriber& subscriber, const Numbered& message);
  void check_lateness(const std::string& name, const Arrival& arrival);
  void check_promptness(const std::string& name, const Arrival& arrival);
  void check_will(const std::string& will, const Death& death);
  void check_subscriber(const std::string& name, const Subscriber& subscriber);
  void check_retained(const std::string& topic, const Topic& state, const Numbers& retained);
  void miss(const std::string& name, const std::string& words);

  Mercy mercy_;
  std::map<std::string, Topic> topics_;
  std::map<Numbered, Instant> acknowledged_;
  std::map<std::string, Subscriber> subscribers_;
  std::map<std::string, Subscriber> shares_;  ///< whose members take part under one name
  Numbers retained_;
  std::map<std::string, Instant> opened_at_;  ///< the connection that each has
  /// Since when each has read everything at once.
  std::map<std::string, Instant> attentive_since_;
  std::map<std::string, Instant> known_since_;  ///< to the broker
  Instant restarted_at_{};
  Instant crashed_at_{};
  std::vector<Instant> crashes_;
  std::map<std::string, Death> dead_;
  Instant last_due_{};
  std::map<std::string, std::vector<std::string>> heirs_;  ///< who is to get whose will
  std::set<std::string> gone_;
  struct WillArrival {
    std::string subscriber;
    bool is_repeated;
    Instant at;
  };
  std::map<std::string, std::vector<WillArrival>> wills_;
  std::set<std::string> retained_wills_;
  std::size_t arrived_count_ = 0;
  std::map<std::string, std::vector<std::string>> missing_;  ///< by client
  std::map<std::string, std::uint64_t> dropped_;             ///< likewise
  /// Of which nobody expected that they come, and of which the broker says so; likewise.
  std::map<std::string, std::vector<Numbered>> not_accepted_;
  std::map<std::string, std::uint64_t> too_large_;
  struct Answered {
    Instant opened_at;
    std::size_t messages = 0;
    std::size_t bytes = 0;
    std::size_t longest = 0;  ///< of the messages
  };
  std::map<std::string, Answered> answered_;  ///< by publisher, on its last connection
  std::optional<Numbers> limited_after_;      ///< nobody may read limited/ since then
  std::optional<Numbers> free_after_;         ///< everybody may; once it was limited
  std::set<Numbered> forbidden_;              ///< published, and acknowledged, when nobody might
  std::vector<std::string> complaints_;
};

}  // namespace mq::sim

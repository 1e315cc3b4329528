#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/ring.hpp"
#include "wire/version.hpp"

/// What leaves at QoS 1 and 2: waiting, then under way, then settled, in sending order.
///
/// Every entry has a sequence number, 1, 2, 3 … over the life of the session, and its packet id is
/// a function of that number. So an id is found by subtraction, a message is sent again under the
/// id it had, and nothing needs to be remembered to make that so. The price: at most 65,535
/// numbers lie between the oldest unsettled entry and the newest one under way.
namespace mq::session {

inline constexpr std::uint64_t kPacketIds = 65'535;

constexpr std::uint16_t packet_id_of(std::uint64_t sequence) {
  return static_cast<std::uint16_t>((sequence - 1) % kPacketIds + 1);
}

enum class Delivery : std::uint8_t {
  waiting,    ///< not sent yet
  published,  ///< PUBLISH sent, PUBACK or PUBREC awaited
  released,   ///< PUBREC seen, PUBREL sent, PUBCOMP awaited
  resumed,    ///< likewise, but since an earlier connection: the window does not count it
  settled,    ///< finished, but something older is not
};

/// Whether PUBCOMP may come.
constexpr bool is_released(Delivery state) {
  return state == Delivery::released || state == Delivery::resumed;
}

template <class Message>
class Outbox {
 public:
  struct Entry {
    [[no_unique_address]] Message message;
    wire::QoS qos{};
    Delivery state = Delivery::waiting;
    /// The next PUBLISH of it carries DUP; when it is resumed: its PUBREL has left again.
    bool was_sent = false;
    std::uint8_t flags = 0;  ///< whatever the owner wants to know of it
  };

  /// An entry together with its sequence number; valid until the outbox changes.
  struct Item {
    Entry* entry;
    std::uint64_t sequence;
    std::uint16_t packet_id() const { return packet_id_of(sequence); }
  };

  /// Queues a message behind all others [MQTT-4.6.0-5] [MQTT-4.6.0-6]. Returns its sequence number.
  std::uint64_t push(Message message, wire::QoS qos, std::uint8_t flags = 0) {
    // [MQTT-4.3.2-2] [MQTT-4.3.3-2]
    entries_.push_back(Entry{std::move(message), qos, Delivery::waiting, false, flags});
    return first_ + entries_.size() - 1;
  }

  /// Whether a message that is queued now would be the one that next() shows.
  bool is_clear(std::size_t window) const {
    return cursor_ == entries_.size() && in_flight_ < window && cursor_ < kPacketIds;
  }

  /// Queues a message that has been sent, where is_clear(): its packet id is that of
  /// next_sequence().
  void push_sent(Message message, wire::QoS qos, std::uint8_t flags = 0) {
    entries_.push_back(Entry{std::move(message), qos, Delivery::published, true, flags});
    ++in_flight_;
    ++cursor_;
  }

  /// Puts an entry back that was stored under this sequence number, behind all that are here. It
  /// waits, or is resumed.
  void restore(std::uint64_t sequence, Entry entry) {
    continue_at(sequence);
    const bool is_resumed = entry.state == Delivery::resumed;
    entries_.push_back(std::move(entry));
    if (!is_resumed) return;
    make_resumed(entries_.size() - 1);
    ++done_ahead_;
  }

  /// The next entry gets this sequence number: those before it that are not here are settled.
  void continue_at(std::uint64_t sequence) {
    if (entries_.empty()) first_ = std::max(first_, sequence);
    while (next_sequence() < sequence) {
      entries_.push_back(Entry{Message{}, wire::QoS{}, Delivery::settled, false, 0});
      ++done_ahead_;
    }
  }

  /// The next item to be published, without changing anything; nothing when all are under way or
  /// `window` (the peer's receive maximum) of them are.
  std::optional<Item> next(std::size_t window) {
    if (in_flight_ >= window) return std::nullopt;  // [MQTT-4.9.0-2]
    while (cursor_ < entries_.size() && is_done(entries_[cursor_])) {
      ++cursor_;
      --done_ahead_;
    }
    // [MQTT-2.2.1-3] [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1]
    if (cursor_ == entries_.size() || cursor_ >= kPacketIds) return std::nullopt;
    return Item{&entries_[cursor_], first_ + cursor_};
  }

  /// The item that next() showed has been sent.
  void mark_sent() {
    Entry& entry = entries_[cursor_++];
    entry.state = Delivery::published;
    entry.was_sent = true;
    ++in_flight_;
  }

  /// The item that next() showed is given up (expired, too large): it is settled unsent.
  void skip() {
    entries_[cursor_].state = Delivery::settled;
    entries_[cursor_].message = Message{};
    ++cursor_;
    trim();
  }

  /// The item that next() showed is given up, but the peer may have seen it, at QoS 2: nobody may
  /// use its packet id before PUBCOMP has come. Its PUBREL is due.
  void abandon() {
    entries_[cursor_].message = Message{};
    make_resumed(cursor_++);
  }

  /// Whether PUBRELs are due that were not sent in this connection.
  bool owes_releases() const { return owes_releases_; }

  /// Calls `send(packet_id)` for each PUBREL that is due, once in a connection. The window is of no
  /// account [MQTT-3.3.4-8] [MQTT-3.3.4-10] [MQTT-4.4.0-1] [MQTT-4.9.0-3].
  template <class F>
  void send_releases(F send) {
    if (!std::exchange(owes_releases_, false)) return;
    for (std::uint32_t i = 0; i < resumed_end_; ++i) {
      Entry& entry = entries_[i];
      if (entry.state != Delivery::resumed || std::exchange(entry.was_sent, true)) continue;
      send(packet_id_of(first_ + i));
    }
  }

  /// Whether the peer may know a message by this packet id, from this connection or another.
  bool is_in_use(std::uint16_t packet_id) const {
    const auto offset = offset_of(packet_id);
    if (packet_id == 0 || offset >= entries_.size()) return false;
    const Entry& entry = entries_[offset];
    return entry.state != Delivery::settled && (entry.was_sent || entry.state == Delivery::resumed);
  }

  /// The item under way with this packet id, if there is one.
  std::optional<Item> find(std::uint16_t packet_id) {
    const auto offset = offset_of(packet_id);
    const bool is_under_way = packet_id != 0 && offset < cursor_;
    if (!is_under_way && (packet_id == 0 || offset >= resumed_end_)) return std::nullopt;
    Entry& entry = entries_[offset];
    const bool is_found =
        is_under_way ? entry.state != Delivery::settled : entry.state == Delivery::resumed;
    if (!is_found) return std::nullopt;
    return Item{&entry, first_ + offset};
  }

  /// PUBREC has come for an item that find() returned: its message is no longer needed, nor does it
  /// matter when it expires [MQTT-4.3.3-13].
  void release(Item item) {
    item.entry->state = Delivery::released;  // [MQTT-4.3.3-5] [MQTT-4.3.3-6]
    item.entry->message = Message{};
  }

  /// PUBACK, PUBCOMP or a refusing PUBREC has come for an item that find() returned.
  void settle(Item item) {
    if (item.entry->state != Delivery::resumed) --in_flight_;
    item.entry->state = Delivery::settled;
    if (item.sequence != first_) item.entry->message = Message{};
    trim();
  }

  /// The connection is gone: everything under way is to be sent again, in the same order.
  void rewind() {
    owes_releases_ = false;
    const auto end = std::max(cursor_, resumed_end_);
    for (std::uint32_t i = 0; i < end; ++i) {  // [MQTT-4.4.0-1] [MQTT-4.6.0-1]
      Entry& entry = entries_[i];
      if (is_released(entry.state)) make_resumed(i);
      if (i < cursor_ && is_done(entry)) ++done_ahead_;
    }
    cursor_ = in_flight_ = 0;
  }

  void clear() {
    first_ += entries_.size();
    entries_.clear();
    cursor_ = in_flight_ = 0;
    done_ahead_ = resumed_end_ = 0;
    owes_releases_ = false;
  }

  /// How many are under way that the window counts.
  std::size_t in_flight() const { return in_flight_; }
  /// All entries that are not trimmed away: under way, waiting, and settled ones in between.
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  /// How many are still to be published since the last rewind().
  std::size_t waiting() const { return entries_.size() - cursor_ - done_ahead_; }
  /// The sequence number of the first that was not sent since the last rewind().
  std::uint64_t first_unsent() const { return first_ + cursor_; }
  /// The sequence number of entry 0.
  std::uint64_t first_sequence() const { return first_; }
  std::uint64_t next_sequence() const { return first_ + entries_.size(); }
  Entry& operator[](std::size_t position) { return entries_[position]; }
  const Entry& operator[](std::size_t position) const { return entries_[position]; }

 private:
  static bool is_done(const Entry& entry) { return entry.state >= Delivery::resumed; }

  /// How far behind entry 0 the oldest entry with this packet id would be.
  std::uint64_t offset_of(std::uint16_t packet_id) const {
    const std::uint16_t oldest = packet_id_of(first_);
    return packet_id - oldest + (packet_id < oldest ? kPacketIds : 0);
  }

  /// The PUBREL of the entry there is due.
  void make_resumed(std::size_t position) {
    entries_[position].state = Delivery::resumed;
    entries_[position].was_sent = false;
    owes_releases_ = true;
    resumed_end_ = std::max(resumed_end_, static_cast<std::uint32_t>(position + 1));
  }

  void trim() {
    while (!entries_.empty() && entries_.front().state == Delivery::settled) {
      entries_.pop_front();
      ++first_;
      --(cursor_ > 0 ? cursor_ : done_ahead_);
      if (resumed_end_ > 0) --resumed_end_;
    }
    if (entries_.empty()) entries_.clear();
  }

  Ring<Entry> entries_;
  std::uint64_t first_ = 1;
  std::uint32_t cursor_ = 0;       ///< entries before it are under way or settled
  std::uint32_t done_ahead_ = 0;   ///< from the cursor on: those that are not to be published
  std::uint32_t resumed_end_ = 0;  ///< none that is resumed stands behind it
  std::uint16_t in_flight_ = 0;    ///< there are no more packet ids
  bool owes_releases_ = false;
};

}  // namespace mq::session

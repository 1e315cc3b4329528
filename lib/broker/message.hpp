#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/block.hpp"
#include "base/time.hpp"
#include "storage/change.hpp"
#include "wire/packet.hpp"

namespace mq::broker {

/// A message that outlives the turn it came in: one allocation that holds everything its
/// receivers share. Immutable, but for the name that storage gives it.
class Message {
 public:
  Message() = default;

  /// Copies `publish`. Topic aliases and subscription identifiers among its properties, which
  /// belong to one connection, stay behind; so does the expiry interval, which becomes
  /// expires_at().
  ///
  /// topic      the name, also where `publish` has an alias in its place
  /// publisher  names the session it comes from, for no-local
  static Message of(const wire::Publish& publish, std::string_view topic, Instant now);
  /// A message as it was stored.
  static Message of(storage::MessageId id, const storage::Body& body, Now now);
  /// No more than the topic and the end of a message whose body is in the store only.
  static Message stub(storage::MessageId id, std::string_view topic, Instant expires_at);
  static Instant instant_of(WallTime expires_at, Now now);

  explicit operator bool() const { return static_cast<bool>(block_); }
  std::string_view topic() const { return text_of({data(), head().topic_size}); }
  wire::Properties properties() const {
    return wire::Properties({data() + head().topic_size, head().properties_size});
  }
  ByteView payload() const {
    const std::size_t before = head().topic_size + head().properties_size;
    return {data() + before, block_->size() - sizeof(Head) - before};
  }
  wire::QoS qos() const { return head().qos; }
  bool retain() const { return head().retain; }
  bool is_stub() const { return head().is_stub; }
  /// kNever without an expiry interval.
  Instant expires_at() const { return head().expires_at; }
  bool is_expired(Instant now) const { return expires_at() <= now; }
  /// Whole seconds until it expires, rounded up; nothing without an expiry interval.
  std::optional<std::uint32_t> remaining(Instant now) const;
  /// The name under which its body is stored; 0 while it is not.
  storage::MessageId stored_id() const { return head().stored_id; }
  void set_stored_id(storage::MessageId id) const {
    head().stored_id = id;
    head().is_stored_retained = false;
  }
  /// Whether it is stored as the retained message of its topic, for as long as it is that.
  bool is_stored_retained() const { return head().is_stored_retained; }
  void mark_stored_retained() const { head().is_stored_retained = true; }
  /// The memory itself, to be kept alive by whoever holds a view of it.
  const BlockRef& block() const { return block_; }

 private:
  struct Head {
    mutable Instant expires_at;
    mutable storage::MessageId stored_id;
    std::uint32_t properties_size;
    std::uint16_t topic_size;
    wire::QoS qos;
    bool retain : 1;
    bool is_stub : 1;
    mutable bool is_stored_retained : 1;
  };
  static_assert(sizeof(wire::QoS) == 1);

  const Head& head() const { return *reinterpret_cast<const Head*>(block_->bytes()); }
  const Byte* data() const { return block_->bytes() + sizeof(Head); }

  BlockRef block_;
};

inline std::string_view topic_of(const Message& message) {
  return message.topic();
}

}  // namespace mq::broker

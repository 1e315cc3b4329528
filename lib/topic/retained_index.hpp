#pragma once

#include <absl/container/btree_set.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "topic/name.hpp"

namespace mq::topic {

/// Orders topics level by level: a topic, then all below it, then its next sibling.
bool is_before(std::string_view a, std::string_view b);

/// How a topic stands to a filter, and where the next topic that may match is to be sought.
struct Step {
  bool matches = false;
  bool is_last = false;  ///< no topic from here on can match
  std::string seek;      ///< else, when not empty: nothing before it can match
};
Step step(std::string_view filter, std::string_view topic);

/// No topic before this one can match `filter`.
std::string_view start_of(std::string_view filter);

/// The last message of every topic, in the order of is_before(). A reader walks through the
/// topics that match a filter at its own pace, by the topic it saw last: what comes and goes
/// meanwhile does not disturb it.
///
/// Message  cheap to move; `topic_of(message)` gives a view that stays while the message is here
template <class Message>
class RetainedIndex {
 public:
  /// Stores a message. Returns the one that it replaces.
  std::optional<Message> put(Message message) {
    const auto it = messages_.find(topic_of(message));
    if (it == messages_.end()) {
      messages_.insert(std::move(message));
      return std::nullopt;
    }
    // The key of the entry is the new message's own topic: equal text, other memory.
    return std::exchange(const_cast<Message&>(*it), std::move(message));
  }

  /// Returns what was there.
  std::optional<Message> drop(std::string_view topic) {
    const auto it = messages_.find(topic);
    if (it == messages_.end()) return std::nullopt;
    Message dropped = *it;
    messages_.erase(it);
    return dropped;
  }

  const Message* find(std::string_view topic) const {
    const auto it = messages_.find(topic);
    return it == messages_.end() ? nullptr : &*it;
  }

  /// Calls `visit(message)` for the messages that match, until it returns false.
  ///
  /// after    the topic behind which to begin, none for the start; when the walk stops early, the
  ///          last topic that is dealt with
  /// steps    how many topics may be looked at, matching or not; counted down
  /// Returns  whether the end was reached
  template <class Visit>
  bool walk(std::string_view filter, std::optional<std::string>& after, std::size_t& steps,
            Visit visit) const {
    auto it = after ? messages_.upper_bound(std::string_view(*after))
                    : messages_.lower_bound(start_of(filter));
    std::string_view dealt_with;
    for (; it != messages_.end() && steps > 0; --steps) {
      const Step here = step(filter, topic_of(*it));
      if (here.is_last) return true;
      if (here.matches && !visit(*it)) break;
      dealt_with = topic_of(*it);
      if (here.seek.empty()) {
        ++it;
      } else {
        it = messages_.lower_bound(std::string_view(here.seek));
      }
    }
    if (it == messages_.end()) return true;
    if (dealt_with.data() != nullptr) after = std::string(dealt_with);
    return false;
  }

  std::size_t size() const { return messages_.size(); }
  auto begin() const { return messages_.begin(); }
  auto end() const { return messages_.end(); }

 private:
  struct Before {
    using is_transparent = void;
    static std::string_view key(std::string_view topic) { return topic; }
    static std::string_view key(const Message& message) { return topic_of(message); }
    bool operator()(const auto& a, const auto& b) const { return is_before(key(a), key(b)); }
  };

  absl::btree_set<Message, Before> messages_;
};

}  // namespace mq::topic

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/ring.hpp"
#include "broker/granted_options.hpp"
#include "broker/message.hpp"
#include "storage/change.hpp"
#include "topic/subscription_index.hpp"

namespace mq::broker {

/// Retained messages that a new subscription has still to be sent, in the order of topics.
struct RetainedFeed {
  topic::FilterId id;
  std::string filter;
  GrantedOptions options;
  std::uint32_t identifier = 0;
  std::optional<std::string> after{};  ///< the last topic dealt with
  std::uint64_t loading = 0;           ///< the number of the Load that is on its way; 0: none
  /// The bodies that it brought, of messages that are stubs; nothing for what the store has lost.
  absl::flat_hash_map<storage::MessageId, Message> bodies{};
  bool is_cancelled = false;
  bool is_noted = false;  ///< it is stored that there is something to feed
  bool is_again = false;  ///< when it is through, it begins once more
};

/// The feeds of one session, one after the other. However many there are, none is searched for.
class RetainedFeeds {
 public:
  bool empty() const { return feeds_.empty(); }
  RetainedFeed& front() { return feeds_.front(); }

  /// Comes last. If there is one for this filter, that one begins once more when it is through, so
  /// that it comes to its end however often somebody subscribes.
  void push(RetainedFeed feed) {
    const auto [number, is_new] = numbers_.try_emplace(feed.id, first_ + feeds_.size());
    if (is_new) {
      feeds_.push_back(std::move(feed));
      return;
    }
    RetainedFeed& known = feeds_[number->second - first_];
    known.options = feed.options;
    known.identifier = feed.identifier;
    known.is_again = known.after.has_value();
  }

  /// Of the feed for this filter, if there is one, nothing more is to be sent.
  void cancel(topic::FilterId filter) {
    const auto number = numbers_.find(filter);
    if (number == numbers_.end()) return;
    feeds_[number->second - first_].is_cancelled = true;
    numbers_.erase(number);
  }

  /// Whether there is one for this filter that is noted.
  bool has_noted(topic::FilterId filter) const {
    const auto number = numbers_.find(filter);
    return number != numbers_.end() && feeds_[number->second - first_].is_noted;
  }

  /// Calls `use(feed)` for those that are not noted, and notes them.
  template <class F>
  void note(F use) {
    for (; noted_ < feeds_.size(); ++noted_) {
      RetainedFeed& feed = feeds_[noted_];
      feed.is_noted = true;
      if (!feed.is_cancelled) use(feed);
    }
  }

  void pop_front() {
    if (!front().is_cancelled) numbers_.erase(front().id);
    feeds_.pop_front();
    ++first_;
    if (noted_ > 0) --noted_;
  }

 private:
  Ring<RetainedFeed> feeds_;
  std::uint64_t first_ = 0;                                      ///< the number of feeds_[0]
  std::size_t noted_ = 0;                                        ///< so many at the front are
  absl::flat_hash_map<topic::FilterId, std::uint64_t> numbers_;  ///< of those not cancelled
};

}  // namespace mq::broker

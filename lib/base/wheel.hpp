#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace mq {

/// What a Wheel keeps about its member; the member derives from it and leaves the wheel when it
/// is destroyed.
class WheelNode {
 public:
  WheelNode() = default;
  WheelNode(const WheelNode&) = delete;
  WheelNode& operator=(const WheelNode&) = delete;
  ~WheelNode() { leave(); }

  /// kNever when no deadline is set.
  Instant deadline() const { return at_; }

 private:
  template <class T>
  friend class Wheel;

  void leave() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
    at_ = kNever;
  }
  void join(WheelNode& list) {
    previous_ = list.previous_;
    next_ = &list;
    list.previous_->next_ = this;
    list.previous_ = this;
  }

  WheelNode* previous_ = this;
  WheelNode* next_ = this;
  Instant at_ = kNever;
};

/// Deadlines of many things, one each, that are set, moved and taken back in constant time.
/// A deadline comes due at the end of the quarter of a second that it lies in, never before it.
///
/// T  derives from WheelNode
template <class T>
class Wheel {
 public:
  /// Sets or moves the deadline of `member`; kNever takes it back.
  void set(T& member, Instant at) {
    WheelNode& node = member;
    node.leave();
    if (at == kNever) return;
    node.at_ = at;
    file(node);
  }

  /// When on_deadline() is to be called next, at the latest; kNever while nothing is set.
  Instant next() const {
    for (empty_until_ = std::max(empty_until_, done_ + 1); empty_until_ <= done_ + kSlots;
         ++empty_until_) {
      const auto& slot = slots_[empty_until_ % kSlots];
      if (slot.next_ != &slot) return Instant(kTick * static_cast<Millis::rep>(empty_until_));
    }
    return kNever;
  }

  /// Calls `due(member)` for every member whose deadline has come; it is not set any more. `due`
  /// may set deadlines and destroy members, this one among them.
  template <class Due>
  void advance(Instant now, Due due) {
    const auto last = static_cast<std::uint64_t>(now.time_since_epoch() / kTick);
    if (last <= done_) return;
    const auto first = last - done_ > kSlots ? last - kSlots + 1 : done_ + 1;
    done_ = last;
    for (auto tick = first; tick <= last; ++tick) {
      WheelNode pending;
      take_all(slots_[tick % kSlots], pending);
      while (pending.next_ != &pending) {
        WheelNode& node = *pending.next_;
        const Instant at = node.at_;
        node.leave();
        if (at <= now) {
          due(static_cast<T&>(node));
        } else {
          node.at_ = at;
          file(node);
        }
      }
    }
  }

 private:
  static constexpr Millis kTick{250};
  static constexpr std::uint64_t kSlots = 512;

  void file(WheelNode& node) {
    const auto since = node.at_.time_since_epoch() + kTick - Millis(1);
    const auto tick = std::max(static_cast<std::uint64_t>(since / kTick), done_ + 1);
    node.join(slots_[tick % kSlots]);
    // Its slot comes round before its deadline when that is further away than all the slots reach.
    empty_until_ = std::min(empty_until_, done_ + 1 + (tick - done_ - 1) % kSlots);
  }

  static void take_all(WheelNode& from, WheelNode& to) {
    if (from.next_ == &from) return;
    to.next_ = from.next_;
    to.previous_ = from.previous_;
    to.next_->previous_ = to.previous_->next_ = &to;
    from.next_ = from.previous_ = &from;
  }

  std::array<WheelNode, kSlots> slots_;
  std::uint64_t done_ = 0;  ///< the last tick that was dealt with
  /// The slots of the ticks before it, back to `done_`, are empty: next() does not look again.
  mutable std::uint64_t empty_until_ = 0;
};

}  // namespace mq

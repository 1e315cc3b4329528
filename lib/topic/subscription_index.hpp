#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_map.hpp"

namespace mq::topic {

/// Who subscribes to a filter, and how. What owner and options mean is the caller's business.
struct Subscriber {
  std::uint32_t owner = 0;
  std::uint32_t identifier = 0;  ///< the subscription identifier, 0 for none
  std::uint8_t options = 0;
};

/// Names a filter while it has subscribers.
using FilterId = std::uint32_t;
inline constexpr FilterId kNoFilter = UINT32_MAX;

/// All subscriptions of a broker: from a topic to the filters that match it, from a filter to its
/// subscribers.
///
/// Matching yields filters, not subscribers: a topic's matches are few, they fit a small cache,
/// and a client that joins a filter which others use leaves the cache as it is.
class SubscriptionIndex {
 public:
  SubscriptionIndex();
  SubscriptionIndex(const SubscriptionIndex&) = delete;
  SubscriptionIndex& operator=(const SubscriptionIndex&) = delete;

  struct Added {
    FilterId filter;
    bool is_new;  ///< false: the owner's options for this filter were replaced
  };
  /// filter  satisfies is_filter(); "$share/…" included
  Added subscribe(std::string_view filter, Subscriber subscriber);

  struct Removed {
    FilterId filter;  ///< it may be gone by now
    Subscriber subscriber;
  };
  /// Returns nothing when there was no such subscription.
  std::optional<Removed> unsubscribe(std::string_view filter, std::uint32_t owner);
  void unsubscribe(FilterId filter, std::uint32_t owner);

  /// The filters, shared ones not among them, that match `topic`: see shared_from(). Valid until
  /// the next call that is not const.
  ///
  /// steps  grows by what it takes: none for a topic seen lately, else one per level of each branch
  ///        of the trie
  std::span<const FilterId> match(std::string_view topic, std::size_t& steps);

  /// kNoFilter when nobody subscribes to it.
  FilterId find(std::string_view filter) const {
    const auto found = by_text_.find(filter);
    return found == by_text_.end() ? kNoFilter : *found;
  }

  /// By ascending owner.
  std::span<const Subscriber> subscribers(FilterId filter) const;
  std::string_view text(FilterId filter) const { return entries_[filter].text; }
  bool is_shared(FilterId filter) const { return entries_[filter].is_shared; }

  /// The first `$share/…` filter over the same plain filter, or kNoFilter; then the next one.
  FilterId shared_from(FilterId plain) const { return entries_[plain].next_shared; }
  FilterId shared_after(FilterId shared) const { return entries_[shared].next_shared; }
  /// Whose turn it is among a share's members.
  std::uint32_t turn(FilterId shared) const { return entries_[shared].turn; }
  /// The same, and from now on it is the next one's.
  std::uint32_t next_turn(FilterId shared) { return entries_[shared].turn++; }

  std::size_t size() const { return subscriptions_; }
  std::size_t shared_size() const { return shared_subscriptions_; }
  /// Of the nodes in the trie there are at most two for each filter with wildcards.
  std::size_t trie_size() const { return nodes_.size() - 1 - free_nodes_.size(); }

 private:
  using NodeId = std::uint32_t;
  using LevelId = std::uint32_t;

  struct Entry {
    std::string text;
    absl::InlinedVector<Subscriber, 1> subscribers;  ///< by ascending owner
    FilterId next_shared = kNoFilter;  ///< of a plain filter the head of its chain of shares
    FilterId plain = kNoFilter;        ///< of a shared filter the plain one it hangs on
    FilterId previous = kNoFilter;     ///< of a shared filter the one before it in the chain
    NodeId node = 0;                   ///< where it ends in the trie; the root without wildcards
    std::uint32_t turn = 0;
    bool is_shared = false;
  };

  /// Where a filter with wildcards ends, where several part, or where an edge is long. Node 0 is
  /// the root.
  struct Node {
    std::string levels;  ///< from the parent's to here, "/" between them; the root has none
    NodeId parent = 0;
    NodeId plus = 0;            ///< the child that begins with "+"; 0 for none
    FilterId here = kNoFilter;  ///< the filter that ends here
    FilterId hash = kNoFilter;  ///< the filter that ends here with "#"
    std::uint32_t children = 0;
    NodeId children_xor = 0;  ///< of one child: which
    bool is_end() const { return here != kNoFilter || hash != kNoFilter; }
  };

  struct Level {
    LevelId id = 0;
    std::uint32_t edges = 0;  ///< that begin with it
  };

  struct Route {
    std::string topic;
    std::uint64_t epoch = 0;
    std::vector<FilterId> filters;
  };

  struct TextOfFilter {
    using is_transparent = void;
    const std::vector<Entry>* entries;
    std::string_view of(FilterId id) const { return (*entries)[id].text; }
    static std::string_view of(std::string_view text) { return text; }
    std::size_t operator()(auto key) const { return TextHash()(of(key)); }
    bool operator()(auto a, auto b) const { return of(a) == of(b); }
  };

  FilterId find_or_create(std::string_view filter);
  FilterId create(std::string_view filter);
  void remove_if_unused(FilterId filter);
  void unlink_share(FilterId shared);
  NodeId trie_insert(std::string_view filter);
  void trie_remove(const Entry& entry);
  /// Returns how many steps it took.
  std::size_t trie_match(std::string_view topic, std::vector<FilterId>& out) const;
  /// The child whose first level is that of `path`; 0 for none.
  NodeId child(NodeId parent, std::string_view path) const;
  /// A new node between this one and its parent, to which the first `size` bytes of its levels
  /// lead.
  NodeId split(NodeId node, std::size_t size);
  void hang(NodeId node, NodeId parent);
  void take_off(NodeId node);
  void free_node(NodeId node);
  Level& intern(std::string_view name);

  std::vector<Entry> entries_;
  std::vector<FilterId> free_entries_;
  absl::flat_hash_set<FilterId, TextOfFilter, TextOfFilter> by_text_;

  std::vector<Node> nodes_;
  std::vector<NodeId> free_nodes_;
  absl::flat_hash_map<std::uint64_t, NodeId> edges_;  ///< parent << 32 | a child's first level
  TextMap<Level> levels_;
  std::vector<LevelId> free_levels_;

  std::vector<Route> routes_;    ///< direct-mapped by the topic's hash
  std::vector<FilterId> found_;  ///< by the last match() that was not remembered before
  std::uint64_t epoch_ = 1;      ///< moves when a filter comes or goes
  std::size_t subscriptions_ = 0;
  std::size_t shared_subscriptions_ = 0;
};

}  // namespace mq::topic

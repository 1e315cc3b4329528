#include "topic/subscription_index.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "topic/name.hpp"

// A filter without wildcards is found by its text, in the same hash table that SUBSCRIBE and
// UNSUBSCRIBE use. The others stand in a trie whose nodes are numbers: one table holds all edges,
// keyed by parent and level, "+" and "#" are fields of the node, and level names are interned so
// that a topic's levels are hashed once however many branches are tried.
//
// "$share/GROUP/FILTER" is an entry of its own that hangs on the plain entry of FILTER; that one
// is made when need be, without subscribers, so matching knows nothing of shares.
//
// What matched a topic is remembered in a small table until a filter comes or goes.

namespace mq::topic {
namespace {

// Of the table that remembers matches, so that it stays within some 2 MiB: how many topics, and how
// long a topic and its matches may be.
constexpr std::size_t kRoutes = 4096;
constexpr std::size_t kLongestRoute = 256;
constexpr std::size_t kWidestRoute = 64;
constexpr std::uint32_t kUnknownLevel = UINT32_MAX;

std::uint64_t edge_key(std::uint32_t parent, std::uint32_t level) {
  return std::uint64_t{parent} << 32U | level;
}

auto position_of(auto& subscribers, std::uint32_t owner) {
  return std::lower_bound(subscribers.begin(), subscribers.end(), owner,
                          [](const Subscriber& s, std::uint32_t o) { return s.owner < o; });
}

/// Cuts the last level off `rest`: "a/b" gives "b" and leaves "a".
std::string_view take_last_level(std::string_view& rest) {
  const auto slash = rest.rfind('/');
  const auto level = rest.substr(slash + 1);
  rest = rest.substr(0, slash == std::string_view::npos ? 0 : slash);
  return level;
}

template <class T>
std::uint32_t take_slot(std::vector<T>& slots, std::vector<std::uint32_t>& free) {
  if (free.empty()) {
    slots.emplace_back();
    return static_cast<std::uint32_t>(slots.size() - 1);
  }
  const auto slot = free.back();
  free.pop_back();
  slots[slot] = T();
  return slot;
}

}  // namespace

SubscriptionIndex::SubscriptionIndex()
    : by_text_(0, TextOfFilter{&entries_}, TextOfFilter{&entries_}), nodes_(1), routes_(kRoutes) {}

auto SubscriptionIndex::subscribe(std::string_view filter, Subscriber subscriber) -> Added {
  const FilterId id = find_or_create(filter);
  auto& list = entries_[id].subscribers;
  const auto it = position_of(list, subscriber.owner);
  if (it != list.end() && it->owner == subscriber.owner) {
    *it = subscriber;  // [MQTT-3.8.4-3]
    return {id, false};
  }
  list.insert(it, subscriber);
  ++subscriptions_;
  if (entries_[id].is_shared) ++shared_subscriptions_;
  return {id, true};
}

auto SubscriptionIndex::unsubscribe(std::string_view filter, std::uint32_t owner)
    -> std::optional<Removed> {
  const auto found = by_text_.find(filter);
  if (found == by_text_.end()) return std::nullopt;
  const FilterId id = *found;
  const auto& list = entries_[id].subscribers;
  const auto it = position_of(list, owner);
  if (it == list.end() || it->owner != owner) return std::nullopt;
  const Removed removed{id, *it};
  unsubscribe(id, owner);
  return removed;
}

void SubscriptionIndex::unsubscribe(FilterId filter, std::uint32_t owner) {
  auto& list = entries_[filter].subscribers;
  const auto it = position_of(list, owner);
  MQ_CHECK(it != list.end() && it->owner == owner);
  list.erase(it);
  --subscriptions_;
  if (entries_[filter].is_shared) --shared_subscriptions_;
  remove_if_unused(filter);
}

std::span<const FilterId> SubscriptionIndex::match(std::string_view topic, std::size_t& steps) {
  Route& route = routes_[TextHash()(topic) % kRoutes];
  if (route.epoch == epoch_ && route.topic == topic) return route.filters;
  found_.clear();
  if (const auto exact = by_text_.find(topic); exact != by_text_.end()) {
    if (!entries_[*exact].is_shared) found_.push_back(*exact);
  }
  steps += trie_match(topic, found_);
  if (topic.size() > kLongestRoute || found_.size() > kWidestRoute) return found_;
  route.topic = topic;
  route.epoch = epoch_;
  route.filters.assign(found_.begin(), found_.end());
  return route.filters;
}

std::span<const Subscriber> SubscriptionIndex::subscribers(FilterId filter) const {
  return entries_[filter].subscribers;
}

FilterId SubscriptionIndex::find_or_create(std::string_view filter) {
  if (const auto found = by_text_.find(filter); found != by_text_.end()) return *found;
  const auto share = share_of(filter);
  if (!share) return create(filter);
  const FilterId plain = find_or_create(share->filter);
  const FilterId shared = create(filter);
  Entry& entry = entries_[shared];
  entry.plain = plain;
  entry.previous = plain;
  entry.next_shared = entries_[plain].next_shared;
  if (entry.next_shared != kNoFilter) entries_[entry.next_shared].previous = shared;
  entries_[plain].next_shared = shared;
  return shared;
}

FilterId SubscriptionIndex::create(std::string_view filter) {
  const FilterId id = take_slot(entries_, free_entries_);
  entries_[id].text = filter;
  entries_[id].is_shared = share_of(filter).has_value();
  by_text_.insert(id);
  if (!entries_[id].is_shared && has_wildcard(filter)) {
    const NodeId node = trie_insert(filter);
    entries_[id].node = node;
    (filter.ends_with('#') ? nodes_[node].hash : nodes_[node].here) = id;
  }
  ++epoch_;
  return id;
}

void SubscriptionIndex::remove_if_unused(FilterId filter) {
  Entry& entry = entries_[filter];
  if (!entry.subscribers.empty()) return;
  if (!entry.is_shared && entry.next_shared != kNoFilter) return;
  const FilterId plain = entry.plain;
  if (entry.is_shared) unlink_share(filter);
  if (!entry.is_shared && has_wildcard(entry.text)) trie_remove(entry);
  by_text_.erase(filter);
  entry = Entry();
  free_entries_.push_back(filter);
  ++epoch_;
  if (plain != kNoFilter) remove_if_unused(plain);
}

void SubscriptionIndex::unlink_share(FilterId shared) {
  const Entry& entry = entries_[shared];
  entries_[entry.previous].next_shared = entry.next_shared;
  if (entry.next_shared != kNoFilter) entries_[entry.next_shared].previous = entry.previous;
}

SubscriptionIndex::NodeId SubscriptionIndex::trie_insert(std::string_view filter) {
  NodeId node = 0;
  for (std::string_view rest = filter; rest.data() != nullptr;) {
    const auto level = take_level(rest);
    if (level == "#") break;
    node = child(node, level);
  }
  return node;
}

SubscriptionIndex::NodeId SubscriptionIndex::child(NodeId parent, std::string_view level) {
  if (level == "+") {
    if (nodes_[parent].plus == 0) {
      const NodeId node = add_node(parent);
      nodes_[parent].plus = node;
    }
    return nodes_[parent].plus;
  }
  Level& named = intern(level);
  const auto [edge, is_new] = edges_.try_emplace(edge_key(parent, named.id), 0);
  if (is_new) {
    edge->second = add_node(parent);
    ++named.edges;
  }
  return edge->second;
}

SubscriptionIndex::NodeId SubscriptionIndex::add_node(NodeId parent) {
  const NodeId node = take_slot(nodes_, free_nodes_);
  nodes_[node].parent = parent;
  ++nodes_[parent].children;
  return node;
}

SubscriptionIndex::Level& SubscriptionIndex::intern(std::string_view name) {
  const auto [level, is_new] = levels_.try_emplace(name);
  if (is_new && free_levels_.empty()) {
    level->second.id = static_cast<LevelId>(levels_.size() - 1);
  } else if (is_new) {
    level->second.id = free_levels_.back();
    free_levels_.pop_back();
  }
  return level->second;
}

void SubscriptionIndex::trie_remove(const Entry& entry) {
  std::string_view rest = entry.text;
  NodeId node = entry.node;
  if (rest.ends_with('#')) {
    nodes_[node].hash = kNoFilter;
    take_last_level(rest);
  } else {
    nodes_[node].here = kNoFilter;
  }
  while (node != 0) {
    const Node& leaf = nodes_[node];
    if (leaf.children > 0 || leaf.here != kNoFilter || leaf.hash != kNoFilter) return;
    const NodeId parent = leaf.parent;
    remove_edge(parent, take_last_level(rest));
    --nodes_[parent].children;
    free_nodes_.push_back(node);
    node = parent;
  }
}

void SubscriptionIndex::remove_edge(NodeId parent, std::string_view level) {
  if (level == "+") {
    nodes_[parent].plus = 0;
    return;
  }
  const auto named = levels_.find(level);
  edges_.erase(edge_key(parent, named->second.id));
  if (--named->second.edges > 0) return;
  free_levels_.push_back(named->second.id);
  levels_.erase(named);
}

std::size_t SubscriptionIndex::trie_match(std::string_view topic,
                                          std::vector<FilterId>& out) const {
  if (edges_.empty() && nodes_[0].plus == 0 && nodes_[0].hash == kNoFilter) return 0;
  std::array<LevelId, kMaximumLevels> levels;
  std::size_t depth = 0;
  for (std::string_view rest = topic; rest.data() != nullptr && depth < levels.size();) {
    const auto found = levels_.find(take_level(rest));
    levels[depth++] = found == levels_.end() ? kUnknownLevel : found->second.id;
  }

  struct Step {
    NodeId node;
    std::uint32_t depth;
  };
  std::vector<Step> steps{{0, 0}};
  std::size_t taken = 0;
  const bool is_reserved = topic.starts_with('$');  // [MQTT-4.7.2-1]
  for (; !steps.empty(); ++taken) {
    const Step step = steps.back();
    steps.pop_back();
    const Node& node = nodes_[step.node];
    const bool wildcards = !(step.depth == 0 && is_reserved);
    if (wildcards && node.hash != kNoFilter) out.push_back(node.hash);
    if (step.depth == depth) {
      if (node.here != kNoFilter) out.push_back(node.here);
      continue;
    }
    if (wildcards && node.plus != 0) steps.push_back({node.plus, step.depth + 1});
    if (levels[step.depth] == kUnknownLevel) continue;
    const auto edge = edges_.find(edge_key(step.node, levels[step.depth]));
    if (edge != edges_.end()) steps.push_back({edge->second, step.depth + 1});
  }
  return taken;
}

}  // namespace mq::topic

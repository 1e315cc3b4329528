#include "topic/subscription_index.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "topic/name.hpp"

// A filter without wildcards is found by its text, in the same hash table that SUBSCRIBE and
// UNSUBSCRIBE use. The others stand in a trie whose nodes are numbers: there is one where a filter
// ends, and where several part, and all levels between two of them are one edge, so that deep
// filters cost no more than their text. An edge has up to kLongestEdge bytes, or one level: who
// parts from a long filter, and who passes it by, has not to do with all of it. One table holds all
// edges, keyed by parent and first level, "+" and "#" are fields of the node, and first levels are
// interned so that a topic's levels are hashed once however many branches are tried.
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
constexpr std::size_t kLongestEdge = 512;

std::uint64_t edge_key(std::uint32_t parent, std::uint32_t level) {
  return std::uint64_t{parent} << 32U | level;
}

auto position_of(auto& subscribers, std::uint32_t owner) {
  return std::lower_bound(subscribers.begin(), subscribers.end(), owner,
                          [](const Subscriber& s, std::uint32_t o) { return s.owner < o; });
}

/// The levels of a filter without the "#"; no data() when there are none.
std::string_view path_of(std::string_view filter) {
  if (filter == "#") return {};
  if (filter.ends_with("/#")) filter.remove_suffix(2);
  return filter;
}

/// The size of what two paths have in common, in whole levels; the first one is.
std::size_t common_size(std::string_view a, std::string_view b) {
  const auto size = static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  const auto ends = [size](std::string_view path) {
    return size == path.size() || path[size] == '/';
  };
  return ends(a) && ends(b) ? size : a.substr(0, size).rfind('/');
}

/// As much of a path as one edge may have.
std::string_view edge_of(std::string_view path) {
  if (path.size() <= kLongestEdge) return path;
  const auto end = path.rfind('/', kLongestEdge);
  return end == std::string_view::npos ? take_level(path) : path.substr(0, end);
}

/// Cuts the first level off a filter's path when it matches that of a topic.
bool pass_level(std::string_view& path, std::string_view level) {
  const bool is_plus = path.starts_with('+');
  if (!is_plus && !path.starts_with(level)) return false;
  const std::size_t size = is_plus ? 1 : level.size();
  if (size < path.size() && path[size] != '/') return false;
  path = size < path.size() ? path.substr(size + 1) : std::string_view();
  return true;
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
  for (std::string_view rest = path_of(filter); rest.data() != nullptr;) {
    NodeId next = child(node, rest);
    if (next == 0) {
      next = take_slot(nodes_, free_nodes_);
      nodes_[next].levels = edge_of(rest);
      hang(next, node);
    }
    const auto size = common_size(nodes_[next].levels, rest);
    if (size < nodes_[next].levels.size()) next = split(next, size);
    rest = size < rest.size() ? rest.substr(size + 1) : std::string_view();
    node = next;
  }
  return node;
}

SubscriptionIndex::NodeId SubscriptionIndex::child(NodeId parent, std::string_view path) const {
  const auto level = take_level(path);
  if (level == "+") return nodes_[parent].plus;
  const auto named = levels_.find(level);
  if (named == levels_.end()) return 0;
  const auto edge = edges_.find(edge_key(parent, named->second.id));
  return edge == edges_.end() ? 0 : edge->second;
}

SubscriptionIndex::NodeId SubscriptionIndex::split(NodeId node, std::size_t size) {
  const NodeId upper = take_slot(nodes_, free_nodes_);
  const NodeId parent = nodes_[node].parent;
  take_off(node);
  nodes_[upper].levels = nodes_[node].levels.substr(0, size);
  nodes_[node].levels.erase(0, size + 1);
  hang(upper, parent);
  hang(node, upper);
  return upper;
}

void SubscriptionIndex::hang(NodeId node, NodeId parent) {
  std::string_view levels = nodes_[node].levels;
  const auto level = take_level(levels);
  if (level == "+") {
    nodes_[parent].plus = node;
  } else {
    Level& named = intern(level);
    ++named.edges;
    edges_[edge_key(parent, named.id)] = node;
  }
  nodes_[node].parent = parent;
  ++nodes_[parent].children;
  nodes_[parent].children_xor ^= node;
}

void SubscriptionIndex::take_off(NodeId node) {
  Node& parent = nodes_[nodes_[node].parent];
  --parent.children;
  parent.children_xor ^= node;
  std::string_view levels = nodes_[node].levels;
  const auto level = take_level(levels);
  if (level == "+") {
    parent.plus = 0;
    return;
  }
  const auto named = levels_.find(level);
  edges_.erase(edge_key(nodes_[node].parent, named->second.id));
  if (--named->second.edges > 0) return;
  free_levels_.push_back(named->second.id);
  levels_.erase(named);
}

void SubscriptionIndex::free_node(NodeId node) {
  nodes_[node] = Node();
  free_nodes_.push_back(node);
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

/// What nobody ends at, and nothing parts at, is a node no longer, unless the edge would be long.
void SubscriptionIndex::trie_remove(const Entry& entry) {
  NodeId node = entry.node;
  (entry.text.ends_with('#') ? nodes_[node].hash : nodes_[node].here) = kNoFilter;
  while (node != 0 && !nodes_[node].is_end() && nodes_[node].children < 2) {
    const NodeId parent = nodes_[node].parent;
    const NodeId only = nodes_[node].children_xor;
    if (only == 0) {
      take_off(node);
      free_node(node);
    } else if (nodes_[node].levels.size() + 1 + nodes_[only].levels.size() <= kLongestEdge) {
      take_off(only);
      take_off(node);
      nodes_[only].levels.insert(0, nodes_[node].levels + '/');
      hang(only, parent);
      free_node(node);
    }
    node = parent;
  }
}

std::size_t SubscriptionIndex::trie_match(std::string_view topic,
                                          std::vector<FilterId>& out) const {
  if (edges_.empty() && nodes_[0].plus == 0 && nodes_[0].hash == kNoFilter) return 0;
  struct TopicLevel {
    std::string_view name;
    LevelId id;
  };
  absl::InlinedVector<TopicLevel, 16> levels;
  for (std::string_view rest = topic; rest.data() != nullptr && levels.size() < kMaximumLevels;) {
    const auto name = take_level(rest);
    const auto found = levels_.find(name);
    levels.push_back({name, found == levels_.end() ? kUnknownLevel : found->second.id});
  }

  struct Step {
    NodeId node;
    std::uint32_t depth;
  };
  absl::InlinedVector<Step, 16> steps{{0, 0}};
  std::size_t taken = 0;
  // To a child whose first level matches.
  const auto descend = [&](NodeId child, std::uint32_t depth) {
    std::string_view rest = nodes_[child].levels;
    take_level(rest);
    for (++depth, ++taken; rest.data() != nullptr; ++depth, ++taken) {
      if (depth == levels.size() || !pass_level(rest, levels[depth].name)) return;
    }
    steps.push_back({child, depth});
  };
  const bool is_reserved = topic.starts_with('$');  // [MQTT-4.7.2-1]
  while (!steps.empty()) {
    const Step step = steps.back();
    steps.pop_back();
    const Node& node = nodes_[step.node];
    const bool wildcards = !(step.depth == 0 && is_reserved);
    if (wildcards && node.hash != kNoFilter) out.push_back(node.hash);
    if (step.depth == levels.size()) {
      if (node.here != kNoFilter) out.push_back(node.here);
      continue;
    }
    if (wildcards && node.plus != 0) descend(node.plus, step.depth);
    if (levels[step.depth].id == kUnknownLevel) continue;
    const auto edge = edges_.find(edge_key(step.node, levels[step.depth].id));
    if (edge != edges_.end()) descend(edge->second, step.depth);
  }
  return taken;
}

}  // namespace mq::topic

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/prng.hpp"
#include "topic/name.hpp"
#include "topic/retained_index.hpp"
#include "topic/subscription_index.hpp"

using namespace mq;
using namespace mq::topic;

namespace {

const std::vector<std::string> kShort{"a", "b", "ab", "a!", "", "$x", "0"};
/// Several of them are too long for one edge of the trie.
const std::vector<std::string> kLong{std::string(250, 'l'), std::string(260, 'l'), "a", "",
                                     std::string(700, 'l')};

std::string random_topic(Prng& prng, const std::vector<std::string>& levels = kShort) {
  std::string text;
  const auto names = prng.chance(1, 2) ? levels.size() : 2;  // with few of them many begin alike
  for (auto depth = prng.below(6) + 1; depth > 0; --depth) {
    text += levels[prng.below(names)];
    if (depth > 1) text += '/';
  }
  return text.empty() ? "a" : text;
}

std::string random_filter(Prng& prng, const std::vector<std::string>& levels = kShort) {
  std::string out;
  const std::string base = random_topic(prng, levels);
  for (std::string_view rest = base; rest.data() != nullptr;) {
    const auto level = take_level(rest);
    if (prng.chance(1, 8)) return out + "#";
    out += prng.chance(1, 4) ? "+" : std::string(level);
    if (rest.data() != nullptr) out += '/';
  }
  return out;
}

std::set<std::string> matching(SubscriptionIndex& index, std::string_view topic) {
  std::set<std::string> found;
  std::size_t steps = 0;
  for (const auto id : index.match(topic, steps)) {
    if (!index.subscribers(id).empty()) found.emplace(index.text(id));
    for (auto s = index.shared_from(id); s != kNoFilter; s = index.shared_after(s)) {
      found.emplace(index.text(s));
    }
  }
  return found;
}

struct Text {
  std::string topic;
  int value = 0;
};
std::string_view topic_of(const Text& text) {
  return text.topic;
}

std::vector<std::string> walk(const RetainedIndex<Text>& index, std::string_view filter) {
  std::vector<std::string> found;
  std::optional<std::string> after;
  std::size_t steps = SIZE_MAX;
  index.walk(filter, after, steps, [&](const Text& text) {
    found.push_back(text.topic);
    return true;
  });
  return found;
}

}  // namespace

TEST_CASE("the subscription index agrees with matches() through random comings and goings") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    const auto& levels = seed % 3 == 0 ? kLong : kShort;
    SubscriptionIndex index;
    std::map<std::pair<std::string, std::uint32_t>, bool> model;
    for (int step = 0; step < 400; ++step) {
      const auto owner = static_cast<std::uint32_t>(prng.below(5));
      auto filter = random_filter(prng, levels);
      if (prng.chance(1, 4)) filter = "$share/g" + std::to_string(prng.below(2)) + "/" + filter;
      if (!is_filter(filter)) continue;
      if (prng.chance(3, 5)) {
        const auto added = index.subscribe(filter, {owner, 0, 0});
        CHECK(added.is_new == !model.contains({filter, owner}));
        model[{filter, owner}] = true;
      } else {
        CHECK(index.unsubscribe(filter, owner).has_value() == (model.erase({filter, owner}) > 0));
      }
      CHECK(index.size() == model.size());
      const auto topic = random_topic(prng, levels);
      std::set<std::string> expected;
      std::size_t most_nodes = 2 * model.size();
      for (const auto& [key, present] : model) {
        most_nodes += key.first.size() / 256;
        const auto share = share_of(key.first);
        if (matches(share ? share->filter : key.first, topic)) expected.insert(key.first);
      }
      CAPTURE(topic);
      CHECK(matching(index, topic) == expected);
      CHECK(matching(index, topic) == expected);  // remembered
      CHECK(index.trie_size() <= most_nodes);
    }
    for (const auto& [key, present] : model) CHECK(index.unsubscribe(key.first, key.second));
    CHECK(index.trie_size() == 0);
  }
}

TEST_CASE("who parts from a deep filter at each level, and leaves, leaves nothing behind") {
  SubscriptionIndex index;
  std::string deep = "+";
  for (std::size_t i = 1; i < kMaximumLevels; ++i) deep += i % 2 == 0 ? "/+" : "/a";
  index.subscribe(deep, {1, 0, 0});
  CHECK(index.trie_size() == 1);
  std::vector<std::string> others;
  for (std::size_t end = deep.rfind('/'); end != std::string::npos;
       end = deep.rfind('/', end - 1)) {
    others.push_back(deep.substr(0, end) + "/b");
  }
  for (const auto& other : others) index.subscribe(other, {2, 0, 0});
  CHECK(index.trie_size() == 2 * others.size() + 1);
  for (const auto& other : others) CHECK(index.unsubscribe(other, 2));
  CHECK(index.trie_size() == 1);
  std::string topic = deep;
  std::ranges::replace(topic, '+', 'x');
  CHECK(matching(index, topic) == std::set{deep});
  CHECK(index.unsubscribe(deep, 1));
  CHECK(index.trie_size() == 0);
}

TEST_CASE("a long level is an edge of its own, which nobody has to move or to look at") {
  SubscriptionIndex index;
  const std::string name(60'000, 'l');
  index.subscribe("+/a/" + name, {1, 0, 0});
  CHECK(index.trie_size() == 2);
  index.subscribe("+/a", {2, 0, 0});
  CHECK(index.trie_size() == 2);
  CHECK(index.unsubscribe("+/a", 2));
  CHECK(index.trie_size() == 2);
  CHECK(matching(index, "b/a/" + name) == std::set{"+/a/" + name});
  CHECK(matching(index, "b/a/" + name + "l").empty());
  CHECK(index.unsubscribe("+/a/" + name, 1));
  CHECK(index.trie_size() == 0);
}

TEST_CASE("subscribers stand in the order of their owners and keep their last options") {
  SubscriptionIndex index;
  index.subscribe("a", {7, 1, 2});
  index.subscribe("a", {3, 0, 1});
  const auto id = index.subscribe("a", {7, 5, 0}).filter;
  const auto list = index.subscribers(id);
  REQUIRE(list.size() == 2);
  CHECK(list[0].owner == 3);
  CHECK(list[1].owner == 7);
  CHECK(list[1].identifier == 5);
  CHECK(list[1].options == 0);
}

TEST_CASE("turns within a share count up") {
  SubscriptionIndex index;
  const auto id = index.subscribe("$share/g/a", {1, 0, 0}).filter;
  CHECK(index.is_shared(id));
  CHECK(index.next_turn(id) == 0);
  CHECK(index.next_turn(id) == 1);
  CHECK(index.shared_size() == 1);
}

TEST_CASE("the retained index agrees with matches() for random topics and filters") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    RetainedIndex<Text> index;
    std::set<std::string> model;
    for (int step = 0; step < 200; ++step) {
      const auto topic = random_topic(prng);
      if (prng.chance(3, 4)) {
        CHECK(index.put({topic, step}).has_value() == !model.insert(topic).second);
        CHECK(index.find(topic)->value == step);
      } else {
        CHECK(index.drop(topic).has_value() == (model.erase(topic) > 0));
        CHECK(index.find(topic) == nullptr);
      }
      const auto filter = random_filter(prng);
      CAPTURE(filter);
      std::set<std::string> expected;
      for (const auto& name : model) {
        if (matches(filter, name)) expected.insert(name);
      }
      const auto found = walk(index, filter);
      CHECK(std::set<std::string>(found.begin(), found.end()) == expected);
      CHECK(found.size() == expected.size());
      CHECK(std::is_sorted(found.begin(), found.end(),
                           [](const auto& a, const auto& b) { return is_before(a, b); }));
    }
  }
}

TEST_CASE("a walk goes on behind the topic it stopped at, whatever changed meanwhile") {
  RetainedIndex<Text> index;
  for (const auto* topic : {"a", "a/b", "a/c", "a!", "b"}) index.put({topic, 0});
  std::vector<std::string> seen;
  const auto take_two = [&](const Text& text) {
    if (seen.size() == 2) return false;
    seen.push_back(text.topic);
    return true;
  };
  std::optional<std::string> after;
  std::size_t steps = SIZE_MAX;
  CHECK_FALSE(index.walk("#", after, steps, take_two));
  CHECK(seen == std::vector<std::string>{"a", "a/b"});
  CHECK(after == "a/b");
  index.drop("a/b");
  index.put({"a/bb", 0});
  index.put({"a", 1});
  seen.clear();
  CHECK_FALSE(index.walk("#", after, steps, take_two));
  CHECK(seen == std::vector<std::string>{"a/bb", "a/c"});
  seen.clear();
  CHECK(index.walk("#", after, steps, take_two));
  CHECK(seen == std::vector<std::string>{"a!", "b"});
}

TEST_CASE("a walk looks at no more topics than it may, whether they match or not") {
  RetainedIndex<Text> index;
  for (int i = 0; i < 100; ++i) index.put({"a/" + std::to_string(i), 0});
  index.put({"a/x/y", 0});
  std::optional<std::string> after;
  std::size_t visited = 0;
  int walks = 0;
  std::size_t steps = 0;
  do {
    ++walks;
    steps = 10;
  } while (!index.walk("a/+/y", after, steps, [&](const Text&) { return ++visited > 0; }));
  CHECK(visited == 1);
  CHECK(walks >= 10);
}

TEST_CASE("walking a filter seeks past what cannot match") {
  RetainedIndex<Text> index;
  for (int i = 0; i < 1000; ++i) index.put({"a/" + std::to_string(i) + "/x", 0});
  index.put({"a/5/y", 0});
  index.put({"z", 0});
  CHECK(walk(index, "a/5/+").size() == 2);
  CHECK(walk(index, "a/+/y") == std::vector<std::string>{"a/5/y"});
  CHECK(walk(index, "+") == std::vector<std::string>{"z"});
  const Step far = step("z", "a/1/x");
  CHECK_FALSE(far.matches);
  CHECK(far.seek == "z");
  CHECK(step("a", "b").is_last);
}

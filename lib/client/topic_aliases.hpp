#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Topic aliases (MQTT 5.0 §3.3.2.3.4). They live as long as a connection.
namespace mq::client {

/// What the other side's numbers stand for.
class AliasesIn {
 public:
  /// alias  checked: not 0, nor above the maximum that we named
  void put(std::uint32_t alias, std::string_view topic) {
    if (topics_.size() < alias) topics_.resize(alias);
    topics_[alias - 1] = topic;
  }
  /// Nothing for a number that was never given a topic.
  std::optional<std::string_view> find(std::uint32_t alias) const {
    if (alias == 0 || alias > topics_.size() || topics_[alias - 1].empty()) return std::nullopt;
    return topics_[alias - 1];
  }
  void clear() { topics_.clear(); }

 private:
  std::vector<std::string> topics_;
};

/// Our own numbers: the first topics that come get one, as many as the other side allows.
class AliasesOut {
 public:
  struct Alias {
    std::uint16_t number;
    bool is_new;  ///< the topic must still go along
  };

  std::optional<Alias> take(std::string_view topic, std::uint16_t maximum) {
    if (maximum == 0) return std::nullopt;
    if (const auto it = numbers_.find(topic); it != numbers_.end()) {
      return Alias{it->second, false};
    }
    if (numbers_.size() >= maximum) return std::nullopt;
    const auto number = static_cast<std::uint16_t>(numbers_.size() + 1);
    numbers_.emplace(topic, number);
    return Alias{number, true};
  }
  void clear() { numbers_.clear(); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::unordered_map<std::string, std::uint16_t, Hash, std::equal_to<>> numbers_;
};

}  // namespace mq::client

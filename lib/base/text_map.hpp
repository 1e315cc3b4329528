#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace mq {

/// Hashes text with a seed that differs from run to run, so that nobody can aim for collisions.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return absl::Hash<absl::string_view>()({text.data(), text.size()});
  }
};

struct TextEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

/// From text to anything. Its order differs from run to run: never let it reach an output.
template <class Value>
using TextMap = absl::flat_hash_map<std::string, Value, TextHash, TextEqual>;

}  // namespace mq

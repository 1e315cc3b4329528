#include "base/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

// The distance is the usual one, letters inserted, dropped or replaced, with one addition: two
// neighbours swapped count as one slip, because that is what fingers do. Only the last three rows
// of the table are kept.

namespace mq {
namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> names) {
  std::string_view best;
  std::size_t best_distance = 0;
  for (const std::string_view name : names) {
    const std::size_t farthest = std::max<std::size_t>(1, name.size() / 3);
    // Each letter that one has more than the other is a slip; a word from a file may be huge.
    const auto [shorter, longer] = std::minmax({word.size(), name.size()});
    if (longer - shorter > farthest) continue;
    const std::size_t far = distance(word, name);
    if (far > farthest) continue;
    if (!best.empty() && far >= best_distance) continue;
    best = name;
    best_distance = far;
  }
  return best;
}

}  // namespace mq

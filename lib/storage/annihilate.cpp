#include "storage/annihilate.hpp"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <tuple>

namespace mq::storage {
namespace {

/// What is put and dropped by number, within a session.
enum class Kind : std::uint8_t { queued, incoming };
using Key = std::tuple<Kind, std::string_view, std::uint64_t>;

struct Put {
  std::size_t at = 0;
  std::size_t released_at = 0;  ///< 0: it was not
};

class Search {
 public:
  explicit Search(std::size_t count) : is_void_(count, false) {}

  void look_at(std::size_t index, const Change& change) {
    if (const auto* put = std::get_if<PutQueued>(&change)) {
      puts_[{Kind::queued, put->client_id, put->sequence}] = {.at = index};
    } else if (const auto* release = std::get_if<ReleaseQueued>(&change)) {
      const auto found = puts_.find({Kind::queued, release->client_id, release->sequence});
      if (found != puts_.end()) found->second.released_at = index;
    } else if (const auto* drop = std::get_if<DropQueued>(&change)) {
      undo({Kind::queued, drop->client_id, drop->sequence}, index);
    } else if (const auto* taken = std::get_if<PutIncoming>(&change)) {
      puts_[{Kind::incoming, taken->client_id, taken->packet_id}] = {.at = index};
    } else if (const auto* freed = std::get_if<DropIncoming>(&change)) {
      undo({Kind::incoming, freed->client_id, freed->packet_id}, index);
    }
  }
  std::vector<bool> result() && { return std::move(is_void_); }

 private:
  void undo(const Key& key, std::size_t index) {
    const auto found = puts_.find(key);
    if (found == puts_.end()) return;
    is_void_[index] = is_void_[found->second.at] = true;
    if (found->second.released_at != 0) is_void_[found->second.released_at] = true;
    puts_.erase(found);
  }

  std::vector<bool> is_void_;
  absl::flat_hash_map<Key, Put> puts_;
};

}  // namespace

std::vector<bool> annihilated(const std::vector<Change>& changes) {
  const auto undoes = [](const Change& change) {
    return std::holds_alternative<DropQueued>(change) ||
           std::holds_alternative<DropIncoming>(change);
  };
  if (std::ranges::none_of(changes, undoes)) return std::vector<bool>(changes.size(), false);
  Search search(changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) search.look_at(i, changes[i]);
  return std::move(search).result();
}

}  // namespace mq::storage

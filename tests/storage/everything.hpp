#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/change.hpp"

namespace mq::support {

inline std::vector<Byte> bytes(std::string_view text) {
  const auto view = bytes_of(text);
  return {view.begin(), view.end()};
}

/// Everything that a store can hold, once.
inline std::vector<storage::Change> everything() {
  using namespace storage;
  const Body body{.topic = "home/bedroom/temp",
                  .properties = bytes("\x01\x01"),
                  .payload = bytes(std::string_view("\0\xFF 19", 5)),
                  .qos = 2,
                  .retain = true,
                  .expires_at = WallTime(std::chrono::microseconds(1'234'567'890'123'456))};
  return {PutSession{"james bond", 3600, kAwake},
          PutWill{"james bond", {"will", bytes("p"), bytes("gone"), 1, true, Seconds(7)}},
          PutSubscription{"james bond", "home/+/temp", 268'435'455, 13},
          PutMessage{1, body},
          PutMessage{2, {.topic = "empty", .properties = {}, .payload = {}}},
          PutMessage{3, {.topic = "alone", .properties = bytes("p"), .payload = bytes("12345678")}},
          PutQueued{"james bond", UINT64_MAX >> 1U, 1, 2, 1, UINT32_MAX, 5},
          PutQueued{"james bond", 6, 3, 1, 0, 0, 8},
          PutQueued{"james bond", 5, 2, 1, 0, 0},
          PutIncoming{"james bond", 65'535},
          PutSession{"\xC3\xBC", UINT32_MAX, WallTime(std::chrono::microseconds(99)), 6},
          PutQueued{"\xC3\xBC", 5, 2, 1, 0, 0},
          PutRetained{"home/bedroom/temp", 1, body.expires_at, {2, "james", "james bond"}}};
}

}  // namespace mq::support

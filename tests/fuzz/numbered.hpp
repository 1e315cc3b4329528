#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace mq::fuzz {

/// Messages that carry a number, which says what they have to be wherever they arrive.
class Numbered {
 public:
  /// No payload begins with it but those that are numbered.
  static constexpr Byte kStamp = 0xFE;

  /// Numbers a message. Returns its payload.
  std::vector<Byte> add(std::string topic, std::size_t size) {
    messages_.push_back({std::move(topic), std::max(size, kStampSize)});
    return payload_of(messages_.size() - 1);
  }
  std::size_t size() const { return messages_.size(); }
  std::vector<Byte> payload_of(std::size_t number) const {
    std::vector<Byte> payload(messages_[number].size, fill_of(number));
    payload[0] = kStamp;
    payload[1] = static_cast<Byte>(number >> 8U);
    payload[2] = static_cast<Byte>(number);
    return payload;
  }
  const std::string& topic_of(std::size_t number) const { return messages_[number].topic; }

  /// The number of a message that has arrived; nothing when it has none.
  std::optional<std::size_t> check(std::string_view topic, ByteView payload) const {
    if (payload.empty() || payload[0] != kStamp) return std::nullopt;
    MQ_CHECK(payload.size() >= kStampSize);
    const auto number = static_cast<std::size_t>(payload[1]) << 8U | payload[2];
    MQ_CHECK(number < messages_.size());
    MQ_CHECK(messages_[number].topic == topic);
    MQ_CHECK(payload.size() == messages_[number].size);
    MQ_CHECK(is_filled_with(fill_of(number), payload.subspan(kStampSize)));
    return number;
  }

 private:
  static constexpr std::size_t kStampSize = 3;

  static Byte fill_of(std::size_t number) { return static_cast<Byte>(number % 251); }
  /// Each byte like the first, by one call: payloads may be long.
  static bool is_filled_with(Byte fill, ByteView bytes) {
    return bytes.empty() ||
           (bytes[0] == fill && std::memcmp(bytes.data(), &bytes.data()[1], bytes.size() - 1) == 0);
  }

  struct Message {
    std::string topic;
    std::size_t size;  ///< of the payload
  };

  std::vector<Message> messages_;
};

}  // namespace mq::fuzz

#include "wire/skimmer.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "wire/framer.hpp"

namespace mq::wire {

void Skimmer::feed(ByteView bytes) {
  MQ_CHECK(input_.empty());
  input_ = bytes;
}

std::expected<std::optional<FrameStart>, Fault> Skimmer::next(std::size_t maximum_size) {
  if (come_ == 0) {
    start_ = {};
    const auto length = frame_length(input_, maximum_size);
    if (!length) return std::unexpected(length.error());
    if (*length && **length <= input_.size()) {
      const ByteView frame = input_.first(**length);
      input_ = input_.subspan(**length);
      return FrameStart{frame, frame.size()};
    }
  }
  while (true) {
    const auto length = frame_length(start_, maximum_size);
    if (!length) return std::unexpected(length.error());
    if (*length && come_ == **length) {
      come_ = 0;
      return FrameStart{start_, **length};
    }
    if (input_.empty()) return std::nullopt;
    skim(*length ? std::min(**length - come_, input_.size()) : 1);
  }
}

void Skimmer::skim(std::size_t size) {
  const std::size_t kept = std::min(size, kMostSkimmed - start_.size());
  start_.insert(start_.end(), input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(kept));
  come_ += size;
  input_ = input_.subspan(size);
}

}  // namespace mq::wire

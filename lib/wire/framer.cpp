#include "wire/framer.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "wire/faults.hpp"

// A frame that lies whole in what was fed is yielded where it is. When the fed bytes end in the
// middle of one, there are two cases: its length is not known yet, then its two to four bytes are
// kept in the Framer itself; or it is known, then a block is set aside, and what comes later is
// copied (or read by the driver) to its end. The block has the size of the frame at last; before,
// it has room for a few times what has come. Either way nothing is looked at twice.

namespace mq::wire {

namespace {

constexpr std::size_t kLengthBytes = 4;
/// Below it, a tail is filled by copying from the buffer that everyone reads into.
constexpr std::size_t kLongTail = 32 * 1024;
constexpr std::size_t kSmallestBlock = 4096;
/// So many times what has come of a frame may be set aside for it.
constexpr std::size_t kGrowth = 4;

std::size_t block_size(std::size_t length, std::size_t come) {
  return std::min(length, std::max(kSmallestBlock, kGrowth * come));
}

}  // namespace

std::expected<std::optional<std::size_t>, Fault> frame_length(ByteView bytes,
                                                              std::size_t maximum_size) {
  std::size_t length = 0;
  for (std::size_t i = 1; i <= kLengthBytes; ++i) {
    if (i >= bytes.size()) return std::nullopt;
    length |= static_cast<std::size_t>(bytes[i] & 0x7FU) << 7U * (i - 1);
    if (bytes[i] < 0x80) {
      length += i + 1;
      if (length > maximum_size) return std::unexpected(fault::kTooLarge);
      return length;
    }
  }
  return std::unexpected(fault::kLongInteger);  // [MQTT-1.5.5-1]
}

void Framer::feed(ByteView bytes) {
  MQ_CHECK(input_.empty());
  if (state() == State::yielded) block_ = BlockRef();
  input_ = bytes;
}

std::expected<std::optional<ByteView>, Fault> Framer::next_long(std::size_t maximum_size) {
  if (block_ || filled_ > 0) return gather(maximum_size);
  const auto length = frame_length(input_, maximum_size);
  if (!length) return std::unexpected(length.error());
  if (*length && **length <= input_.size()) [[likely]] {
    const ByteView frame = input_.first(**length);
    input_ = input_.subspan(**length);
    return frame;
  }
  if (*length) {
    start_block(**length, input_, 0);
  } else {
    std::ranges::copy(input_, header_.begin());
    filled_ = static_cast<std::uint32_t>(input_.size());
  }
  input_ = {};
  return std::nullopt;
}

std::expected<std::optional<ByteView>, Fault> Framer::gather(std::size_t maximum_size) {
  if (state() == State::yielded) {
    block_ = BlockRef();
    return next(maximum_size);
  }
  if (state() == State::gathering) return fill();
  std::array<Byte, kLengthBytes + 1> start{};
  const auto rest = std::ranges::copy_n(header_.begin(), filled_, start.begin()).out;
  const std::size_t taken =
      std::min<std::size_t>(input_.size(), static_cast<std::size_t>(start.end() - rest));
  std::ranges::copy_n(input_.begin(), static_cast<std::ptrdiff_t>(taken), rest);
  const ByteView known = ByteView(start).first(filled_ + taken);
  const auto length = frame_length(known, maximum_size);
  if (!length) return std::unexpected(length.error());
  if (!*length) {
    std::ranges::copy(known, header_.begin());
    filled_ = static_cast<std::uint32_t>(known.size());
    input_ = {};
    return std::nullopt;
  }
  const ByteView header = known.first(std::min(known.size(), **length));
  input_ = input_.subspan(header.size() - filled_);
  start_block(**length, header, input_.size());
  return fill();
}

std::optional<ByteView> Framer::fill() {
  const std::size_t size = std::min(length() - filled_, input_.size());
  if (size > block_->size() - filled_) grow(size);
  if (size > 0) std::memcpy(block_->bytes() + filled_, input_.data(), size);
  filled_ += static_cast<std::uint32_t>(size);
  input_ = input_.subspan(size);
  if (filled_ < length()) return std::nullopt;
  filled_ = 0;
  return ByteView(block_->bytes(), block_->size());
}

void Framer::start_block(std::size_t length, ByteView start, std::size_t coming) {
  block_ = BlockRef::allocate(block_size(length, start.size() + coming));
  std::memcpy(block_->bytes(), start.data(), start.size());
  filled_ = static_cast<std::uint32_t>(start.size());
}

void Framer::grow(std::size_t coming) {
  const std::size_t frame_size = length();
  const BlockRef former = std::move(block_);
  start_block(frame_size, ByteView(former->bytes(), filled_), coming);
}

std::size_t Framer::length() const {
  const auto size = std::min<std::size_t>(filled_, kLengthBytes + 1);
  return frame_length(ByteView(block_->bytes(), size), SIZE_MAX).value().value();
}

std::span<Byte> Framer::tail() {
  if (state() != State::gathering) return {};
  const std::size_t missing = block_->size() - filled_;
  if (missing < kLongTail) return {};
  return {block_->bytes() + filled_, missing};
}

void Framer::tail_filled(std::size_t size) {
  MQ_CHECK(state() == State::gathering && size <= block_->size() - filled_);
  filled_ += static_cast<std::uint32_t>(size);
}

}  // namespace mq::wire

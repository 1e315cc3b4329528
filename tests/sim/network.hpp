#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "base/bytes.hpp"
#include "base/prng.hpp"
#include "base/time.hpp"
#include "sim/faults.hpp"

namespace mq::sim {

/// One direction of a connection: bytes arrive late, in other pieces than they were sent, but in
/// order.
class Pipe {
 public:
  void send(ByteView bytes, Instant now, const Faults& faults, Prng& prng) {
    while (!bytes.empty()) {
      const auto size = Faults::strike(faults.split, prng)
                            ? std::min<std::size_t>(bytes.size(), prng.below(40) + 1)
                            : bytes.size();
      const bool is_late = Faults::strike(faults.delay, prng);
      const Millis delay(prng.below(is_late ? Faults::kLatest.count() : 10));
      last_ = std::max(last_, now + delay);
      if (!pieces_.empty() && pieces_.back().at == last_) {
        pieces_.back().bytes.insert(pieces_.back().bytes.end(), bytes.begin(),
                                    bytes.begin() + static_cast<std::ptrdiff_t>(size));
      } else {
        pieces_.push_back(
            {last_, {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}});
      }
      bytes = bytes.subspan(size);
    }
  }

  bool empty() const { return pieces_.empty(); }
  /// The rest never arrives.
  void clear() { pieces_.clear(); }
  Instant next() const { return pieces_.empty() ? kNever : pieces_.front().at; }

  /// What has arrived by now, a piece at a time; empty when there is nothing.
  std::vector<Byte> take(Instant now) {
    if (pieces_.empty() || pieces_.front().at > now) return {};
    auto bytes = std::move(pieces_.front().bytes);
    pieces_.pop_front();
    return bytes;
  }

 private:
  struct Piece {
    Instant at;
    std::vector<Byte> bytes;
  };
  std::deque<Piece> pieces_;
  Instant last_{};
};

}  // namespace mq::sim

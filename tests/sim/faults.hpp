#pragma once

#include <cstdint>

#include "base/prng.hpp"
#include "base/time.hpp"

namespace mq::sim {

/// How often what goes wrong, one time in so many; 0: never. Each seed has its own weather: some
/// kinds of trouble are absent, some come far more often than usual, so that each meets each.
struct Faults {
  explicit Faults(Prng& prng)
      : cut(draw(prng, 500)),
        vanish(draw(prng, 1500)),
        crash(draw(prng, 4000)),
        slow_commit(draw(prng, 30)),
        disk_trouble(draw(prng, 3000)),
        stall(draw(prng, 600)),
        delay(draw(prng, 20)),
        split(draw(prng, 3)),
        reload(draw(prng, 800)),
        clock_step(draw(prng, 4000)),
        stop(draw(prng, 4000)),
        // Where nothing is refused for either, more is promised.
        shortage(disk_trouble > 0 ? draw(prng, 3000) : 0),
        crowd(draw(prng, 1000)),
        newcomer(draw(prng, 300)) {}

  std::uint64_t cut;           ///< a connection ends for both
  std::uint64_t vanish;        ///< it ends for the client; the broker hears nothing
  std::uint64_t crash;         ///< the broker keeps what is on disk and starts again
  std::uint64_t slow_commit;   ///< a batch takes seconds
  std::uint64_t disk_trouble;  ///< nothing can be stored for a while
  std::uint64_t stall;         ///< a client reads nothing for a while
  std::uint64_t delay;         ///< bytes are late
  std::uint64_t split;         ///< bytes come in other pieces
  std::uint64_t reload;        ///< the broker is given its rules anew
  std::uint64_t clock_step;    ///< the wall clock jumps by an hour
  std::uint64_t stop;          ///< the broker is ended as it should be, and starts again
  std::uint64_t shortage;      ///< there is no memory to keep more for a while
  std::uint64_t crowd;         ///< strangers come, and say nothing
  std::uint64_t newcomer;      ///< somebody asks for all that is retained, and the disk is quick

  static bool strike(std::uint64_t one_in, Prng& prng) {
    return one_in > 0 && prng.chance(1, one_in);
  }

  static constexpr Millis kLatest{400};  ///< what a late byte is late by, at most
  static constexpr Millis kStall{4000};

 private:
  static std::uint64_t draw(Prng& prng, std::uint64_t usual) {
    switch (prng.below(4)) {
      case 0:
        return 0;
      case 1:
        return usual / 6 + 1;
      default:
        return usual;
    }
  }
};

}  // namespace mq::sim

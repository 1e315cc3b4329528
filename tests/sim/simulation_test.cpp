#include "sim/simulation.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <random>

using namespace mq;

namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

sim::Trouble trouble() {
  constexpr Seconds kWeek(7 * 24 * 3600);
  if (const auto weeks = number("MQ_WEEKS", 0)) {
    return {.steps = 0, .lasts = weeks * kWeek, .pause = Seconds(300), .stay = Seconds(1800)};
  }
  return {.steps = number("MQ_STEPS", sim::Trouble().steps)};
}

/// What many runs came to.
struct Sum {
  void run(std::uint64_t seed) {
    sim::Simulation simulation(seed, trouble());
    for (const auto& complaint : simulation.run()) {
      FAIL_CHECK("scripts/sim --seed ", seed, ": ", complaint);
    }
    ++runs;
    acknowledged += simulation.judge().acknowledged_count();
    arrived += simulation.judge().arrived_count();
    wills += simulation.judge().will_count();
    const auto& figures = simulation.figures();
    all.crashes += figures.crashes;
    all.stops += figures.stops;
    all.cuts += figures.cuts;
    all.vanished += figures.vanished;
    all.stalls += figures.stalls;
    all.reloads += figures.reloads;
    all.limits += figures.limits;
    all.troubles += figures.troubles;
    all.replacements += figures.replacements;
    all.takeovers += figures.takeovers;
    all.unread += figures.unread;
    all.pages += figures.pages;
    all.dropped += figures.dropped;
    all.shortages += figures.shortages;
    all.refused += figures.refused;
    all.too_large += figures.too_large;
    all.crowds += figures.crowds;
    all.last_rounds += figures.last_rounds;
    all.simulated += figures.simulated;
  }

  std::uint64_t runs = 0;
  std::size_t acknowledged = 0;
  std::size_t arrived = 0;
  std::size_t wills = 0;
  sim::Simulation::Figures all;
};

}  // namespace

TEST_CASE("through trouble, every promise is kept") {
  // MQ_SEED=17 tries one; MQ_SEEDS=5000 that many, then fresh ones until MQ_SECONDS=60 are over;
  // MQ_STEPS=100000 or MQ_WEEKS=4 makes each longer. See scripts/sim.
  Sum sum;
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + Seconds(number("MQ_SECONDS", 60));
  if (std::getenv("MQ_SEED") != nullptr) {
    sum.run(number("MQ_SEED", 0));
  } else {
    const auto seeds = number("MQ_SEEDS", 40);
    for (std::uint64_t fixed = 1; fixed <= seeds; ++fixed) sum.run(fixed);
    std::random_device fresh;
    while (Clock::now() < until) sum.run(fresh());
  }

  const auto& all = sum.all;
  MESSAGE(sum.runs, " seeds, ", all.simulated / Seconds(1),
          " simulated seconds: ", sum.acknowledged, " acknowledged, ", sum.arrived, " arrived, ",
          sum.wills, " wills, ", all.crashes, " crashes, ", all.stops, " stops, ", all.cuts,
          " cuts, ", all.vanished, " vanished, ", all.stalls, " stalls, ", all.troubles,
          " times no disk, ", all.reloads, " reloads, ", all.limits, " that took a right, ",
          all.replacements, " publishers replaced, ", all.takeovers, " sessions taken over, ",
          all.unread, " times bytes were not read at once, ", all.pages, " pages read back, ",
          all.dropped, " dropped from full queues, ", all.shortages, " times no memory, ",
          all.refused, " too large or too much, ", all.too_large, " too large for a reader, ",
          all.crowds, " connections too many, ", all.last_rounds,
          " times all were there in the end");
  REQUIRE(sum.runs > 0);
  if (sum.runs < 40) return;
  CHECK(sum.acknowledged > 100 * sum.runs);
  CHECK(sum.arrived > 100 * sum.runs);
  for (const auto happened :
       {all.crashes, all.stops, all.vanished, all.stalls, all.reloads, all.limits, all.troubles,
        all.cuts, all.pages, all.replacements, all.takeovers, all.unread,
        static_cast<std::size_t>(all.dropped), sum.wills, all.shortages,
        static_cast<std::size_t>(all.refused), static_cast<std::size_t>(all.too_large), all.crowds,
        all.last_rounds}) {
    CHECK(happened > sum.runs / 2);
  }
}

TEST_CASE("the same seed gives the same trace, another seed another") {
  const auto trace = [](std::uint64_t seed) {
    sim::Simulation simulation(seed);
    simulation.run();
    return simulation.trace();
  };
  CHECK(trace(5) == trace(5));
  CHECK(trace(5) != trace(6));
}

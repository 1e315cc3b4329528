#include "sim/simulation.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace mq;

TEST_CASE("through trouble, every promise is kept") {
  // MQ_SEED=17 repeats one; MQ_SEEDS=5000 tries that many.
  const char* one = std::getenv("MQ_SEED");
  const char* many = std::getenv("MQ_SEEDS");
  const std::uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t count =
      one != nullptr ? 1 : (many != nullptr ? std::strtoull(many, nullptr, 10) : 200);
  std::size_t acknowledged = 0;
  std::size_t arrived = 0;
  std::size_t crashes = 0;
  std::size_t pages = 0;
  std::size_t cuts = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    sim::Simulation simulation(seed);
    for (const auto& complaint : simulation.run()) {
      FAIL_CHECK("MQ_SEED=", seed, " ./sim_test: ", complaint);
    }
    acknowledged += simulation.judge().acknowledged_count();
    arrived += simulation.judge().arrived_count();
    crashes += simulation.crashes();
    pages += simulation.pages();
    cuts += simulation.cuts();
  }
  MESSAGE(count, " seeds: ", acknowledged, " acknowledged, ", arrived, " arrived, ", crashes,
          " crashes, ", cuts, " cuts, ", pages, " pages read back");
  CHECK(acknowledged > 100 * count);
  CHECK(arrived > 100 * count);
  if (count >= 100) {
    CHECK(crashes > count / 4);
    CHECK(pages > count);
    CHECK(cuts > count);
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

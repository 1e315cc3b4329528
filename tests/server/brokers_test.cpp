#include "server/brokers.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

TEST_CASE("this process is not one of the other brokers") {
  const auto pids = mq::server::brokers_that_run();
  CHECK(std::ranges::find(pids, getpid()) == pids.end());
  CHECK(std::ranges::is_sorted(pids));
}

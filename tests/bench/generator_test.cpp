#include <doctest/doctest.h>

#include <array>

#include "bench/faulty_broker.hpp"
#include "bench/load.hpp"

using namespace mq::bench;

namespace {

Faults faults_with(Wrong wrong, const char* scenario = "fanout", std::uint32_t subs = 1,
                   std::uint32_t qos = 0) {
  const FaultyBroker broker(wrong);
  const Plan plan{.scenario = scenario,
                  .subs = subs,
                  .qos = qos,
                  .payload = 32,
                  .window = 5,
                  .count = 100,
                  .seconds = 0,
                  .patience = 0.5};
  return load(plan, broker.port(), 0).faults;
}

}  // namespace

TEST_CASE("a broker that passes everything on is found without fault") {
  CHECK(faults_with(Wrong::nothing).sum() == 0);
  CHECK(faults_with(Wrong::nothing, "fanout", 3).sum() == 0);
  CHECK(faults_with(Wrong::nothing, "fanin").sum() == 0);
  CHECK(faults_with(Wrong::nothing, "fanout", 3, 1).sum() == 0);
  CHECK(faults_with(Wrong::nothing, "fanout", 3, 2).sum() == 0);
  CHECK(faults_with(Wrong::nothing, "storm", 3).sum() == 0);
}

TEST_CASE("one message that does not come is one that is lost, for each who wants it") {
  CHECK(faults_with(Wrong::lose, "fanout", 3).lost == 3);
}

TEST_CASE("one message that comes twice is one that is doubled") {
  const Faults faults = faults_with(Wrong::repeat);
  CHECK(faults.doubled == 1);
  CHECK(faults.lost == 0);
}

TEST_CASE("two messages in each other's place are one out of order") {
  const Faults faults = faults_with(Wrong::swap);
  CHECK(faults.reordered == 1);
  CHECK(faults.lost == 0);
}

TEST_CASE("a message whose last byte is another is wrong, and what was sent is lost") {
  const Faults faults = faults_with(Wrong::alter);
  CHECK(faults.wrong == 1);
  CHECK(faults.lost == 1);
}

TEST_CASE("what goes by another topic's name is wrong") {
  const Faults faults = faults_with(Wrong::rename);
  CHECK(faults.wrong == 1);
  CHECK(faults.lost == 1);
}

TEST_CASE("what comes to a publisher has not come to a subscriber") {
  const Faults faults = faults_with(Wrong::echo, "pairs");
  CHECK(faults.wrong > 0);
  CHECK(faults.lost == faults.wrong);
}

TEST_CASE("what comes again when all has come is doubled") {
  CHECK(faults_with(Wrong::repeat_all).doubled == 100);
}

TEST_CASE("at QoS 2 half a handshake is wrong, on either side") {
  // Five messages are in the window: they are not acknowledged as they should be, nor released.
  CHECK(faults_with(Wrong::short_handshake, "fanout", 1, 2).wrong >= 5 + 5);
}

TEST_CASE("a connection that is closed at once was not let in") {
  CHECK(faults_with(Wrong::refuse, "storm").closed > 0);
}

TEST_CASE("a subscription that is denied, and a session that nobody left, are wrong") {
  CHECK(faults_with(Wrong::deny, "fanout", 3).wrong == 3);
  CHECK(faults_with(Wrong::remember, "fanout", 3).wrong == 3 + 1);
}

TEST_CASE("what a tally has seen late is not lost, and what it has never seen is") {
  Tally tally(2);
  for (const std::uint32_t number : {0, 2, 1, 5, 5}) tally.take(1, number);
  Faults faults;
  tally.settle({9, 1, 8}, 1, faults);
  CHECK(faults.lost == 1 + 2 + 2);  // of stream 0 all; 3 and 4; 6 and 7
  CHECK(faults.reordered == 1);
  CHECK(faults.doubled == 1);
}

TEST_CASE("a plan is read from words, and a word that means nothing is named") {
  const std::array<const char*, 3> words{"fanin", "pubs=10", "seconds=0.5"};
  const auto plan = read_plan(words);
  REQUIRE(plan);
  CHECK(plan->scenario == "fanin");
  CHECK(plan->pubs == 10);
  CHECK(plan->seconds == 0.5);
  for (const char* word : {"pubs", "pups=1", "pubs=", "pubs=1x", "seconds=a"}) {
    const std::array<const char*, 2> bad{"fanin", word};
    REQUIRE(!read_plan(bad));
    CHECK(read_plan(bad).error().find(word) != std::string::npos);
  }
  for (const char* word : {"pubs=0", "subs=0", "filters=0", "idle=0", "qos=3", "payload=15",
                           "seconds=-1", "sink=onlin"}) {
    const std::array<const char*, 3> bad{"idle", "idle=1", word};
    REQUIRE(!read_plan(bad));
    const std::string name(word, std::string_view(word).find('='));
    CHECK(read_plan(bad).error().find(name) != std::string::npos);
  }
}

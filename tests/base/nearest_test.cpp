#include "base/nearest.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using mq::nearest;

namespace {

constexpr std::array<std::string_view, 4> kNames{"listener", "port", "max_queued_messages",
                                                 "max_queued_bytes"};

}  // namespace

TEST_CASE("a word with a letter too few, too many or wrong is taken for the name it resembles") {
  CHECK(nearest("max_queued_mesages", kNames) == "max_queued_messages");
  CHECK(nearest("listenner", kNames) == "listener");
  CHECK(nearest("lastener", kNames) == "listener");
}

TEST_CASE("two neighbours that changed places are one slip") {
  CHECK(nearest("prot", kNames) == "port");
  CHECK(nearest("hots", std::array<std::string_view, 2>{"port", "host"}) == "host");
}

TEST_CASE("the nearest of several names wins") {
  CHECK(nearest("max_queued_byts", kNames) == "max_queued_bytes");
}

TEST_CASE("a word that resembles nothing has no nearest name") {
  CHECK(nearest("certfile", kNames).empty());
  CHECK(nearest("", kNames).empty());
  CHECK(nearest(std::string(100'000, 'x'), kNames).empty());
}

#include "cli/watch.hpp"

#include <doctest/doctest.h>

using namespace mq::cli;

TEST_CASE("each topic keeps its line, which shows the first line of its latest message") {
  Watch watch;
  std::string out;
  Watch::begin(out);
  CHECK(out == "\x1b[2J\x1b[?7l");
  out.clear();
  watch.show("a", "one", out);
  watch.show("b", "two\nlines", out);
  watch.show("a", "three", out);
  CHECK(out == "\x1b[1;1H\x1b[2Kone\x1b[2;1H\x1b[2Ktwo\x1b[1;1H\x1b[2Kthree");
  out.clear();
  watch.end(out);
  CHECK(out == "\x1b[2;1H\x1b[?7h\n");
}

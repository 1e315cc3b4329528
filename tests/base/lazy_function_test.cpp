#include "base/lazy_function.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr char kMath[] = "libm.so.6";
constexpr char kNone[] = "libnone.so.0";
constinit const mq::LazyFunction<mq::LazyLibrary<kMath>, double(double, double)> hypot("hypot");
constinit const mq::LazyFunction<mq::LazyLibrary<kMath>, int()> missing("mq_missing");
constinit const mq::LazyFunction<mq::LazyLibrary<kNone>, int()> homeless("mq_homeless");

int exit_code_of(const auto& function) {
  const pid_t child = fork();
  if (child == 0) {
    close(STDERR_FILENO);
    function();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a lazy function is found when it is called, and again") {
  CHECK(hypot(3, 4) == 5);
  CHECK(hypot(5, 12) == 13);
}

TEST_CASE("a program ends that calls what no library has") {
  CHECK(exit_code_of(missing) == 1);
  CHECK(exit_code_of(homeless) == 1);
}

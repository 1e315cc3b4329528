#include "commands.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace mq::app {

int fail(const Error& error, int code) {
  fmt::print(stderr, "mqbroker: {}\n", error.message);
  return code;
}

int show(std::string_view text) {
  fmt::print("{}", text);
  return 0;
}

}  // namespace mq::app

#include "commands.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "cli/console.hpp"

namespace mq::app {

int fail(const Error& error, int code) {
  fmt::print(stderr, "mqbroker: {}\n", error.message);
  return code;
}

int show(std::string_view text) {
  return cli::show("mqbroker", text);
}

}  // namespace mq::app

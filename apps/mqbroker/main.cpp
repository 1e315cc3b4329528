#include <fmt/format.h>

#include <cstdio>

#include "cli/broker_options.hpp"
#include "server/config.hpp"
#include "server/run.hpp"

namespace {

constexpr int kCannotListen = 1;
constexpr int kUsage = 3;

int fail(const mq::Error& error, int code) {
  fmt::print(stderr, "mqbroker: {}\n", error.message);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = mq::cli::parse_broker_options({argv, static_cast<std::size_t>(argc)});
  if (!options) return fail(options.error(), kUsage);
  if (options->wants_help) {
    fmt::print("{}", mq::cli::broker_help());
    return 0;
  }
  if (options->wants_version) {
    fmt::print("mqbroker version {}\n", MQ_VERSION);
    return 0;
  }
  if (!options->config_file.empty()) return fail({"-c: not in this version"}, kUsage);
  mq::server::Config config = mq::server::local_config(options->ports);
  config.broker.version = "mqbroker version " MQ_VERSION;
  const auto ended = mq::server::run(config);
  return ended ? 0 : fail(ended.error(), kCannotListen);
}

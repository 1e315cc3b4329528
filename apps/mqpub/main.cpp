#include <fmt/core.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <random>
#include <span>

#include "cli/exit_code.hpp"
#include "cli/payload.hpp"
#include "cli/publisher.hpp"
#include "client/core.hpp"
#include "net/client_driver.hpp"
#include "net/input.hpp"
#include "net/loop.hpp"
#include "net/signals.hpp"
#include "net/way.hpp"

using namespace mq;

namespace {

/// The way to the server, as the options say it.
net::Way way_of(const cli::ConnectOptions& options) {
  return {options.endpoint, options.proxy, options.tls, options.websocket};
}

int run(const cli::PubOptions& options, std::string payload, MakeFilter make_filter,
        cli::Notices& notices) {
  Prng prng(std::random_device{}());
  client::Core core(
      cli::settings_of(options.connection, static_cast<std::uint64_t>(getpid()), prng), prng);
  cli::Publisher publisher(options, std::move(payload), core, notices);
  net::Loop loop;
  const net::Signals signals(loop, {SIGINT, SIGTERM},
                             [&](int signal) { publisher.on_interrupt(signal, loop.now()); });
  std::optional<net::Input> input;
  if (options.reads_lines()) input.emplace(loop, STDIN_FILENO, publisher);
  net::ClientDriver driver(loop, core, publisher, first_stop(way_of(options.connection)),
                           std::move(make_filter));
  driver.start();
  loop.run();
  return publisher.exit_code();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  setenv("UV_THREADPOOL_SIZE", "1", 0);  // all that is done off the loop is to look up one name
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  const auto options = cli::parse_pub(arguments);
  using Loudness = cli::Notices::Loudness;
  const bool is_quiet = options && options->connection.is_quiet;
  cli::Notices notices("mqpub", cli::write_to(STDERR_FILENO), cli::medium_of(STDERR_FILENO),
                       is_quiet ? Loudness::quiet : Loudness::normal);
  if (!options) {
    notices.error(options.error().message);
    return cli::exit_code::kFailure;
  }
  if (options->connection.wants_help) {
    fmt::print("{}", cli::pub_help());
    return cli::exit_code::kOk;
  }
  if (options->connection.wants_version) {
    fmt::print("mqpub {}\n", MQ_VERSION);
    return cli::exit_code::kOk;
  }
  auto payload = cli::payload_of(*options, STDIN_FILENO);
  if (!payload) {
    notices.error(payload.error().message);
    return cli::exit_code::kFailure;
  }
  auto make_filter = filter_for(way_of(options->connection), std::random_device{}());
  if (!make_filter) {
    notices.error(make_filter.error().message);
    return cli::exit_code::kFailure;
  }
  return run(*options, std::move(*payload), std::move(*make_filter), notices);
}

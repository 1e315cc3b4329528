#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <span>
#include <utility>

#include "cli/exit_code.hpp"
#include "cli/options_file.hpp"
#include "cli/password.hpp"
#include "cli/subscriber.hpp"
#include "client/core.hpp"
#include "net/client_driver.hpp"
#include "net/loop.hpp"
#include "net/signals.hpp"
#include "net/standard_streams.hpp"
#include "net/way.hpp"

using namespace mq;

namespace {

/// The way to the server, as the options say it.
net::Way way_of(const cli::ConnectOptions& options) {
  return {options.endpoint, options.proxy, options.tls, options.websocket};
}

/// `await` is for both standard output and error.
int run(const cli::SubOptions& options, MakeFilter make_filter, cli::Notices& notices,
        cli::Await& await) {
  Prng prng(std::random_device{}());
  client::Core core(cli::settings_of(options, static_cast<std::uint64_t>(getpid()), prng), prng);
  cli::Output output(cli::write_to(STDOUT_FILENO, await), cli::medium_of(STDOUT_FILENO));
  cli::Subscriber subscriber(options, core, output, notices, Prng(prng.next()));
  net::Loop loop;
  net::ClientDriver driver(loop, core, subscriber, first_stop(way_of(options.connection)),
                           std::move(make_filter));
  net::Signals signals(loop, {SIGINT, SIGTERM}, [&](int signal) { driver.interrupt(signal); });
  await = [&](int descriptor) { return signals.await_writable(descriptor, subscriber.ends_by()); };
  subscriber.start(loop.now());
  driver.start();
  if (!loop.run_until([&] { return subscriber.is_done(); })) _exit(subscriber.exit_code());
  return subscriber.exit_code();
}

}  // namespace

int main(int argc, char** argv) {
  net::fill_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);
  setenv("UV_THREADPOOL_SIZE", "1", 0);  // all that is done off the loop is to look up one name
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  const auto files = cli::default_options_files(
      "mqsub", "mosquitto_sub", std::getenv("XDG_CONFIG_HOME"), std::getenv("HOME"));
  auto options = cli::parse_sub(arguments, files);
  using Loudness = cli::Notices::Loudness;
  const bool is_quiet = options && options->connection.is_quiet;
  cli::Await await = cli::await_for_ever;
  cli::Notices notices("mqsub", cli::write_to(STDERR_FILENO, await), cli::medium_of(STDERR_FILENO),
                       is_quiet ? Loudness::quiet : Loudness::normal);
  if (!options) {
    notices.errors(options.error().message);
    return cli::exit_code::kFailure;
  }
  if (options->connection.wants_help) return cli::show("mqsub", cli::sub_help());
  if (options->connection.wants_version) return cli::show("mqsub", "mqsub " MQ_VERSION "\n");
  cli::respect_no_color(*options, std::getenv("NO_COLOR"));
  if (const auto found = cli::find_password(options->connection); !found) {
    notices.error(found.error().message);
    return cli::exit_code::kFailure;
  }
  auto make_filter = filter_for(way_of(options->connection), std::random_device{}());
  if (!make_filter) {
    notices.error(make_filter.error().message);
    return cli::exit_code::kFailure;
  }
  return run(*options, std::move(*make_filter), notices, await);
}

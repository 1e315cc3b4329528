#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "cli/exit_code.hpp"
#include "cli/options_file.hpp"
#include "cli/password.hpp"
#include "cli/payload.hpp"
#include "cli/publisher.hpp"
#include "cli/requester.hpp"
#include "client/core.hpp"
#include "net/client_driver.hpp"
#include "net/input.hpp"
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

/// Of a file on standard input, what is left to read of it.
std::optional<std::uint64_t> input_size() {
  struct stat status{};
  if (fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
  return static_cast<std::uint64_t>(std::max<off_t>(status.st_size - std::max<off_t>(at, 0), 0));
}

/// A hang-up, too, for standard input is to be left as it was found. With nohup it is no end.
std::vector<int> ending_signals() {
  std::vector<int> signals = {SIGINT, SIGTERM};
  struct sigaction hang_up{};
  sigaction(SIGHUP, nullptr, &hang_up);
  if (hang_up.sa_handler != SIG_IGN) signals.push_back(SIGHUP);
  return signals;
}

/// Runs the loop until the application is done.
template <class Application>
int drive(net::Loop& loop, std::optional<net::Input>& input, const cli::ConnectOptions& options,
          client::Core& core, Application& application, MakeFilter make_filter, cli::Await& await) {
  net::ClientDriver driver(loop, core, application, first_stop(way_of(options)),
                           std::move(make_filter));
  net::Signals signals(loop, ending_signals(), [&](int signal) { driver.interrupt(signal); });
  await = [&](int descriptor) { return signals.await_writable(descriptor, application.ends_by()); };
  driver.start();
  const bool is_closed = loop.run_until([&] { return application.is_done(); });
  input.reset();
  if (!is_closed) _exit(application.exit_code());
  return application.exit_code();
}

/// `await` is for both standard output and error.
int run(const cli::PubOptions& options, std::string payload, MakeFilter make_filter,
        cli::Notices& notices, cli::Await& await) {
  Prng prng(std::random_device{}());
  client::Core core(cli::settings_of(options, static_cast<std::uint64_t>(getpid()), prng), prng);
  net::Loop loop;
  std::optional<net::Input> input;
  if (options.is_request) {
    cli::Output output(cli::write_to(STDOUT_FILENO, await), cli::medium_of(STDOUT_FILENO));
    cli::Requester requester(options, std::move(payload), core, output, notices, Prng(prng.next()));
    requester.start(loop.now());
    return drive(loop, input, options.connection, core, requester, std::move(make_filter), await);
  }
  cli::Publisher publisher(options, std::move(payload), input_size(), core, notices);
  if (options.reads_lines()) input.emplace(loop, STDIN_FILENO, publisher);
  return drive(loop, input, options.connection, core, publisher, std::move(make_filter), await);
}

}  // namespace

int main(int argc, char** argv) {
  net::fill_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);
  setenv("UV_THREADPOOL_SIZE", "1", 0);  // all that is done off the loop is to look up one name
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  const auto files = cli::default_options_files(
      "mqpub", "mosquitto_pub", std::getenv("XDG_CONFIG_HOME"), std::getenv("HOME"));
  auto options = cli::parse_pub(arguments, files);
  using Loudness = cli::Notices::Loudness;
  const bool is_quiet = options && options->connection.is_quiet;
  cli::Await await = cli::await_for_ever;
  cli::Notices notices("mqpub", cli::write_to(STDERR_FILENO, await), cli::medium_of(STDERR_FILENO),
                       is_quiet ? Loudness::quiet : Loudness::normal);
  if (!options) {
    notices.errors(options.error().message);
    return cli::exit_code::kFailure;
  }
  if (options->connection.wants_help) return cli::show("mqpub", cli::pub_help());
  if (options->connection.wants_version) return cli::show("mqpub", "mqpub " MQ_VERSION "\n");
  cli::respect_no_color(*options, std::getenv("NO_COLOR"));
  if (const auto found = cli::find_password(options->connection); !found) {
    notices.error(found.error().message);
    return cli::exit_code::kFailure;
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
  return run(*options, std::move(*payload), std::move(*make_filter), notices, await);
}

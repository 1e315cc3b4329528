#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "cli/broker_options.hpp"
#include "cli/cert_options.hpp"
#include "cli/db_options.hpp"
#include "commands.hpp"
#include "crypto/make_certificates.hpp"
#include "server/check.hpp"
#include "server/config_file.hpp"
#include "server/data_directory.hpp"
#include "server/data_tools.hpp"
#include "server/process.hpp"
#include "server/run.hpp"
#include "storage/inspect.hpp"

using mq::app::fail;
using mq::app::kCannotStart;
using mq::app::kUsage;
using mq::app::show;

namespace {

/// What the command line says beats what the file says.
void apply(const mq::cli::BrokerOptions& options, mq::server::Config& config) {
  config.is_daemon = options.is_daemon;
  for (auto& listener : config.listeners) listener.tls.keylog_file = options.tls_keylog;
  config.broker.version = "mqbroker version " MQ_VERSION;
  if (options.is_verbose) config.log.types = mq::server::kAllLogTypes;
  if (options.is_quiet) config.log.types = mq::server::kNoLogTypes;
}

std::expected<mq::server::Config, mq::Error> read_config(const mq::cli::BrokerOptions& options) {
  auto config = options.config_file.empty()
                    ? mq::server::local_config(options.ports)
                    : mq::server::read_config_file(options.config_file, options.ports);
  if (config) apply(options, *config);
  return config;
}

/// Without a configuration file the state is kept, unless the port is a new one at each start.
std::expected<void, mq::Error> choose_data_file(const mq::cli::BrokerOptions& options,
                                                mq::server::Config& config) {
  const std::uint16_t port = config.listeners.front().port;
  std::string directory = options.data_directory;
  if (options.is_in_memory) {
    config.data_file.clear();
  } else if (directory.empty() && options.config_file.empty() && port != 0) {
    auto usual = mq::server::default_data_directory();
    if (!usual) return std::unexpected(usual.error());
    directory = *usual;
  }
  if (!directory.empty()) {
    const std::string name = port == 0 ? "mqbroker" : std::to_string(port);
    config.data_file = directory + "/" + name + ".db";
    config.places.options.erase("persistence_location");
  }
  config.broker.persistence = !config.data_file.empty();
  return {};
}

/// mqbroker cert
int make_certificates(std::span<char* const> arguments) {
  const auto options = mq::cli::parse_cert(arguments);
  if (!options) return fail(options.error(), kUsage);
  if (options->wants_help) return show(mq::cli::cert_help());
  const auto made = mq::crypto::make_certificates(
      {.directory = options->directory, .hosts = options->hosts, .clients = options->clients});
  if (!made) return fail(made.error(), kCannotStart);
  const std::string file = options->directory + "/mqbroker.conf";
  std::ofstream configuration(file, std::ios::noreplace);
  configuration << mq::cli::configuration_for(*options) << std::flush;
  if (!configuration)
    return fail({"cannot write " + file + ", or it is there already"}, kCannotStart);
  const auto heir = mq::server::user_after_root({});
  if (heir && *heir) {
    fmt::print(stderr,
               "mqbroker: root becomes {0} when it runs the broker (see the option user), who has "
               "to read the key when it is renewed: chown {0} {1}/server.key\n",
               (*heir)->name, options->directory);
  }
  return show(mq::cli::commands_for(*options));
}

/// Returns  the code, when all that was printed is written
int end_of_output(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  return fail({"cannot write all of it to standard output"}, kCannotStart);
}

/// mqbroker db
int work_on_data(std::span<char* const> arguments) {
  using Task = mq::cli::DbOptions::Task;
  const auto options = mq::cli::parse_db(arguments);
  if (!options) return fail(options.error(), kUsage);
  if (options->wants_help) return show(mq::cli::db_help());
  std::expected<void, mq::Error> done;
  switch (options->task) {
    case Task::verify: {
      const auto is_right = mq::server::print_faults(options->file, stdout);
      if (is_right) return end_of_output(*is_right ? 0 : kCannotStart);
      return fail(is_right.error(), kCannotStart);
    }
    case Task::dump:
      done = mq::server::print_all(options->file, stdout);
      break;
    case Task::stats:
      done = mq::server::print_stats(options->file, stdout);
      break;
    case Task::backup:
      done = mq::storage::back_up(options->file, options->to);
      break;
  }
  return done ? end_of_output(0) : fail(done.error(), kCannotStart);
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (argc > 1 && arguments[1] == std::string_view("cert")) {
    return make_certificates(arguments.subspan(1));
  }
  if (argc > 1 && arguments[1] == std::string_view("check")) {
    return mq::app::check(arguments.subspan(1));
  }
  if (argc > 1 && arguments[1] == std::string_view("passwd")) {
    return mq::app::edit_passwords(arguments.subspan(1));
  }
  if (argc > 1 && arguments[1] == std::string_view("db")) return work_on_data(arguments.subspan(1));
  if (argc > 1 && arguments[1] == std::string_view("signal")) {
    return mq::app::tell_brokers(arguments.subspan(1));
  }
  const auto options = mq::cli::parse_broker(arguments);
  if (!options) return fail(options.error(), kUsage);
  if (options->wants_help) return show(mq::cli::broker_help());
  if (options->wants_version) return show("mqbroker " MQ_VERSION "\n");
  auto config = read_config(*options);
  if (!config) return fail(config.error(), kUsage);
  if (options->is_config_test) {
    const auto missing = mq::server::missing_here(*config);
    for (const auto& line : missing) fmt::print(stderr, "mqbroker: {}\n", line);
    if (!missing.empty()) return kUsage;
    for (const auto& line : config->warnings) fmt::print(stderr, "mqbroker: warning: {}\n", line);
    return show(options->config_file + ": the configuration is right\n");
  }
  if (auto chosen = choose_data_file(*options, *config); !chosen) {
    return fail(chosen.error(), kUsage);
  }
  const auto ended = mq::server::run(*config, [&options] { return read_config(*options); });
  return ended ? 0 : fail(ended.error(), kCannotStart);
}

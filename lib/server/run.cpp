#include "server/run.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/printable.hpp"
#include "net/machine.hpp"
#include "server/broker_process.hpp"
#include "server/data_directory.hpp"
#include "server/log_lines.hpp"
#include "server/systemd.hpp"

// The order of a start: leave the terminal while there is one thread and no loop, open what only
// root may open (listeners, log), open the state as whom root is to become, write pid_file, which
// may be one that only root can remove, become somebody else, and then say that it is done.

namespace mq::server {
namespace {

constexpr Seconds kHalfADay{12 * 3600};

using net::BrokerDriver;

/// Facts cost something for each connection, so the driver gets nobody to tell when no line would
/// come of it.
BrokerDriver::FactSink fact_sink(Log& log, const LogConfig& config,
                                 std::optional<PacketLog>& packets) {
  const bool is_heard = log.wants(LogType::warning) || log.wants(LogType::notice) ||
                        log.wants(LogType::debug) || log.wants(LogType::subscribe) ||
                        log.wants(LogType::unsubscribe);
  if (!is_heard) return nullptr;
  return [&log, &packets, tells = config.tells_connections](const broker::Fact& fact,
                                                            const std::string& peer) {
    const auto* connected = std::get_if<broker::fact::Connected>(&fact);
    if (packets && connected != nullptr) {
      packets->on_connected(connected->connection, connected->client_id);
    }
    const LogType type = type_of(fact);
    if (!log.wants(type) || is_told_already(fact) || (!tells && tells_connection(fact))) return;
    log.write(type, line_of(fact, peer));
  };
}

BrokerDriver::OpenSink open_sink(Log& log, const LogConfig& config) {
  if (!log.wants(LogType::notice) || !config.tells_connections) return nullptr;
  return [&log](const std::string& peer, const std::string& listener) {
    log.write(LogType::notice, opened_line(peer, listener));
  };
}

/// A line a filter: who subscribes to it, with which QoS.
std::vector<std::string> subscription_lines(const broker::Core& core) {
  std::vector<std::string> lines;
  std::string_view last;
  for (const auto& one : core.subscriptions()) {
    if (lines.empty() || one.filter != last) {
      lines.push_back(fmt::format("  {}:", as_word(one.filter)));
    }
    last = one.filter;
    lines.back() += fmt::format(" {} ({})", as_word(one.client_id), static_cast<int>(one.qos));
  }
  return lines;
}

/// Root is whom it is to become, as long as the answer lives.
std::expected<std::optional<AsUser>, Error> as_heir(const Config& config) {
  const auto heir = user_after_root(config.user);
  if (!heir || !*heir) return std::nullopt;
  auto guise = AsUser::become(**heir);
  if (guise) return std::optional(*std::move(guise));
  return std::unexpected(Error{config.places.before("user") + guise.error().message});
}

/// Whom root becomes.
std::optional<uid_t> heir_of(const Config& config) {
  const auto heir = user_after_root(config.user);
  return heir && *heir ? std::optional((*heir)->uid) : std::nullopt;
}

}  // namespace

std::string name_of(const Listener& listener) {
  return listener.unix_path.empty() ? fmt::format("port {}", listener.port)
                                    : printable(listener.unix_path);
}

BrokerProcess::BrokerProcess(Config config, Reread reread, Log& log)
    : config_(std::move(config)),
      reread_(std::move(reread)),
      log_(log),
      core_(config_.broker, net::now()),
      driver_(core_, nullptr, nullptr),
      is_open_(config_.listeners.size(), true) {
  core_.use_random(net::random_seed);
}

void BrokerProcess::use_packet_log() {
  if (!log_.wants(LogType::debug)) {
    packets_.reset();
    return driver_.tell_bytes(nullptr);
  }
  if (packets_) return;
  packets_.emplace([this](std::string_view line) { log_.write_unpublished(LogType::debug, line); },
                   [this] { return core_.config().max_packet_size; });
  driver_.tell_bytes([this](broker::ConnectionId id, BrokerDriver::Passage passage,
                            ByteView bytes) { packets_->on_bytes(id, passage, bytes); });
}

void BrokerProcess::use_log() {
  use_packet_log();
  driver_.tell(fact_sink(log_, config_.log, packets_), open_sink(log_, config_.log));
  driver_.tell_shortage([this](BrokerDriver::Shortage shortage) {
    if (shortage == BrokerDriver::Shortage::ends) {
      return tell(LogType::notice, "There are file descriptors for new connections again.");
    }
    tell(
        LogType::error,
        "There is no file descriptor left: new connections are closed at once. To have more, raise "
        "LimitNOFILE= of the service, or ulimit -n.");
  });
  log_.publish_with([this](LogType type, std::string_view line) {
    core_.tell_sys(topic_of(type), line, driver_.now());
  });
}

std::expected<void, Error> BrokerProcess::open() {
  use_log();
  handle_signals();
  auto filters = read_certificates(config_, is_open_);
  if (!filters) return std::unexpected(filters.error());
  filters_ = *std::move(filters);
  auto files = read_access(config_, is_open_);
  if (!files) return std::unexpected(files.error());
  use_access(*std::move(files));
  for (const auto& line : config_.warnings) tell(LogType::warning, line);
  driver_.verify_with([this](const auto& asked) { return verify(asked); });
  auto sockets = inherited_sockets();
  if (!sockets) return std::unexpected(sockets.error());
  sockets_ = *std::move(sockets);
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    if (auto done = listen(config_, i); !done) return done;
  }
  if (!sockets_.empty()) {
    return std::unexpected(Error{fmt::format(
        "systemd has opened a socket on {}, and there is no listener for it in the configuration",
        place_of(sockets_.front()))});
  }
  tell_who_may_come();
  tell_certificates();
  driver_.every(kHalfADay, [this] { tell_certificates(); });
  if (auto done = open_data(); !done) return done;
  if (!config_.pid_file.empty()) {
    auto written = PidFile::write(config_.pid_file, heir_of(config_));
    if (!written) {
      return std::unexpected(Error{config_.places.before("pid_file") + written.error().message});
    }
    pid_file_.emplace(std::move(*written));
  }
  if (const auto heir = user_after_root(config_.user); heir && *heir) {
    log_.give_to((*heir)->uid, (*heir)->gid);
  }
  const auto user = drop_root(config_.user);
  if (!user) return std::unexpected(Error{config_.places.before("user") + user.error().message});
  if (!user->empty()) tell(LogType::information, fmt::format("Running as user {}.", *user));
  return {};
}

std::expected<void, Error> BrokerProcess::open_data() {
  if (config_.data_file.empty()) {
    if (config_.is_local_only) tell(LogType::information, "Keeping the state in memory only.");
    return {};
  }
  auto done = make_data_directory(config_.data_file, config_.user);
  if (done) done = check_data_directory(config_.data_file, config_.user);
  if (!done) {
    return std::unexpected(
        Error{config_.places.before("persistence_location") + done.error().message});
  }
  const auto guise = as_heir(config_);
  if (!guise) return std::unexpected(guise.error());
  const Now start = net::now();
  const mode_t usual = umask(0077);  // what it holds is nobody else's business
  auto file = storage::open_file(config_.data_file, config_.broker.budget(), start.wall);
  umask(usual);
  if (!file) return std::unexpected(file.error());
  if (file->imported) {
    tell(LogType::notice,
         fmt::format("Took over what mosquitto kept in {}.", printable(file->imported->from)));
    if (file->imported->unreleased > 0) {
      tell(LogType::warning,
           fmt::format("Left behind there: QoS 2 messages that their clients had not released: {}.",
                       file->imported->unreleased));
    }
  }
  if (!file->damage.empty()) tell(LogType::error, "Damaged: " + printable(file->damage));
  core_.recover(file->state);
  tell_recovered(file->path, file->state, (net::now().steady - start.steady).count());
  data_lock_.emplace(std::move(file->lock));
  writer_.emplace(
      std::move(file->content), config_.sync, [this] { driver_.on_store_news(); },
      net::steady_time);
  driver_.keep_in(*writer_, [this](const std::string& trouble) { tell_trouble(trouble); });
  return {};
}

void BrokerProcess::tell_recovered(const std::string& path, const storage::Snapshot& state,
                                   std::int64_t milliseconds) {
  std::size_t queued = 0;
  for (const auto& [client_id, session] : state.sessions)
    queued += session.queue.size() + session.tail.count;
  tell(LogType::information,
       fmt::format("Keeping the state in {}: sessions: {}, queued messages: {}, retained: {}, read "
                   "in {} ms.",
                   printable(path), state.sessions.size(), queued, state.retained.size(),
                   milliseconds));
}

void BrokerProcess::tell_trouble(const std::string& trouble) {
  core_.put_sys("store/trouble", trouble, driver_.now());
  if (trouble.empty()) {
    tell(LogType::notice, "The state is stored again.");
  } else {
    tell(LogType::error, fmt::format("Cannot store the state: {}. Until it can be stored, messages "
                                     "that would have to be kept are refused.",
                                     printable(trouble)));
  }
}

std::function<bool()> BrokerProcess::verify(const broker::Verification& asked) const {
  const auto& passwords = access_.listeners[asked.listener].passwords;
  // A reload may have taken the file away while somebody waited for his turn.
  if (passwords == nullptr) return [] { return false; };
  const auto found = passwords->find(asked.user_name);
  const std::string who = fmt::format("{} {}", asked.listener, asked.user_name);
  const Instant now = driver_.now().steady;
  if (found.is_known && verified_->knows(who, asked.password, now)) return {};
  return [found, who, now, password = asked.password, verified = verified_] {
    const bool is_right = found.hash != nullptr && found.hash->matches(password) && found.is_known;
    if (is_right) verified->remember(who, password, now);
    return is_right;
  };
}

net::ListenOptions BrokerProcess::listen_options(const Config& config, std::size_t index) {
  const Listener& listener = config.listeners[index];
  net::ListenOptions options{listener.family, config.has_nodelay};
  options.make_filter = [this, index]() -> std::unique_ptr<Filter> {
    return filters_[index] ? filters_[index]() : nullptr;
  };
  options.connections_max = listener.connections_max;
  options.interface = listener.interface;
  options.mode = listener.socket_mode;
  options.group = listener.socket_group;
  options.owner = heir_of(config);
  return options;
}

std::expected<void, Error> BrokerProcess::listen(const Config& config, std::size_t at) {
  const Listener& listener = config.listeners[at];
  const auto index = static_cast<std::uint16_t>(at);
  const net::ListenOptions options = listen_options(config, at);
  if (const auto given = take_sockets(sockets_, listener); !given.empty()) {
    return listen_on(given, index, options);
  }
  const auto failed = [&place = listener.places.whole](const Error& error) {
    return std::unexpected(Error{place.empty() ? error.message : place + ": " + error.message});
  };
  if (!listener.unix_path.empty()) {
    const auto bound = driver_.listen_unix(index, listener.unix_path, options);
    if (!bound) return failed(bound.error());
    tell(LogType::information,
         fmt::format("Opening unix listen socket on path {}.", printable(bound->address)));
    return {};
  }
  const auto bound = listener.is_loopback
                         ? driver_.listen_loopback(index, listener.port, options)
                         : driver_.listen(index, listener.host, listener.port, options);
  if (!bound) return failed(bound.error());
  for (const auto& one : *bound) {
    const bool is_v6 = one.address.find(':') != std::string::npos;
    tell(LogType::information, fmt::format("Opening {}{} listen socket on port {}.",
                                           listener.is_websocket ? "websockets " : "",
                                           is_v6 ? "ipv6" : "ipv4", one.port));
  }
  return {};
}

std::expected<void, Error> BrokerProcess::listen_on(const std::vector<InheritedSocket>& sockets,
                                                    std::uint16_t index,
                                                    const net::ListenOptions& options) {
  for (const InheritedSocket& socket : sockets) {
    if (config_.is_local_only && !socket.is_loopback) {
      return std::unexpected(Error{fmt::format(
          "systemd has opened {} for everyone: name a listener in a configuration file, or let "
          "ListenStream= name 127.0.0.1, too",
          place_of(socket))});
    }
    const auto bound = driver_.listen_on_descriptor(index, socket.descriptor, options);
    if (!bound) return std::unexpected(bound.error());
    tell(LogType::information,
         fmt::format("Listening on the socket that systemd has opened on {}.", place_of(socket)));
  }
  return {};
}

void BrokerProcess::tell_who_may_come() {
  if (config_.is_local_only) {
    tell(LogType::information,
         "Only clients on this machine can connect. To let others in, name a listener in a "
         "configuration file.");
  }
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    const auto& granted = config_.broker.listeners[i];
    if (!is_open_[i] || granted.allow_anonymous || granted.has_passwords) continue;
    const Listener& listener = config_.listeners[i];
    if (listener.tls.user_name != crypto::UserName::as_given) continue;  // TLS says who it is
    tell(
        LogType::warning,
        fmt::format("Every client on {} will be refused: allow_anonymous is false, and there is no "
                    "password_file.",
                    name_of(listener)));
  }
}

void BrokerProcess::handle_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  driver_.on_signal(SIGHUP, [this] { reload(); });
  driver_.on_signal(SIGRTMIN, [this] {
    if (auto opened = log_.reopen(); !opened) tell(LogType::error, opened.error().message);
  });
  driver_.on_signal(SIGUSR1, [this] {
    if (writer_) writer_->request_checkpoint();
  });
  driver_.on_signal(SIGUSR2, [this] {
    const auto lines = subscription_lines(core_);
    tell(LogType::notice, fmt::format("Subscriptions: {}.", core_.subscription_count()));
    for (const auto& line : lines) tell(LogType::notice, line);
  });
}

void BrokerProcess::run() {
  tell(LogType::information, fmt::format("{} running", config_.broker.version));
  if (const auto pause = watchdog_pause()) driver_.every(*pause, tell_systemd_alive);
  tell_systemd_ready();
  driver_.run();
  tell_systemd_stopping();
  if (writer_) {
    if (auto rest = core_.take_batch()) writer_->submit(std::move(*rest));
    if (const auto words = writer_->close(); !words.empty()) {
      tell(LogType::error, "The last changes could not be stored: " + printable(words));
    }
  }
  tell(LogType::information, fmt::format("{} terminating", config_.broker.version));
}

std::expected<void, Error> run(const Config& config, const Reread& reread) {
  std::optional<Daemon> daemon;
  if (config.is_daemon) {
    auto started = Daemon::start();
    if (!started) return std::unexpected(started.error());
    daemon.emplace(std::move(*started));
  }
  raise_file_limit();
  auto log = Log::open(config.log, net::wall_time, heir_of(config));
  if (!log) return std::unexpected(log.error());
  log->write(LogType::information, fmt::format("{} starting", config.broker.version));
  BrokerProcess process(config, reread, *log);
  if (auto opened = process.open(); !opened) {
    LogConfig elsewhere = config.log;
    elsewhere.to_stderr = false;  // there our caller says it
    if (log->use(elsewhere)) log->write(LogType::error, opened.error().message);
    return opened;
  }
  if (daemon) daemon->ready();
  process.run();
  return {};
}

}  // namespace mq::server

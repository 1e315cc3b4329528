#include "server/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "server/open_to_write.hpp"

namespace mq::server {
namespace {

/// Who may read the log is the operator's decision, so nobody else may until he says so.
constexpr mode_t kFileMode = 0600;

std::expected<int, Error> open_file(const LogConfig& config, std::optional<uid_t> heir) {
  const auto file = open_to_write(config.file, O_APPEND, kFileMode, heir);
  if (file) return *file;
  return std::unexpected(
      Error{fmt::format("{}{}cannot open the log file {}: {}", config.file_place,
                        config.file_place.empty() ? "" : ": ", config.file, file.error().message)});
}

/// A line that cannot be written, because the disk is full or the reader has gone, is lost: the
/// broker goes on.
void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string_view word_of(LogType type) {
  switch (type) {
    case LogType::error:
      return "error";
    case LogType::warning:
      return "warning";
    case LogType::notice:
      return "notice";
    case LogType::information:
      return "information";
    case LogType::debug:
      return "debug";
    case LogType::subscribe:
      return "subscribe";
    case LogType::unsubscribe:
      return "unsubscribe";
    case LogType::websockets:
      return "websockets";
    case LogType::internal:
      break;
  }
  return "internal";
}

int priority_of(LogType type) {
  switch (type) {
    case LogType::error:
      return LOG_ERR;
    case LogType::warning:
      return LOG_WARNING;
    case LogType::notice:
      return LOG_NOTICE;
    case LogType::information:
    case LogType::subscribe:
    case LogType::unsubscribe:
      return LOG_INFO;
    default:
      return LOG_DEBUG;
  }
}

/// "2026-11-26T18:58:15.042Z"
std::string iso_time(WallTime now) {
  const auto since_1970 = std::chrono::floor<Millis>(now.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(since_1970 / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     since_1970 % 1000);
}

std::string json_line(const LogConfig& config, LogType type, std::string_view line, WallTime now) {
  nlohmann::ordered_json object;
  if (config.has_timestamp) object["time"] = iso_time(now);
  object["type"] = word_of(type);
  object["message"] = line;
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string_view topic_of(LogType type) {
  switch (type) {
    case LogType::error:
      return "log/E";
    case LogType::warning:
      return "log/W";
    case LogType::notice:
      return "log/N";
    case LogType::information:
      return "log/I";
    case LogType::subscribe:
      return "log/M/subscribe";
    case LogType::unsubscribe:
      return "log/M/unsubscribe";
    case LogType::websockets:
      return "log/WS";
    default:
      return "log/D";
  }
}

std::string timestamp(const LogConfig& config, WallTime now) {
  if (!config.has_timestamp) return {};
  const auto seconds = std::chrono::floor<Seconds>(now.time_since_epoch()).count();
  if (config.timestamp_format.empty()) return fmt::format("{}: ", seconds);
  const auto since_1970 = static_cast<std::time_t>(seconds);
  std::tm local{};
  localtime_r(&since_1970, &local);
  std::array<char, 256> text{};
  const auto size =
      std::strftime(text.data(), text.size(), config.timestamp_format.c_str(), &local);
  return std::string(text.data(), size) + ": ";
}

std::expected<Log, Error> Log::open(const LogConfig& config, Clock clock,
                                    std::optional<uid_t> heir) {
  Log log(std::move(clock), heir);
  if (auto done = log.use(config); !done) return std::unexpected(done.error());
  return log;
}

Log::Log(Log&& other) noexcept
    : config_(std::move(other.config_)),
      clock_(std::move(other.clock_)),
      heir_(other.heir_),
      topic_sink_(std::move(other.topic_sink_)),
      file_(std::exchange(other.file_, -1)) {}

void Log::give_to(uid_t user, gid_t group) const {
  struct stat found{};
  if (file_ < 0 || fstat(file_, &found) != 0 || !S_ISREG(found.st_mode)) return;
  // Where that is not possible the first attempt to open it anew says so.
  if (fchown(file_, user, group) != 0) return;
}

Log::~Log() {
  if (file_ >= 0) close(file_);
}

bool Log::wants(LogType type) const {
  const bool goes_somewhere =
      config_.to_stdout || config_.to_stderr || config_.to_syslog || config_.to_topic || file_ >= 0;
  return goes_somewhere && (config_.types & static_cast<std::uint16_t>(type)) != 0;
}

void Log::write(LogType type, std::string_view line) {
  if (!wants(type)) return;
  write_unpublished(type, line);
  if (config_.to_topic && topic_sink_) topic_sink_(type, line);
}

void Log::write_unpublished(LogType type, std::string_view line) {
  if (!wants(type)) return;
  if (config_.to_syslog) {
    const int facility = config_.facility < 0 ? LOG_DAEMON : LOG_LOCAL0 + (config_.facility << 3);
    syslog(facility | priority_of(type), "%.*s", static_cast<int>(line.size()), line.data());
  }
  if (!config_.to_stdout && !config_.to_stderr && file_ < 0) return;
  const std::string text = config_.is_json
                               ? json_line(config_, type, line, clock_()) + '\n'
                               : fmt::format("{}{}\n", timestamp(config_, clock_()), line);
  if (config_.to_stdout) write_all(STDOUT_FILENO, text);
  if (config_.to_stderr) write_all(STDERR_FILENO, text);
  if (file_ >= 0) write_all(file_, text);
}

std::expected<void, Error> Log::use(const LogConfig& config) {
  const bool is_same = file_ >= 0 && config.file == config_.file;
  int file = is_same ? file_ : -1;
  if (!is_same && !config.file.empty()) {
    const auto opened = open_file(config, heir_);
    if (!opened) return std::unexpected(opened.error());
    file = *opened;
  }
  if (file_ >= 0 && !is_same) close(file_);
  file_ = file;
  config_ = config;
  if (config_.to_syslog) openlog("mqbroker", LOG_PID, LOG_DAEMON);
  return {};
}

std::expected<void, Error> Log::reopen() {
  if (file_ < 0) return {};
  const auto file = open_file(config_, heir_);
  if (!file) return std::unexpected(file.error());
  close(std::exchange(file_, *file));
  return {};
}

}  // namespace mq::server

#include "server/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace mq::server {
namespace {

/// Who may read the log is the operator's decision, so nobody else may until he says so.
constexpr mode_t kFileMode = 0600;

std::expected<int, Error> open_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode);
  if (file >= 0) return file;
  return std::unexpected(
      Error{fmt::format("cannot open the log file {}: {}", path, std::strerror(errno))});
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

}  // namespace

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

std::expected<Log, Error> Log::open(const LogConfig& config, Clock clock) {
  Log log(config, std::move(clock));
  if (!config.file.empty()) {
    const auto file = open_file(config.file);
    if (!file) return std::unexpected(file.error());
    log.file_ = *file;
  }
  return log;
}

Log::Log(Log&& other) noexcept
    : config_(std::move(other.config_)),
      clock_(std::move(other.clock_)),
      file_(std::exchange(other.file_, -1)) {}

Log::~Log() {
  if (file_ >= 0) close(file_);
}

bool Log::wants(LogType type) const {
  const bool goes_somewhere = config_.to_stdout || config_.to_stderr || file_ >= 0;
  return goes_somewhere && (config_.types & static_cast<std::uint16_t>(type)) != 0;
}

void Log::write(LogType type, std::string_view line) {
  if (!wants(type)) return;
  const std::string text = fmt::format("{}{}\n", timestamp(config_, clock_()), line);
  if (config_.to_stdout) write_all(STDOUT_FILENO, text);
  if (config_.to_stderr) write_all(STDERR_FILENO, text);
  if (file_ >= 0) write_all(file_, text);
}

std::expected<void, Error> Log::reopen() {
  if (file_ < 0) return {};
  const auto file = open_file(config_.file);
  if (!file) return std::unexpected(file.error());
  close(std::exchange(file_, *file));
  return {};
}

}  // namespace mq::server

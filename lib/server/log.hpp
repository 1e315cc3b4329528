#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"

namespace mq::server {

/// What a line is about, as `log_type` names it. A set of them is their sum.
enum class LogType : std::uint16_t {
  error = 1,
  warning = 2,
  notice = 4,
  information = 8,
  debug = 16,
  subscribe = 32,
  unsubscribe = 64,
  websockets = 128,
  internal = 256,
};
inline constexpr std::uint16_t kNoLogTypes = 0;
inline constexpr std::uint16_t kUsualLogTypes = 15;
inline constexpr std::uint16_t kAllLogTypes = 511;

struct LogConfig {
  std::uint16_t types = kUsualLogTypes;
  bool to_stdout = false;
  bool to_stderr = true;
  std::string file;  ///< empty: none
  bool has_timestamp = true;
  std::string timestamp_format;  ///< as strftime() takes it; empty: seconds since 1970
  bool tells_connections = true;
  bool operator==(const LogConfig&) const = default;
};

/// What stands before a line: "1795470328: ", or what the format makes of the local time.
std::string timestamp(const LogConfig& config, WallTime now);

/// The lines of a broker, each written whole and at once to everything that it goes to.
class Log {
 public:
  using Clock = std::function<WallTime()>;

  /// Fails  a file that cannot be opened
  static std::expected<Log, Error> open(const LogConfig& config, Clock clock);
  ~Log();
  Log(Log&& other) noexcept;
  Log& operator=(Log&&) = delete;

  /// Whether a line of this type goes anywhere: what need not be written need not be formatted.
  bool wants(LogType type) const;
  void write(LogType type, std::string_view line);
  /// Opens the file anew, because the old one was moved away. The old one stays when it fails.
  std::expected<void, Error> reopen();

 private:
  Log(const LogConfig& config, Clock clock) : config_(config), clock_(std::move(clock)) {}

  LogConfig config_;
  Clock clock_;
  int file_ = -1;
};

}  // namespace mq::server

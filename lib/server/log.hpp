#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
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
  bool to_syslog = false;
  bool to_topic = false;        ///< $SYS/broker/log/…
  std::string file = {};        ///< empty: none
  std::string file_place = {};  ///< where it is named, for error lines; empty: nowhere
  int facility = -1;            ///< of syslog: local0 to local7; -1: daemon
  bool is_json = false;         ///< an object a line
  bool has_timestamp = true;
  std::string timestamp_format = {};  ///< as strftime() takes it; empty: seconds since 1970
  bool tells_connections = true;
  bool operator==(const LogConfig&) const = default;
};

/// The letter for a type in the topics below $SYS/broker/log/, as mosquitto has it.
std::string_view topic_of(LogType type);

/// What stands before a line: "1795470328: ", or what the format makes of the local time.
std::string timestamp(const LogConfig& config, WallTime now);

/// The lines of a broker, each written whole and at once to everything that it goes to.
class Log {
 public:
  using Clock = std::function<WallTime()>;
  using TopicSink = std::function<void(LogType type, std::string_view line)>;

  /// heir   whom root becomes later; nothing: nobody
  /// Fails  a file that cannot be opened
  static std::expected<Log, Error> open(const LogConfig& config, Clock clock,
                                        std::optional<uid_t> heir = std::nullopt);
  ~Log();
  Log(Log&& other) noexcept;
  Log& operator=(Log&&) = delete;

  /// Whether a line of this type goes anywhere: what need not be written need not be formatted.
  bool wants(LogType type) const;
  void write(LogType type, std::string_view line);
  /// Likewise, but never to the topic: a line about what is sent would be sent, and told again.
  void write_unpublished(LogType type, std::string_view line);
  /// Who publishes lines, where the configuration wants that. Nobody: they are not published.
  void publish_with(TopicSink sink) { topic_sink_ = std::move(sink); }
  /// Goes on by another configuration; a file that both have stays open. The old one stays when it
  /// fails.
  std::expected<void, Error> use(const LogConfig& config);
  /// Lets that user open the file anew, if it is one, who is no root.
  void give_to(uid_t user, gid_t group) const;
  /// Opens the file anew, because the old one was moved away. The old one stays when it fails.
  std::expected<void, Error> reopen();

 private:
  Log(Clock clock, std::optional<uid_t> heir) : clock_(std::move(clock)), heir_(heir) {}

  LogConfig config_;
  Clock clock_;
  std::optional<uid_t> heir_;
  TopicSink topic_sink_;
  int file_ = -1;
};

}  // namespace mq::server

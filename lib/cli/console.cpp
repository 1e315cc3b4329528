#include "cli/console.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <memory>

#include "base/printable.hpp"
#include "cli/exit_code.hpp"

namespace mq::cli {

namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::string_view kClearLine = "\r\x1b[K";

/// A descriptor that is written to without waiting. Its own flags belong to all who have it, so a
/// pipe or a terminal is opened once more; where that is not allowed, little is written at a time.
class Sink {
 public:
  explicit Sink(int descriptor) : descriptor_(descriptor) {
    struct stat status{};
    const bool is_known = fstat(descriptor, &status) == 0;
    is_socket_ = is_known && S_ISSOCK(status.st_mode);
    is_slow_ = is_known && (S_ISFIFO(status.st_mode) || isatty(descriptor) == 1);
    if (!is_slow_) return;
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    own_ = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  }
  ~Sink() {
    if (own_ >= 0) ::close(own_);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// As write(2) does to what is non-blocking.
  ssize_t write(std::string_view text) const {
    if (is_socket_) return ::send(descriptor_, text.data(), text.size(), MSG_DONTWAIT);
    if (own_ >= 0) return ::write(own_, text.data(), text.size());
    if (!is_slow_) return ::write(descriptor_, text.data(), text.size());
    pollfd look{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    if (poll(&look, 1, 0) == 1) {
      return ::write(descriptor_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    }
    errno = EAGAIN;
    return -1;
  }

 private:
  int descriptor_;
  int own_ = -1;
  bool is_socket_ = false;
  bool is_slow_ = false;  ///< its reader may keep the writer waiting
};

/// `write_some` is as write(2).
template <class WriteSome>
bool write_all(int descriptor, std::string_view text, const Await& await,
               const WriteSome& write_some) {
  while (!text.empty()) {
    const ssize_t size = write_some(text);
    if (size >= 0) {
      text.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {
      if (await(descriptor)) continue;
      errno = ECANCELED;
      return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool await_for_ever(int descriptor) {
  pollfd wait{.fd = descriptor, .events = POLLOUT, .revents = 0};
  return poll(&wait, 1, -1) != 0;
}

Write write_to(int descriptor) {
  return [descriptor](std::string_view text) {
    return write_all(descriptor, text, await_for_ever, [descriptor](std::string_view some) {
      return ::write(descriptor, some.data(), some.size());
    });
  };
}

Write write_to(int descriptor, const Await& await) {
  return [descriptor, &await, sink = std::shared_ptr<Sink>()](std::string_view text) mutable {
    if (!sink) sink = std::make_shared<Sink>(descriptor);
    return write_all(descriptor, text, await,
                     [&](std::string_view some) { return sink->write(some); });
  };
}

Medium medium_of(int descriptor) {
  return isatty(descriptor) == 1 ? Medium::terminal : Medium::file;
}

int show(const std::string& program, std::string_view text) {
  std::signal(SIGPIPE, SIG_IGN);
  if (write_to(STDOUT_FILENO)(text) || errno == EPIPE) return exit_code::kOk;
  const std::string reason = std::strerror(errno);
  Notices(program, write_to(STDERR_FILENO), Medium::file, Notices::Loudness::normal)
      .error("cannot write to standard output: " + reason);
  return exit_code::kFailure;
}

bool Output::flush() {
  if (!is_read_) buffer_.clear();
  if (buffer_.empty()) return true;
  is_read_ = write_(buffer_);
  buffer_.clear();
  return is_read_;
}

void Notices::error(std::string_view words) {
  if (!is_quiet_) line(words);
}

void Notices::errors(std::string_view lines) {
  if (is_quiet_) return;
  std::size_t end = lines.find('\n');
  line(lines.substr(0, end));
  while (end != lines.npos) {
    lines.remove_prefix(end + 1);
    end = lines.find('\n');
    write_(printable(lines.substr(0, end), kLongestLine) + "\n");
  }
}

void Notices::note(std::string_view words) {
  if (!is_quiet_) line(words);
}

void Notices::trace(std::string_view words) {
  line(words);
}

void Notices::hint(std::string_view words) {
  if (has_watcher()) line(words);
}

void Notices::status(std::string_view words) {
  if (!has_watcher() || (words.empty() && !has_status_)) return;
  has_status_ = !words.empty();
  const std::string shown = has_status_ ? program_ + ": " + std::string(words) : "";
  write_(std::string(kClearLine) + shown);
}

void Notices::line(std::string_view words) {
  status({});
  write_(program_ + ": " + printable(words, kLongestLine) + "\n");
}

}  // namespace mq::cli

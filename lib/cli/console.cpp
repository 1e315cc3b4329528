#include "cli/console.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/printable.hpp"
#include "cli/exit_code.hpp"

namespace mq::cli {

namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

Write write_to(int descriptor) {
  return [descriptor](std::string_view text) {
    while (!text.empty()) {
      const ssize_t size = ::write(descriptor, text.data(), text.size());
      if (size >= 0) {
        text.remove_prefix(static_cast<std::size_t>(size));
      } else if (errno == EAGAIN) {
        pollfd wait{.fd = descriptor, .events = POLLOUT, .revents = 0};
        poll(&wait, 1, -1);
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
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
  if (buffer_.empty()) return true;
  const bool is_read = write_(buffer_);
  buffer_.clear();
  return is_read;
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

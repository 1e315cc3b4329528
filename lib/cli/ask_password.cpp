#include "cli/ask_password.hpp"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <string_view>

#include "cli/console.hpp"

namespace mq::cli {

namespace {

/// While it lives, the terminal does not show what is typed, and Ctrl-C only interrupts reading.
class Silence {
 public:
  explicit Silence(int input) : input_(input) {
    is_terminal_ = tcgetattr(input_, &before_) == 0;
    if (!is_terminal_) return;
    struct sigaction interrupt{};
    interrupt.sa_handler = [](int) {};
    sigaction(SIGINT, &interrupt, &action_before_);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, &signals_before_);
    sigdelset(&signals_before_, SIGINT);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(input_, TCSAFLUSH, &silent);
  }
  ~Silence() {
    if (!is_terminal_) return;
    tcsetattr(input_, TCSAFLUSH, &before_);
    sigaction(SIGINT, &action_before_, nullptr);
    sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

  /// Waits for something to read. Ctrl-C counts here and nowhere else, so that it cannot be missed.
  /// Returns false when it came.
  bool wait() const {
    if (!is_terminal_) return true;
    pollfd input{.fd = input_, .events = POLLIN, .revents = 0};
    return ppoll(&input, 1, nullptr, &signals_before_) >= 0;
  }
  /// Returns false at the end of the input.
  bool read(char& c) const { return ::read(input_, &c, 1) == 1; }
  void say(std::string_view words) const {
    if (is_terminal_) write_to(STDERR_FILENO)(words);
  }

 private:
  int input_;
  bool is_terminal_ = false;
  termios before_{};
  struct sigaction action_before_{};
  sigset_t signals_before_{};
};

std::expected<std::string, Error> read_line(const Silence& silence, std::string_view prompt) {
  silence.say(prompt);
  std::string line;
  char c = 0;
  bool is_interrupted = false;
  while (!(is_interrupted = !silence.wait()) && silence.read(c) && c != '\n') {
    line += c;
  }
  silence.say("\n");
  if (is_interrupted) return std::unexpected(Error{"interrupted"});
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

std::expected<std::string, Error> ask_password(const std::string& prompt, int input) {
  const Silence silence(input);
  return read_line(silence, prompt);
}

std::expected<std::string, Error> ask_new_password() {
  const Silence silence(STDIN_FILENO);
  auto first = read_line(silence, "Password: ");
  if (!first) return first;
  if (first->empty()) return std::unexpected(Error{"the password is empty"});
  const auto second = read_line(silence, "Reenter password: ");
  if (!second) return second;
  if (*first != *second) return std::unexpected(Error{"the two passwords differ"});
  return first;
}

}  // namespace mq::cli

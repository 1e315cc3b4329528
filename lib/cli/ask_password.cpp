#include "cli/ask_password.hpp"

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
  Silence() {
    is_terminal_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!is_terminal_) return;
    struct sigaction interrupt{};
    interrupt.sa_handler = [](int) {};
    sigaction(SIGINT, &interrupt, &action_before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~Silence() {
    if (!is_terminal_) return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    sigaction(SIGINT, &action_before_, nullptr);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

  void say(std::string_view words) const {
    if (is_terminal_) write_to(STDERR_FILENO)(words);
  }

 private:
  bool is_terminal_ = false;
  termios before_{};
  struct sigaction action_before_{};
};

std::expected<std::string, Error> read_line(const Silence& silence, std::string_view prompt) {
  silence.say(prompt);
  std::string line;
  char c = 0;
  ssize_t size = 0;
  while ((size = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') line += c;
  silence.say("\n");
  if (size < 0) return std::unexpected(Error{"passwd: interrupted, nothing is changed"});
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return std::unexpected(Error{"passwd: the password is empty"});
  return line;
}

}  // namespace

std::expected<std::string, Error> ask_password() {
  const Silence silence;
  auto first = read_line(silence, "Password: ");
  if (!first) return first;
  const auto second = read_line(silence, "Reenter password: ");
  if (!second) return second;
  if (*first != *second) return std::unexpected(Error{"passwd: the two passwords differ"});
  return first;
}

}  // namespace mq::cli

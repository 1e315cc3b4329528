#include "cli/password.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "cli/ask_password.hpp"
#include "cli/payload.hpp"

namespace mq::cli {

namespace {

std::expected<void, Error> use_file(ConnectOptions& options) {
  auto text = read_file(*options.password_file);
  if (!text) return std::unexpected(Error{"--pw-file: " + text.error().message});
  text->resize(std::min(text->find('\n'), text->size()));
  if (text->ends_with('\r')) text->pop_back();
  if (text->empty()) {
    return std::unexpected(
        Error{"--pw-file: the first line of " + *options.password_file + " is empty"});
  }
  options.password = *std::move(text);
  return {};
}

std::expected<void, Error> ask(ConnectOptions& options, int terminal) {
  auto password = ask_password("Password of " + *options.user_name + ": ", terminal);
  if (!password) return std::unexpected(Error{"no password: " + password.error().message});
  if (!password->empty()) options.password = *std::move(password);
  return {};
}

/// Where stdin is something else, the terminal may still be there. In the background a question
/// would only stop the program.
std::expected<void, Error> ask_on_terminal(ConnectOptions& options) {
  const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (terminal < 0) return {};
  std::expected<void, Error> asked;
  if (tcgetpgrp(terminal) == getpgrp()) asked = ask(options, terminal);
  ::close(terminal);
  return asked;
}

}  // namespace

std::expected<void, Error> find_password(ConnectOptions& options) {
  if (options.password_file) return use_file(options);
  if (options.password_variable) {
    const char* value = std::getenv(options.password_variable->c_str());
    if (value == nullptr) {
      return std::unexpected(Error{"--pw-env: the environment has no variable " +
                                   *options.password_variable + "; export it first"});
    }
    options.password = value;
    return {};
  }
  if (!options.user_name || options.password) return {};
  if (isatty(STDERR_FILENO) != 1) return {};
  return isatty(STDIN_FILENO) == 1 ? ask(options, STDIN_FILENO) : ask_on_terminal(options);
}

}  // namespace mq::cli

#include "cli/payload.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mq::cli {

namespace {

constexpr std::size_t kPayloadMax = 268'435'455;
constexpr std::size_t kStep = 1U << 20U;

Error cannot_read(const std::string& name, int code) {
  return {"cannot read " + name + ": " + std::strerror(code)};
}

}  // namespace

std::expected<std::string, Error> read_all(int descriptor, const std::string& name) {
  std::string content;
  struct stat status{};
  if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    content.reserve(std::min(static_cast<std::size_t>(status.st_size), kPayloadMax) + 1);
  }
  std::size_t size = 0;
  while (true) {
    if (content.size() == size) {
      content.resize(std::max({content.capacity(), size + std::min(size, kStep * 64), kStep / 16}));
    }
    const ssize_t part = ::read(descriptor, content.data() + size, content.size() - size);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) return std::unexpected(cannot_read(name, errno));
    if (part == 0) break;
    size += static_cast<std::size_t>(part);
    if (size > kPayloadMax) {
      return std::unexpected(Error{name + " is too large: a message has at most 268435455 bytes"});
    }
  }
  content.resize(size);
  return content;
}

std::expected<std::string, Error> read_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(cannot_read(path, errno));
  auto content = read_all(descriptor, path);
  ::close(descriptor);
  return content;
}

std::expected<std::string, Error> payload_of(const PubOptions& options, int input) {
  switch (options.source()) {
    case Source::message:
      return options.message;
    case Source::file:
      return read_file(options.file);
    case Source::input: {
      auto content = read_all(input, "standard input");
      if (content && content->empty()) {
        return std::unexpected(Error{"-s: standard input is empty; send an empty message with -n"});
      }
      return content;
    }
    case Source::lines:
    case Source::json_lines:
    case Source::nothing:
      break;
  }
  return std::string();
}

}  // namespace mq::cli

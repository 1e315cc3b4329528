#include "storage/file.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

namespace mq::storage {
namespace {

using Failure = Sqlite::Failure;

/// Moves the file with its companions, which belong together.
std::expected<void, Error> move_aside(const std::string& path, const std::string& to) {
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (std::rename((path + suffix).c_str(), (to + suffix).c_str()) == 0 || errno == ENOENT) {
      continue;
    }
    return std::unexpected(
        Error{"cannot move the damaged " + path + " aside: " + std::strerror(errno)});
  }
  return {};
}

std::expected<std::pair<Sqlite, Snapshot>, Failure> open_and_load(const std::string& path,
                                                                  Window window) {
  auto content = Sqlite::open(path);
  if (!content) return std::unexpected(content.error());
  auto state = content->load(window);
  if (!state) return std::unexpected(state.error());
  return std::pair(std::move(*content), std::move(*state));
}

/// mosquitto's own files begin with these bytes.
bool is_mosquittos(const std::string& path) {
  constexpr std::string_view kBeginning("\0\xB5\0mosquitto db", 15);
  std::array<char, kBeginning.size()> found{};
  std::ifstream file(path, std::ios::binary);
  file.read(found.data(), found.size());
  return file && std::string_view(found.data(), found.size()) == kBeginning;
}

}  // namespace

std::expected<File, Error> open_file(const std::string& path, Window window, WallTime now) {
  auto lock = FileLock::take(path + ".lock");
  if (!lock) return std::unexpected(Error{path + ": " + lock.error().message});
  if (is_mosquittos(path)) {
    return std::unexpected(Error{path +
                                 " was written by mosquitto, and this version cannot read it: "
                                 "name another file with persistence_file"});
  }
  auto opened = open_and_load(path, window);
  if (opened) return File{std::move(*lock), std::move(opened->first), std::move(opened->second)};
  const Failure failure = opened.error();
  if (failure.kind == Failure::Kind::unusable) return std::unexpected(failure.error);

  const auto seconds = std::chrono::duration_cast<Seconds>(now.time_since_epoch()).count();
  const std::string aside = path + ".damaged-" + std::to_string(seconds);
  if (auto moved = move_aside(path, aside); !moved) return std::unexpected(moved.error());
  auto fresh = Sqlite::open(path);
  if (!fresh) return std::unexpected(fresh.error().error);
  const Batch saved{.ticket = 0, .changes = changes_of(Sqlite::salvage(aside))};
  if (auto written = fresh->commit(saved); !written) return std::unexpected(written.error());
  auto state = fresh->load(window);
  if (!state) return std::unexpected(state.error().error);
  return File{std::move(*lock), std::move(*fresh), std::move(*state),
              failure.error.message + "; it is kept as " + aside};
}

}  // namespace mq::storage

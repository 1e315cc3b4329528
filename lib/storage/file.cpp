#include "storage/file.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "storage/mosquitto_db.hpp"
#include "storage/salvage.hpp"

namespace mq::storage {
namespace {

using Failure = Sqlite::Failure;

constexpr const char* kOurName = "mqbroker.db";
constexpr const char* kMosquittosName = "mosquitto.db";

std::expected<void, Error> rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return std::unexpected(Error{to + ": " + std::strerror(errno)});
}

/// Makes a file that is complete: what is in it is in no other that belongs to it.
std::expected<void, Error> write_whole(const std::string& path, const Snapshot& state) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::remove((path + suffix).c_str());
  auto content = Sqlite::open(path);
  if (!content) return std::unexpected(content.error().error);
  auto done = content->commit({.ticket = 0, .changes = changes_of(state)});
  return done ? content->checkpoint() : done;
}

/// Moves the file with its companions, which belong together. Without its main file what is left of
/// them is nobody's.
std::expected<void, Error> move_aside(const std::string& path, const std::string& to) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    if (std::rename((path + suffix).c_str(), (to + suffix).c_str()) == 0 || errno == ENOENT) {
      continue;
    }
    return std::unexpected(
        Error{"cannot move the damaged " + path + " aside: " + std::strerror(errno)});
  }
  return {};
}

std::expected<std::pair<Sqlite, Snapshot>, Failure> open_and_load(const std::string& path,
                                                                  const Budget& budget) {
  auto content = Sqlite::open(path);
  if (!content) return std::unexpected(content.error());
  auto state = content->load(budget);
  if (!state) return std::unexpected(state.error());
  return std::pair(std::move(*content), std::move(*state));
}

/// Makes a file out of mosquitto's. It has its name when it is complete.
std::expected<Imported, Error> import_file(const std::string& from, const std::string& to) {
  auto theirs = read_mosquitto_db(from);
  if (!theirs) return std::unexpected(theirs.error());
  const std::string unfinished = to + ".unfinished";
  auto done = write_whole(unfinished, theirs->state);
  if (done) done = rename(unfinished, to);
  if (!done) return std::unexpected(done.error());
  return Imported{from, theirs->unreleased};
}

std::string beside(const std::string& path, const char* name) {
  return std::filesystem::path(path).replace_filename(name);
}

/// mosquitto's file that is to be taken over; empty: there is none.
std::string mosquittos_for(const std::string& path) {
  if (is_mosquittos(path)) return path;
  const std::string usual = beside(path, kMosquittosName);
  const bool is_usual = std::filesystem::path(path).filename() == kOurName;
  return is_usual && is_mosquittos(usual) ? usual : "";
}

std::string aside_of(const std::string& path, WallTime now) {
  const auto seconds = std::chrono::duration_cast<Seconds>(now.time_since_epoch()).count();
  return path + ".damaged-" + std::to_string(seconds);
}

/// What could be read of a damaged file, all of it, until that has been moved aside.
std::string salvaged_of(const std::string& path) {
  return path + ".salvaged";
}

/// Has what was salvaged take the place of the damaged file.
std::expected<void, Error> replace_damaged(const std::string& path, const std::string& aside) {
  auto done = move_aside(path, aside);
  if (!done) return done;
  std::remove(Sqlite::damage_mark(path).c_str());
  return rename(salvaged_of(path), path);
}

/// What was found while the file was in use; nothing: nothing was.
std::optional<Failure> marked_damage(const std::string& path) {
  std::ifstream mark(Sqlite::damage_mark(path));
  if (!mark) return std::nullopt;
  std::string words;
  std::getline(mark, words);
  return Failure{Failure::Kind::damaged, Error{path + ": " + words}};
}

std::string lost_words(const Salvaged& salvaged) {
  const auto& [state, queued, retained] = salvaged;
  if (queued == 0 && retained == 0) return {};
  return "; known to be lost: queued messages: " + std::to_string(queued) +
         ", retained: " + std::to_string(retained);
}

/// Moves a damaged file aside and goes on with what can be read of it. Cut off at any moment, it
/// begins anew, or is gone on with, at the next start.
std::expected<File, Error> open_damaged(FileLock lock, const std::string& path,
                                        const Budget& budget, const std::string& damage,
                                        WallTime now) {
  const std::string aside = aside_of(path, now);
  const std::string unfinished = path + ".unfinished";
  auto salvaged = Sqlite::salvage(path);
  if (!salvaged) return std::unexpected(salvaged.error());
  auto done = write_whole(unfinished, salvaged->state);
  if (done) done = rename(unfinished, salvaged_of(path));
  if (done) done = replace_damaged(path, aside);
  if (!done) return std::unexpected(done.error());
  auto opened = open_and_load(path, budget);
  if (!opened) return std::unexpected(opened.error().error);
  return File{.path = path,
              .lock = std::move(lock),
              .content = std::move(opened->first),
              .state = std::move(opened->second),
              .damage = damage + "; it is kept as " + aside + lost_words(*salvaged)};
}

}  // namespace

std::expected<File, Error> open_file(const std::string& named, const Budget& budget, WallTime now) {
  const std::string path = is_mosquittos(named) ? beside(named, kOurName) : named;
  auto lock = FileLock::take(path + ".lock");
  if (!lock) return std::unexpected(Error{path + ": " + lock.error().message});
  std::string damage;
  if (!std::filesystem::exists(path) && std::filesystem::exists(salvaged_of(path))) {
    const std::string aside = aside_of(path, now);
    if (auto done = replace_damaged(path, aside); !done) return std::unexpected(done.error());
    damage = path + " was damaged when an earlier start was cut off; see " + path + ".damaged-*";
  }
  std::optional<Imported> imported;
  if (const std::string theirs = mosquittos_for(named);
      !theirs.empty() && !std::filesystem::exists(path)) {
    auto done = import_file(theirs, path);
    if (!done) {
      return std::unexpected(Error{done.error().message + "; to begin without it, move it away"});
    }
    imported = std::move(*done);
  }
  const auto damaged = std::filesystem::exists(path) ? marked_damage(path) : std::nullopt;
  auto opened = open_and_load(path, budget);
  if (opened && damaged) opened = std::unexpected(*damaged);
  if (opened) {
    // Of a file that is gone, they would be taken for this one's.
    for (const auto& left : {salvaged_of(path), Sqlite::damage_mark(path)}) {
      std::remove(left.c_str());
    }
    return File{.path = path,
                .lock = std::move(*lock),
                .content = std::move(opened->first),
                .state = std::move(opened->second),
                .damage = std::move(damage),
                .imported = std::move(imported)};
  }
  const Failure failure = opened.error();
  if (failure.kind == Failure::Kind::unusable) return std::unexpected(failure.error);
  return open_damaged(std::move(*lock), path, budget, failure.error.message, now);
}

}  // namespace mq::storage

#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "storage/file_lock.hpp"
#include "storage/sqlite.hpp"

namespace mq::storage {

/// What was taken over from mosquitto.
struct Imported {
  std::string from;  ///< its file, which is left as it is
  std::size_t unreleased =
      0;  ///< QoS 2 messages, not released by their clients, that are left behind
};

/// A broker's file, open and read.
struct File {
  std::string path;
  FileLock lock;
  Sqlite content;
  Snapshot state;
  /// Why it was moved aside, and where to, when it was damaged; empty: it was not.
  std::string damage{};
  std::optional<Imported> imported{};
};

/// Opens the file at `named` for this process alone. A damaged one is moved aside to
/// "<path>.damaged-<time>", and what can be read of it goes into a new one.
///
/// A file of mosquitto's is read once, and goes into "mqbroker.db" beside it, when that is not
/// there yet: the one that is named, or "mosquitto.db" beside a "mqbroker.db" that is named.
///
/// budget  how much is read
/// now     names the damaged file
/// Fails   another process uses it, it is in an unknown format, or it cannot be read and written
std::expected<File, Error> open_file(const std::string& named, const Budget& budget, WallTime now);

}  // namespace mq::storage

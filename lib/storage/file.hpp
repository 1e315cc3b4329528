#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "storage/file_lock.hpp"
#include "storage/sqlite.hpp"

namespace mq::storage {

/// A broker's file, open and read.
struct File {
  FileLock lock;
  Sqlite content;
  Snapshot state;
  /// Why it was moved aside, and where to, when it was damaged; empty: it was not.
  std::string damage{};
};

/// Opens the file at `path` for this process alone. A damaged one is moved aside to
/// "<path>.damaged-<time>", and what can be read of it goes into a new one.
///
/// window  what is read of each queue
/// now    names the damaged file
/// Fails  another process uses it, it is in an unknown format, or it cannot be read and written
std::expected<File, Error> open_file(const std::string& path, Window window, WallTime now);

}  // namespace mq::storage

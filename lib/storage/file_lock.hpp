#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"

namespace mq::storage {

/// A file that says who uses another one, held for as long as the object lives. The system lets go
/// of it when the process ends, however that comes about.
class FileLock {
 public:
  /// Fails  another process holds it: its id is named; or the file cannot be written
  static std::expected<FileLock, Error> take(const std::string& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace mq::storage

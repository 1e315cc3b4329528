#include "storage/file_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace mq::storage {

std::expected<FileLock, Error> FileLock::take(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return std::unexpected(Error{"cannot write " + path + ": " + std::strerror(errno)});
  }
  FileLock lock(descriptor);
  struct flock wanted{};
  wanted.l_type = F_WRLCK;
  wanted.l_whence = SEEK_SET;
  if (fcntl(descriptor, F_SETLK, &wanted) == 0) return lock;
  const int error = errno;
  if (error != EACCES && error != EAGAIN) {
    return std::unexpected(Error{"cannot lock " + path + ": " + std::strerror(error)});
  }
  fcntl(descriptor, F_GETLK, &wanted);
  return std::unexpected(Error{"in use by the process " + std::to_string(wanted.l_pid)});
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace mq::storage

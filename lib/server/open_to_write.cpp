#include "server/open_to_write.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace mq::server {
namespace {

/// Nobody but root can put a file there.
bool is_in_directory_of_root(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  struct stat found{};
  return stat(directory.empty() ? "." : directory.c_str(), &found) == 0 && found.st_uid == 0 &&
         (found.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// Empty: none.
std::string objection_to(const struct stat& file, std::optional<uid_t> heir) {
  if (!S_ISREG(file.st_mode)) return {};
  if (file.st_nlink != 1) return "root does not write to a file with a second name: remove it";
  if (file.st_uid == 0 || file.st_uid == heir) return {};
  return "root does not write to a file of somebody else in a directory where others can put "
         "files: remove it";
}

}  // namespace

std::expected<int, Error> open_to_write(const std::string& path, int flags, mode_t mode,
                                        std::optional<uid_t> heir) {
  const bool is_careful = geteuid() == 0 && !is_in_directory_of_root(path);
  const int follow = is_careful ? O_NOFOLLOW : 0;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | follow | flags, mode);
  if (file < 0) {
    if (is_careful && errno == ELOOP) {
      return std::unexpected(
          Error{"root does not follow a symbolic link in a directory where others can put files: "
                "name the file itself"});
    }
    return std::unexpected(Error{std::strerror(errno)});
  }
  struct stat found{};
  if (!is_careful || fstat(file, &found) != 0) return file;
  const std::string objection = objection_to(found, heir);
  if (objection.empty()) return file;
  close(file);
  return std::unexpected(Error{objection});
}

}  // namespace mq::server

#include "server/data_directory.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/printable.hpp"
#include "server/process.hpp"

namespace mq::server {
namespace {

namespace fs = std::filesystem;

fs::path directory_of(const std::string& file) {
  const fs::path directory = fs::path(file).parent_path();
  return directory.empty() ? fs::path(".") : directory;
}

std::unexpected<Error> cannot_make(const fs::path& directory, const std::string& why) {
  return std::unexpected(Error{
      fmt::format("cannot make the data directory {}: {}", printable(directory.string()), why)});
}

std::string value_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? std::string() : std::string(value);
}

std::string owner_of(uid_t id) {
  const passwd* entry = getpwuid(id);
  return entry == nullptr ? std::to_string(id) : entry->pw_name;
}

}  // namespace

std::expected<std::string, Error> default_data_directory() {
  if (const auto state = value_of("XDG_STATE_HOME"); !state.empty()) return state + "/mqbroker";
  if (geteuid() == 0) return "/var/lib/mqbroker";
  if (const auto home = value_of("HOME"); !home.empty()) return home + "/.local/state/mqbroker";
  return std::unexpected(
      Error{"there is no HOME to keep the broker's state in: name a directory with --data DIR, or "
            "keep it in memory with --no-persistence"});
}

std::expected<void, Error> make_data_directory(const std::string& file, const std::string& user) {
  const fs::path directory = directory_of(file);
  std::error_code error;
  if (fs::exists(directory, error)) return {};
  fs::create_directories(directory.parent_path(), error);
  if (!error && mkdir(directory.c_str(), 0700) != 0) {
    error = std::error_code(errno, std::generic_category());
  }
  if (error) return cannot_make(directory, error.message());
  const auto owner = user_after_root(user);
  if (!owner) return std::unexpected(owner.error());
  if (*owner && lchown(directory.c_str(), (*owner)->uid, (*owner)->gid) != 0) {
    return std::unexpected(
        Error{fmt::format("cannot give the data directory {} to {}: {}",
                          printable(directory.string()), (*owner)->name, std::strerror(errno))});
  }
  return {};
}

std::expected<void, Error> check_data_directory(const std::string& file, const std::string& user) {
  const fs::path directory = directory_of(file);
  constexpr int kAll = R_OK | W_OK | X_OK;
  const auto owner = user_after_root(user);
  if (!owner) return std::unexpected(owner.error());
  int error = access(directory.c_str(), kAll) == 0 ? 0 : errno;
  if (error == 0 && *owner && !denied_to(**owner, {directory.string()}, kAll).empty()) {
    error = EACCES;
  }
  if (error == 0) return {};
  struct stat found{};
  std::string details;
  if (stat(directory.c_str(), &found) == 0) {
    details =
        fmt::format(" (owner {}, mode {:04o})", owner_of(found.st_uid), found.st_mode & 07777U);
  }
  return std::unexpected(
      Error{fmt::format("user {} cannot write the data directory {}{}: {}",
                        *owner ? (*owner)->name : owner_of(geteuid()),
                        printable(directory.string()), details, std::strerror(error))});
}

std::expected<void, Error> foresee_data_directory(const std::string& file,
                                                  const std::string& user) {
  const fs::path directory = directory_of(file);
  std::error_code error;
  if (fs::exists(directory, error)) return check_data_directory(file, user);
  fs::path above = directory;
  do {
    above = directory_of(above);
  } while (access(above.c_str(), F_OK) != 0 && errno == ENOENT);
  if (access((above / ".").c_str(), W_OK | X_OK) != 0) {
    return cannot_make(directory, std::strerror(errno));
  }
  const auto owner = user_after_root(user);
  if (!owner) return std::unexpected(owner.error());
  if (*owner && !denied_to(**owner, {above.string()}, X_OK).empty()) {
    return cannot_make(directory, fmt::format("user {} cannot enter {}", (*owner)->name,
                                              printable(above.string())));
  }
  return {};
}

}  // namespace mq::server

#include "server/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "server/open_to_write.hpp"

namespace mq::server {
namespace {

/// Anybody may know it.
constexpr mode_t kPidFileMode = 0666;

std::unexpected<Error> failed(const std::string& what) {
  return std::unexpected(Error{fmt::format("{}: {}", what, std::strerror(errno))});
}

/// Ends the process that was started, as the one that goes on says.
[[noreturn]] void wait_for(pid_t child, int pipe) {
  char byte = 0;
  while (true) {
    const ssize_t size = ::read(pipe, &byte, 1);
    if (size == 1) _exit(0);
    if (size == 0 || errno != EINTR) break;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

const passwd* default_user() {
  for (const char* name : {"mosquitto", "nobody"}) {
    if (const passwd* user = getpwnam(name)) return user;
  }
  return nullptr;
}

}  // namespace

std::expected<Daemon, Error> Daemon::start() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return failed("cannot go to the background");
  const pid_t child = fork();
  if (child < 0) return failed("cannot go to the background");
  if (child > 0) {
    close(ends[1]);
    wait_for(child, ends[0]);
  }
  close(ends[0]);
  setsid();
  return Daemon(ends[1]);
}

Daemon::Daemon(Daemon&& other) noexcept : pipe_(std::exchange(other.pipe_, -1)) {}

Daemon::~Daemon() {
  if (pipe_ >= 0) close(pipe_);
}

void Daemon::ready() {
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, stream);
  close(nowhere);
  const char byte = 1;
  // Nobody waits any more when this fails, and nothing is lost.
  [[maybe_unused]] const ssize_t written = ::write(pipe_, &byte, 1);
  close(std::exchange(pipe_, -1));
}

std::expected<PidFile, Error> PidFile::write(const std::string& path, std::optional<uid_t> heir) {
  const auto file = open_to_write(path, 0, kPidFileMode, heir);
  if (!file) {
    return std::unexpected(Error{fmt::format("cannot write {}: {}", path, file.error().message)});
  }
  const std::string id = std::to_string(getpid()) + '\n';
  // What cannot be cut off is no file.
  const bool is_cut = ftruncate(*file, 0) == 0 || errno == EINVAL;
  const bool is_written = is_cut && ::write(*file, id.data(), id.size()) == std::ssize(id);
  auto result =
      is_written ? std::expected<PidFile, Error>(PidFile(path)) : failed("cannot write " + path);
  close(*file);
  return result;
}

PidFile::PidFile(PidFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}

PidFile::~PidFile() {
  if (!path_.empty()) unlink(path_.c_str());
}

std::expected<std::optional<User>, Error> user_after_root(const std::string& user) {
  if (geteuid() != 0 || user == "root") return std::nullopt;
  const passwd* entry = user.empty() ? default_user() : getpwnam(user.c_str());
  if (entry == nullptr) {
    return std::unexpected(
        Error{fmt::format("user \"{}\" does not exist (name one with the option user; root stays "
                          "root with \"user root\")",
                          user.empty() ? "nobody" : user)});
  }
  return User{entry->pw_name, entry->pw_uid, entry->pw_gid};
}

AsUser::AsUser()
    : group_(getegid()), groups_(static_cast<std::size_t>(std::max(getgroups(0, nullptr), 0))) {
  MQ_CHECK(getgroups(static_cast<int>(groups_.size()), groups_.data()) >= 0);
}

std::expected<AsUser, Error> AsUser::become(const User& user) {
  AsUser guise;
  if (initgroups(user.name.c_str(), user.gid) != 0 || setegid(user.gid) != 0 ||
      seteuid(user.uid) != 0) {
    return failed("cannot become user " + user.name);
  }
  return guise;
}

AsUser::AsUser(AsUser&& other) noexcept
    : is_moved_(std::exchange(other.is_moved_, true)),
      group_(other.group_),
      groups_(std::move(other.groups_)) {}

AsUser::~AsUser() {
  if (is_moved_) return;
  MQ_CHECK(seteuid(0) == 0 && setegid(group_) == 0);  // it was root, and is again
  MQ_CHECK(setgroups(groups_.size(), groups_.data()) == 0);
}

std::vector<std::string> denied_to(const User& user, const std::set<std::string>& files, int mode) {
  std::vector<std::string> found;
  const auto guise = AsUser::become(user);
  if (!guise) return found;
  for (const auto& file : files) {
    const bool is_denied = faccessat(AT_FDCWD, file.c_str(), mode, AT_EACCESS) != 0;
    if (is_denied && errno == EACCES) found.push_back(file);
  }
  return found;
}

std::expected<std::string, Error> drop_root(const std::string& user) {
  const auto wanted = user_after_root(user);
  if (!wanted) return std::unexpected(wanted.error());
  if (!*wanted) return {};
  const auto& [name, uid, gid] = **wanted;
  if (initgroups(name.c_str(), gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
    return failed("cannot become user " + name);
  }
  return name;
}

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace mq::server

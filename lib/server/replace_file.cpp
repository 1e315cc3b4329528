#include "server/replace_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "server/text_file.hpp"

namespace mq::server {
namespace {

/// A file beside the one to be written, gone unless it has taken its place.
class Draft {
 public:
  explicit Draft(const std::filesystem::path& beside)
      : path_((beside.parent_path() / fmt::format(".{}.XXXXXX", beside.filename().string()))
                  .string()),
        file_(mkostemp(path_.data(), O_CLOEXEC)) {}
  ~Draft() {
    if (file_ < 0) return;
    close(file_);
    if (!is_placed_) unlink(path_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  bool is_open() const { return file_ >= 0; }
  bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t size = ::write(file_, text.data(), text.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return false;
      text.remove_prefix(static_cast<std::size_t>(size));
    }
    return fsync(file_) == 0;
  }
  bool take_over(const struct stat& old) const {
    struct stat own{};
    if (fstat(file_, &own) != 0) return false;
    const bool is_same_owner = own.st_uid == old.st_uid && own.st_gid == old.st_gid;
    return (is_same_owner || fchown(file_, old.st_uid, old.st_gid) == 0) &&
           fchmod(file_, old.st_mode & 07777U) == 0;
  }
  bool replace(const std::string& path) {
    is_placed_ = rename(path_.c_str(), path.c_str()) == 0;
    return is_placed_;
  }
  bool place(const std::string& path) const { return link(path_.c_str(), path.c_str()) == 0; }

 private:
  std::string path_;
  int file_ = -1;
  bool is_placed_ = false;
};

class Directory {
 public:
  explicit Directory(const std::filesystem::path& path)
      : file_(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  ~Directory() {
    if (file_ >= 0) close(file_);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  void sync() const {
    if (file_ >= 0) fsync(file_);
  }
  /// Waits until no other process holds it; held until the object ends.
  bool lock() const {
    if (file_ < 0) return false;
    while (flock(file_, LOCK_EX) != 0) {
      if (errno != EINTR) return false;
    }
    return true;
  }

 private:
  int file_;
};

/// Where a chain of links leads.
std::filesystem::path target_of(const std::string& path) {
  std::error_code code;
  auto target = std::filesystem::weakly_canonical(path, code);
  return code ? std::filesystem::absolute(path) : target;
}

std::unexpected<Error> cannot_write(const std::string& path) {
  return std::unexpected(Error{fmt::format("cannot write {}: {}", path, std::strerror(errno))});
}

}  // namespace

std::expected<void, Error> replace_file(const std::string& path, std::string_view text,
                                        Existing existing) {
  const auto target = target_of(path);
  Draft draft(target);
  struct stat old{};
  const bool is_there = stat(target.c_str(), &old) == 0;
  if (is_there && existing == Existing::is_kept) {
    errno = EEXIST;
    return cannot_write(path);
  }
  if (!draft.is_open() || !draft.write(text)) return cannot_write(path);
  if (is_there && !draft.take_over(old)) return cannot_write(path);
  const bool is_done = existing == Existing::is_replaced ? draft.replace(target.string())
                                                         : draft.place(target.string());
  if (!is_done) return cannot_write(path);
  Directory(target.parent_path()).sync();
  return {};
}

std::expected<void, Error> edit_file(
    const std::string& path,
    const std::function<std::expected<std::string, Error>(std::string_view)>& change) {
  const Directory directory(target_of(path).parent_path());
  if (!directory.lock()) return cannot_write(path);
  const auto before = contents_of(path);
  if (!before) return std::unexpected(before.error());
  const auto after = change(*before);
  if (!after) return std::unexpected(after.error());
  return replace_file(path, *after, Existing::is_replaced);
}

}  // namespace mq::server

#include "server/replace_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

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

void sync_directory(const std::filesystem::path& directory) {
  const int file = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  fsync(file);
  close(file);
}

}  // namespace

std::expected<void, Error> replace_file(const std::string& path, std::string_view text,
                                        Existing existing) {
  std::error_code code;
  auto target = std::filesystem::weakly_canonical(path, code);
  if (code) target = std::filesystem::absolute(path);
  const auto failed = [&path] {
    return std::unexpected(Error{fmt::format("cannot write {}: {}", path, std::strerror(errno))});
  };
  Draft draft(target);
  struct stat old{};
  const bool is_there = stat(target.c_str(), &old) == 0;
  if (is_there && existing == Existing::is_kept) {
    errno = EEXIST;
    return failed();
  }
  if (!draft.is_open() || !draft.write(text)) return failed();
  if (is_there && !draft.take_over(old)) return failed();
  const bool is_done = existing == Existing::is_replaced ? draft.replace(target.string())
                                                         : draft.place(target.string());
  if (!is_done) return failed();
  sync_directory(target.parent_path());
  return {};
}

}  // namespace mq::server

#include "support/disk.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

namespace mq::storage {

namespace {

constexpr std::size_t kSector = 512;

}  // namespace

/// What SQLite holds of an open file. It starts with SQLite's own part.
struct DiskFile {
  sqlite3_file base;
  Disk* disk;
  Disk::Content* content;

  static DiskFile& of(sqlite3_file* file) { return *reinterpret_cast<DiskFile*>(file); }

  static int close(sqlite3_file*) { return SQLITE_OK; }
  static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    if (auto& left = of(file).disk->read_failures_left_; left > 0) {
      --left;
      return SQLITE_IOERR_READ;
    }
    const auto& bytes = of(file).content->now;
    const auto from = std::min(static_cast<std::size_t>(at), bytes.size());
    const auto count = std::min(static_cast<std::size_t>(size), bytes.size() - from);
    if (count > 0) std::memcpy(to, bytes.data() + from, count);
    std::memset(static_cast<char*>(to) + count, 0, static_cast<std::size_t>(size) - count);
    return count == static_cast<std::size_t>(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }
  static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    return change(file, {static_cast<std::size_t>(at), {bytes, bytes + size}, false});
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return change(file, {static_cast<std::size_t>(size), {}, true});
  }
  static int change(sqlite3_file* file, Disk::Write write) {
    if (const int code = of(file).disk->count_call(); code != SQLITE_OK) return code;
    Disk::Content& content = *of(file).content;
    Disk::apply(content.now, write);
    content.unsynced.push_back(std::move(write));
    return SQLITE_OK;
  }
  static int sync(sqlite3_file* file, int) {
    if (const int code = of(file).disk->count_call(); code != SQLITE_OK) return code;
    Disk::Content& content = *of(file).content;
    content.synced = content.now;
    content.unsynced.clear();
    return SQLITE_OK;
  }
  static int size(sqlite3_file* file, sqlite3_int64* out) {
    *out = static_cast<sqlite3_int64>(of(file).content->now.size());
    return SQLITE_OK;
  }
  static int lock(sqlite3_file*, int) { return SQLITE_OK; }
  static int is_reserved(sqlite3_file*, int* out) {
    *out = 0;
    return SQLITE_OK;
  }
  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector(sqlite3_file*) { return kSector; }
  static int characteristics(sqlite3_file*) { return 0; }  // it promises nothing
  static int map(sqlite3_file* file, int region, int size, int, void volatile** out) {
    auto& shared = of(file).content->shared;
    while (shared.size() <= static_cast<std::size_t>(region)) {
      shared.emplace_back(static_cast<std::size_t>(size));
    }
    *out = shared[static_cast<std::size_t>(region)].data();
    return SQLITE_OK;
  }
  /// Of the memory that connections share.
  static int lock_shared(sqlite3_file* file, int first, int count, int flags) {
    const auto locks =
        std::span(of(file).content->locks)
            .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    const int change = (flags & SQLITE_SHM_SHARED) != 0 ? 1 : Disk::kExclusive;
    const bool is_taken = std::ranges::any_of(
        locks, [change](int held) { return change == 1 ? held < 0 : held != 0; });
    if ((flags & SQLITE_SHM_LOCK) != 0 && is_taken) return SQLITE_BUSY;
    for (int& held : locks) held += (flags & SQLITE_SHM_LOCK) != 0 ? change : -change;
    return SQLITE_OK;
  }
  static void barrier(sqlite3_file*) {}
  static int unmap(sqlite3_file* file, int is_to_be_deleted) {
    if (is_to_be_deleted != 0) of(file).content->shared.clear();
    return SQLITE_OK;
  }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    static constexpr sqlite3_io_methods kMethods{.iVersion = 2,
                                                 .xClose = close,
                                                 .xRead = read,
                                                 .xWrite = write,
                                                 .xTruncate = truncate,
                                                 .xSync = sync,
                                                 .xFileSize = size,
                                                 .xLock = lock,
                                                 .xUnlock = lock,
                                                 .xCheckReservedLock = is_reserved,
                                                 .xFileControl = control,
                                                 .xSectorSize = sector,
                                                 .xDeviceCharacteristics = characteristics,
                                                 .xShmMap = map,
                                                 .xShmLock = lock_shared,
                                                 .xShmBarrier = barrier,
                                                 .xShmUnmap = unmap,
                                                 .xFetch = nullptr,
                                                 .xUnfetch = nullptr};
    Disk& disk = *static_cast<Disk*>(vfs->pAppData);
    of(file).disk = &disk;
    of(file).content = &disk.files_[name == nullptr ? "unnamed" : name];
    of(file).base.pMethods = &kMethods;
    if (out != nullptr) *out = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int) {
    static_cast<Disk*>(vfs->pAppData)->files_.erase(name);
    return SQLITE_OK;
  }
  static int access(sqlite3_vfs* vfs, const char* name, int, int* out) {
    const auto& files = static_cast<Disk*>(vfs->pAppData)->files_;
    const auto file = files.find(name);
    *out = file != files.end() && !file->second.now.empty() ? 1 : 0;
    return SQLITE_OK;
  }
  static int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }
};

Disk::Disk() : usual_(sqlite3_vfs_find(nullptr)) {
  vfs_ = *usual_;
  vfs_.szOsFile = sizeof(DiskFile);
  vfs_.zName = "disk";
  vfs_.pAppData = this;
  vfs_.xOpen = DiskFile::open;
  vfs_.xDelete = DiskFile::remove;
  vfs_.xAccess = DiskFile::access;
  vfs_.xFullPathname = DiskFile::full_path;
  sqlite3_vfs_register(&vfs_, 1);
}

Disk::~Disk() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(usual_, 1);
}

void Disk::fail_at(std::uint64_t call, int code, std::uint64_t times) {
  fails_from_ = calls_ + call;
  failures_left_ = times;
  failed_ = 0;
  code_ = code;
}

int Disk::count_call() {
  if (++calls_ < fails_from_ || failures_left_ == 0) return SQLITE_OK;
  --failures_left_;
  ++failed_;
  return code_;
}

void Disk::apply(std::vector<unsigned char>& bytes, const Write& write) {
  if (write.is_truncation) {
    bytes.resize(std::min(bytes.size(), write.at));
    return;
  }
  bytes.resize(std::max(bytes.size(), write.at + write.bytes.size()));
  std::ranges::copy(write.bytes, std::next(bytes.begin(), static_cast<std::ptrdiff_t>(write.at)));
}

void Disk::cut_power(Prng& prng) {
  fails_from_ = UINT64_MAX;
  for (auto& [name, content] : files_) {
    auto left = content.synced;
    const auto kind = prng.below(3);  // nothing of it, some of it, all of it
    for (const Write& write : content.unsynced) {
      if (kind == 0 || (write.is_truncation && kind == 1 && prng.chance(1, 2))) continue;
      if (write.is_truncation || kind == 2) {
        apply(left, write);
        continue;
      }
      for (std::size_t at = 0; at < write.bytes.size(); at += kSector) {
        if (prng.chance(1, 2)) continue;
        const auto end = std::min(at + kSector, write.bytes.size());
        apply(left, {write.at + at, {&write.bytes[at], &write.bytes[at] + (end - at)}, false});
      }
    }
    content.now = content.synced = std::move(left);
    content.unsynced.clear();
    content.shared.clear();
    content.locks = {};
  }
}

}  // namespace mq::storage

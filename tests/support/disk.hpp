#pragma once

#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/prng.hpp"

namespace mq::storage {

/// A disk for SQLite that forgets, when the power is cut, what was written since the last sync: all
/// of it, or some of it, or half a sector's neighbours of it. And one on which any call can fail.
/// While it lives, SQLite uses it for every file.
class Disk {
 public:
  Disk();
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// From the `call`th write, sync or truncation on, counted from now, calls fail with `code`: for
  /// `times` calls.
  void fail_at(std::uint64_t call, int code, std::uint64_t times);
  /// Whether a call has failed since fail_at().
  bool has_failed() const { return failed_ > 0; }
  /// The next `times` reads fail.
  void fail_reads(std::uint64_t times) { read_failures_left_ = times; }
  /// How many writes, syncs and truncations there have been.
  std::uint64_t calls() const { return calls_; }

  /// Each file is left with what was synced, and of what was written since, sector by sector, some.
  /// Every database must be closed.
  void cut_power(Prng& prng);

 private:
  friend struct DiskFile;
  static constexpr int kExclusive = -1;

  struct Write {
    std::size_t at = 0;
    std::vector<unsigned char> bytes;
    bool is_truncation = false;
  };
  struct Content {
    std::vector<unsigned char> now;
    std::vector<unsigned char> synced;
    std::vector<Write> unsynced;
    std::vector<std::vector<unsigned char>> shared;  ///< memory that connections share
    std::array<int, SQLITE_SHM_NLOCK> locks{};       ///< on it: how many have one, or kExclusive
  };

  /// SQLITE_OK, or the failure that is due.
  int count_call();
  static void apply(std::vector<unsigned char>& bytes, const Write& write);

  sqlite3_vfs vfs_{};
  sqlite3_vfs* usual_ = nullptr;
  std::map<std::string, Content> files_;
  std::uint64_t calls_ = 0;
  std::uint64_t fails_from_ = UINT64_MAX;
  std::uint64_t failures_left_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t read_failures_left_ = 0;
  int code_ = SQLITE_OK;
};

}  // namespace mq::storage

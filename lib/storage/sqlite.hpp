#pragma once

#include <expected>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "storage/store.hpp"
#include "storage/sync_policy.hpp"

namespace mq::storage {

class Database;
struct Salvaged;

/// A broker's state in an SQLite file, as FORMAT.md lays it out. One thread at a time. Where damage
/// is found while it is in use, a mark is left beside it.
class Sqlite {
 public:
  /// Why a file cannot be opened.
  struct Failure {
    enum class Kind {
      unusable,  ///< it, or the directory, cannot be read and written; or it is in a newer format
      damaged,   ///< it is no database, or not one of ours, or what it holds makes no sense
    };
    Kind kind;
    Error error;
  };

  /// Opens the file, and makes it when there is none.
  static std::expected<Sqlite, Failure> open(const std::string& path);
  ~Sqlite();
  Sqlite(Sqlite&& other) noexcept;
  Sqlite& operator=(Sqlite&&) = delete;

  /// What is stored, within the budget.
  std::expected<Snapshot, Failure> load(const Budget& budget = kUnlimited);
  /// What was asked for, as far as it is stored and not damaged.
  std::expected<Page, Error> read(const Load& load);
  /// Stores the batch, or nothing of it. With SyncPolicy::Kind::always, as it is at first, it
  /// survives a power cut when this returns; with `interval`, when checkpoint() returns after it.
  std::expected<void, Error> commit(const Batch& batch);
  std::expected<void, Error> use(SyncPolicy::Kind kind);
  /// Waits until all that was committed is on the disk, and moves it into the main file.
  std::expected<void, Error> checkpoint();

  /// Why the database is none that we can use; empty: it is one.
  static std::string identify(const Database& database);

  /// What can be read of a file that is damaged, which stays as it is; nothing at worst.
  ///
  /// Fails  it cannot be read for another reason: what is in it may be whole
  static std::expected<Salvaged, Error> salvage(const std::string& path);
  /// The name of the file that is beside one in which damage was found while it was in use.
  static std::string damage_mark(const std::string& path) { return path + ".damaged"; }

 private:
  struct State;
  explicit Sqlite(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace mq::storage

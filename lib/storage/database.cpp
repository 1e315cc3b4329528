#include "storage/database.hpp"

#include <system_error>
#include <utility>

namespace mq::storage {
namespace {

/// SQLite's words, and the system's where it knows better.
DatabaseError error_of(sqlite3* database) {
  const int code = sqlite3_errcode(database) & 0xFF;
  std::string words = sqlite3_errmsg(database);
  const int error = sqlite3_system_errno(database);
  const bool is_systems = code == SQLITE_IOERR || code == SQLITE_CANTOPEN || code == SQLITE_FULL;
  if (is_systems && error != 0) words += ": " + std::generic_category().message(error);
  return {code, std::move(words)};
}

/// Nobody asks how much memory SQLite has, and counting it takes a lock at every allocation.
void configure() {
  static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)done;
}

}  // namespace

Statement::Statement(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  handle_.reset(statement);
  if (code != SQLITE_OK) throw error_of(database);
}

bool Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(handle_.get());
    return false;
  }
  const DatabaseError error = error_of(sqlite3_db_handle(handle_.get()));
  sqlite3_reset(handle_.get());  // and the database forgets what was wrong
  throw error;                   // NOLINT(misc-throw-by-value-catch-by-reference)
}

ByteView Statement::bytes(int column) const {
  const auto* data = static_cast<const Byte*>(sqlite3_column_blob(handle_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

void Statement::bind(int at, ByteView bytes) {
  if (bytes.empty()) {
    sqlite3_bind_zeroblob(handle_.get(), at, 0);
  } else {
    sqlite3_bind_blob64(handle_.get(), at, bytes.data(), bytes.size(), SQLITE_STATIC);
  }
}

Database::Database(const std::string& path, int flags) {
  configure();
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  handle_.reset(database);
  if (code != SQLITE_OK) throw error_of(database);
}

void Database::run(const char* sql) const {
  if (sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw error_of(handle());
  }
}

std::int64_t Database::number(std::string_view sql) const {
  Statement statement = prepare(sql);
  return statement.step() ? statement.number(0) : 0;
}

}  // namespace mq::storage

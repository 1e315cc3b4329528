#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace mq::storage {

/// What SQLite said. It is thrown and caught within this folder.
struct DatabaseError {
  int code = SQLITE_ERROR;  ///< the primary result code
  std::string words;

  /// The file's content is wrong, not the world around it.
  bool is_damage() const { return code == SQLITE_CORRUPT || code == SQLITE_NOTADB; }
};

/// A prepared statement.
class Statement {
 public:
  /// Throws  DatabaseError
  Statement(sqlite3* database, std::string_view sql);

  /// Starts it anew with these values for its parameters, in order. Text and bytes are referred to
  /// until the statement has run.
  template <class... Values>
  Statement& with(const Values&... values) {
    sqlite3_reset(handle_.get());
    int at = 0;
    (bind(++at, values), ...);
    return *this;
  }
  /// Returns whether there is a row. Throws DatabaseError.
  bool step();
  void run() {
    while (step()) {
    }
  }

  /// It has no row any more, and holds nothing in the file.
  void reset() { sqlite3_reset(handle_.get()); }

  /// Of the row, by column; text and bytes are valid until the next step.
  std::int64_t number(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  template <std::integral T>
  T as(int column) const {
    return static_cast<T>(number(column));
  }
  std::string_view text(int column) const { return text_of(bytes(column)); }
  ByteView bytes(int column) const;
  std::vector<Byte> copy(int column) const {
    const ByteView view = bytes(column);
    return {view.begin(), view.end()};
  }
  /// Of a column in microseconds since 1970.
  WallTime wall_time(int column) const { return WallTime(WallTime::duration(number(column))); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  template <std::integral T>
  void bind(int at, T value) {
    sqlite3_bind_int64(handle_.get(), at, static_cast<std::int64_t>(value));
  }
  void bind(int at, std::string_view text) {
    sqlite3_bind_text64(handle_.get(), at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  void bind(int at, ByteView bytes);

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

/// A connection to a database file.
class Database {
 public:
  /// flags   SQLITE_OPEN_…
  /// Throws  DatabaseError
  Database(const std::string& path, int flags);

  sqlite3* handle() const { return handle_.get(); }
  /// Runs statements that return nothing. Throws DatabaseError.
  void run(const char* sql) const;
  Statement prepare(std::string_view sql) const { return {handle_.get(), sql}; }
  /// The number that a statement returns. Throws DatabaseError.
  std::int64_t number(std::string_view sql) const;

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };

  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace mq::storage

#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace mq::server {

/// A process that leaves its terminal. Whoever started it gets its prompt back when it is ready,
/// or its exit code when it could not get so far.
class Daemon {
 public:
  /// Goes on in a new process. The old one stays until the new one is ready, and never returns.
  ///
  /// Fails  the system cannot start another process
  static std::expected<Daemon, Error> start();
  ~Daemon();
  Daemon(Daemon&& other) noexcept;
  Daemon& operator=(Daemon&&) = delete;

  /// Lets go of the terminal: what is written to stdout and stderr from now on is lost.
  void ready();

 private:
  explicit Daemon(int pipe) : pipe_(pipe) {}

  int pipe_;  ///< on which the old process waits; closed without a byte, it failed
};

/// A file with the process id in it, for as long as the object lives.
class PidFile {
 public:
  /// heir   whom root becomes later; nothing: nobody
  /// Fails  the file cannot be written
  static std::expected<PidFile, Error> write(const std::string& path, std::optional<uid_t> heir);
  ~PidFile();
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&&) = delete;

 private:
  explicit PidFile(std::string path) : path_(std::move(path)) {}

  std::string path_;  ///< empty: moved from
};

/// Somebody whom the system knows.
struct User {
  std::string name;
  uid_t uid;
  gid_t gid;
};

/// Whom drop_root() will make of this process; nothing: it stays who it is.
///
/// Fails  no such user
std::expected<std::optional<User>, Error> user_after_root(const std::string& user);

/// Root is somebody else as long as it lives.
class AsUser {
 public:
  /// Fails  the system refuses
  static std::expected<AsUser, Error> become(const User& user);
  ~AsUser();
  AsUser(AsUser&& other) noexcept;
  AsUser& operator=(AsUser&&) = delete;

 private:
  AsUser();

  bool is_moved_ = false;
  gid_t group_;
  std::vector<gid_t> groups_;
};

/// Of these files, those that are there and that the user whom root becomes could not use.
///
/// mode  as for access(2)
std::vector<std::string> denied_to(const User& user, const std::set<std::string>& files, int mode);

/// Root becomes somebody who may do less. Does nothing when it is not root who runs the process, or
/// when `user` is "root".
///
/// user     empty: mosquitto, or nobody where there is no such user
/// Returns  who it is now; empty: nothing has changed
/// Fails    no such user, or the system refuses
std::expected<std::string, Error> drop_root(const std::string& user);

/// As many open files as the system allows this process, because every connection is one.
void raise_file_limit();

}  // namespace mq::server

#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"

/// What can be done with a broker's file from outside, also while the broker runs.
namespace mq::storage {

/// What a file holds, in numbers.
struct FileStats {
  struct Session {
    std::string client_id;
    std::uint32_t expiry_interval = 0;
    WallTime asleep_since = kAwake;
    std::size_t subscriptions = 0;
    std::size_t queued = 0;
    std::size_t queued_bytes = 0;  ///< of payload
  };
  std::vector<Session> sessions;  ///< by client id
  std::size_t messages = 0;       ///< bodies
  std::size_t message_bytes = 0;  ///< of payload
  std::size_t retained = 0;
  std::size_t file_bytes = 0;  ///< of the main file, with what is free in it
};

/// What is wrong with the file, a line each; empty: nothing is.
///
/// Fails  it cannot be read, or it is not a broker's
std::expected<std::vector<std::string>, Error> verify(const std::string& path);

/// Fails  as verify()
std::expected<FileStats, Error> stats_of(const std::string& path);

/// Hands out everything that is in the file, as the changes that would make it out of nothing.
///
/// Fails  as verify()
std::expected<void, Error> dump(const std::string& path,
                                const std::function<void(const Change&)>& take);

/// Copies the file as it is at one moment, complete before it has its name.
///
/// Fails  `to` is there already or cannot be written; and as verify()
std::expected<void, Error> back_up(const std::string& path, const std::string& to);

}  // namespace mq::storage

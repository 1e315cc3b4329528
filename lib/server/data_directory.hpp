#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"

namespace mq::server {

/// Where a broker keeps its state when nobody says where: $XDG_STATE_HOME/mqbroker, by default
/// ~/.local/state/mqbroker, for root /var/lib/mqbroker.
///
/// Fails  there is no home directory
std::expected<std::string, Error> default_data_directory();

/// Makes the directory of `file`, and those above it, where there are none. When root makes it, it
/// belongs to whom drop_root(user) makes of the process.
///
/// Fails  a directory cannot be made
std::expected<void, Error> make_data_directory(const std::string& file, const std::string& user);

/// Fails  the directory of `file` cannot be written: it is named with its owner and mode
std::expected<void, Error> check_data_directory(const std::string& file, const std::string& user);

/// Fails  as make_data_directory() and check_data_directory() would, one after the other. Makes
///        nothing
std::expected<void, Error> foresee_data_directory(const std::string& file, const std::string& user);

}  // namespace mq::server

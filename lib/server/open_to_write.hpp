#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace mq::server {

/// Opens a file for writing, and makes it, for its owner's eyes or as `mode` says, when it is not
/// there. Root writes to nothing that somebody else may have led it to: in a directory where others
/// can put files, a regular file has to be root's or the heir's, under no other name, and no
/// symbolic link.
///
/// flags  besides O_WRONLY and O_CREAT, such as O_APPEND; not O_TRUNC
/// heir   whom root becomes later; nothing: nobody
/// Fails  with the reason alone
std::expected<int, Error> open_to_write(const std::string& path, int flags, mode_t mode,
                                        std::optional<uid_t> heir);

}  // namespace mq::server

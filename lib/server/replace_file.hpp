#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace mq::server {

enum class Existing : std::uint8_t { is_kept, is_replaced };

/// Writes a file whole or not at all: whoever reads it meanwhile sees the old one or the new one.
/// One that is replaced passes on its owner and mode, and stays where a link leads to it; a new one
/// is for its owner only.
///
/// existing  is_kept: a file that is there is a failure
/// Fails     one line that names the file and the system's reason; then it is what it was
std::expected<void, Error> replace_file(const std::string& path, std::string_view text,
                                        Existing existing);

/// Replaces a file by what `change` makes of its text. Processes that edit files of the same
/// directory in this way wait for one another, so none undoes what another has done.
///
/// Fails  as replace_file(), contents_of() and `change`; then the file is what it was
std::expected<void, Error> edit_file(
    const std::string& path,
    const std::function<std::expected<std::string, Error>(std::string_view)>& change);

}  // namespace mq::server

#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace mq::server {

inline constexpr std::string_view kBlanks = " \t\r\n\v\f";

std::string_view trimmed(std::string_view text);

/// The next line of `text`, without its end; cuts it off.
std::string_view take_line(std::string_view& text);

/// Without the byte order mark with which some editors begin a file.
///
/// Fails  one line that names the file and the system's reason
std::expected<std::string, Error> contents_of(const std::string& path);

/// Whether everybody on this machine may read it.
bool is_readable_by_all(const std::string& path);

}  // namespace mq::server

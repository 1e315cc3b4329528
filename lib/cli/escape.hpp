#pragma once

#include <string>
#include <string_view>

namespace mq::cli {

enum class Newlines : bool { kept, escaped };

/// Appends text for a terminal: \xNN for control characters (see base/printable.hpp) other than
/// tabs, with newlines as it is said, and for what is not UTF-8.
void escape(std::string_view text, Newlines newlines, std::string& out);

}  // namespace mq::cli

#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace mq::cli {

/// Appends text for a terminal: \xNN for control characters other than tab and newline, and for
/// what is not UTF-8.
void escape(std::string_view text, std::string& out);

}  // namespace mq::cli

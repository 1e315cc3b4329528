#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/option.hpp"

namespace mq::cli {

/// What --help prints: usage lines, then the table, wrapped to 80 columns.
std::string help_text(std::string_view usage, std::span<const OptionName> table);

}  // namespace mq::cli

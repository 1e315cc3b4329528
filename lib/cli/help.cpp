#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mq::cli {

namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kHelpColumn = 32;

std::string left_side(const OptionName& option) {
  const std::string letter = option.letter == 0 ? "    " : fmt::format("-{}, ", option.letter);
  const std::string argument = option.argument.empty() ? "" : fmt::format(" {}", option.argument);
  return fmt::format("  {}--{}{}", letter, option.name, argument);
}

void add_wrapped(std::string& out, std::string_view words, std::size_t column) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (column + 1 + end > kColumns) {
      out += fmt::format("\n{:{}}", "", kHelpColumn);
      column = kHelpColumn;
    } else {
      out += ' ';
      ++column;
    }
    out += words.substr(0, end);
    column += end;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  out += '\n';
}

}  // namespace

std::string help_text(std::string_view usage, std::span<const OptionName> table) {
  std::string out(usage);
  for (const OptionName& option : table) {
    std::string left = left_side(option);
    if (left.size() >= kHelpColumn) left += fmt::format("\n{:{}}", "", kHelpColumn - 1);
    out += fmt::format("{:{}}", left, kHelpColumn - 1);
    std::string words(option.help);
    if (!option.default_value.empty()) words += fmt::format(" (default {})", option.default_value);
    add_wrapped(out, words, kHelpColumn - 1);
  }
  return out;
}

}  // namespace mq::cli

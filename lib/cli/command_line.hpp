#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/option.hpp"

namespace mq::cli {

template <class Options>
std::vector<OptionName> names_of(std::span<const OptionRow<Options>> table) {
  std::vector<OptionName> names;
  for (const auto& row : table) names.push_back(row.name);
  return names;
}

/// Applies a command line to `options`, in the order given, by the table.
///
/// Fails  one line that names the option, what is wrong and the remedy
template <class Options>
std::expected<Options, Error> apply(std::span<const OptionRow<Options>> table, Options options,
                                    std::span<char* const> arguments,
                                    std::vector<std::string>* operands = nullptr) {
  const auto given = parse_arguments(names_of(table), arguments, operands);
  if (!given) return std::unexpected(given.error());
  for (const Given& one : *given) {
    const auto& row = table[one.row];
    if (const Verdict verdict = row.effect(options, one.value); !verdict) {
      return std::unexpected(Error{label(row.name) + " " + one.value + ": " + verdict.error()});
    }
  }
  return options;
}

}  // namespace mq::cli

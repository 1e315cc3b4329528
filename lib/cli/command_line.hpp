#pragma once

#include <algorithm>
#include <expected>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/option.hpp"
#include "cli/options_file.hpp"

namespace mq::cli {

template <class Options>
std::vector<OptionName> names_of(std::span<const OptionRow<Options>> table) {
  std::vector<OptionName> names;
  names.reserve(table.size());
  for (const auto& row : table) names.push_back(row.name);
  return names;
}

/// Applies what was given to `options`, in that order, by the table.
template <class Options>
std::expected<Options, Error> apply_given(std::span<const OptionRow<Options>> table,
                                          Options options, std::span<const Given> given) {
  for (const Given& one : given) {
    const auto& row = table[one.row];
    if (const Verdict verdict = row.effect(options, one.value); !verdict) {
      return std::unexpected(
          Error{one.origin + shown(row.name, one.value) + ": " + verdict.error()});
    }
  }
  return options;
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
  return apply_given(table, std::move(options), *given);
}

/// The same, and before it the options of a file: the one that -o names, or else the first of
/// `default_files` that exists. With --help or --version no file is read.
///
/// Fails  likewise; of a mistake in a file also the place
template <class Options>
std::expected<Options, Error> apply_with_file(std::span<const OptionRow<Options>> table,
                                              Options options, std::span<char* const> arguments,
                                              std::span<const std::string> default_files) {
  const auto names = names_of(table);
  const auto given = parse_arguments(names, arguments);
  if (!given) return std::unexpected(given.error());
  auto all = given_by_file(names, *given, default_files);
  if (!all) return std::unexpected(all.error());
  std::ranges::copy(*given, std::back_inserter(*all));
  return apply_given(table, std::move(options), *all);
}

}  // namespace mq::cli

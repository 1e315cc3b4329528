#include "cli/arguments.hpp"

// The parser would otherwise build regular expressions at every start.
#define CXXOPTS_NO_REGEX
#include <algorithm>
#include <cstring>
#include <cxxopts.hpp>

#include "base/nearest.hpp"

// cxxopts does the reading; every value is a plain string to it, since it would cut lists at commas
// and topics may have commas. What the values mean is decided by the table, in the order given.

namespace mq::cli {

namespace {

/// What stands between the quotes of the library's message: the option in question.
std::string quoted(std::string_view words) {
  const auto start = words.find(cxxopts::LQUOTE);
  const auto end = words.rfind(cxxopts::RQUOTE);
  if (start == std::string_view::npos || end == std::string_view::npos) return {};
  const auto from = start + cxxopts::LQUOTE.size();
  return std::string(words.substr(from, end - from));
}

std::string dashed(std::string_view name) {
  return (name.size() == 1 ? "-" : "--") + std::string(name);
}

std::vector<std::string_view> long_names(std::span<const OptionName> table) {
  std::vector<std::string_view> names;
  for (const OptionName& option : table) names.push_back(option.name);
  return names;
}

/// A long name behind one dash, "-topic", reads as a bundle of letters that do not exist.
std::string_view meant_long(char letter, std::span<char* const> arguments,
                            std::span<const OptionName> table) {
  for (const std::string_view argument : arguments) {
    if (argument.size() < 3 || argument[0] != '-' || argument[1] == '-') continue;
    if (!argument.contains(letter)) continue;
    const auto name = nearest(argument.substr(1), long_names(table));
    if (!name.empty()) return name;
  }
  return {};
}

Error unknown_option(const std::string& name, std::span<char* const> arguments,
                     std::span<const OptionName> table) {
  const std::string_view suggestion =
      name.size() == 1 ? meant_long(name[0], arguments, table) : nearest(name, long_names(table));
  if (suggestion.empty()) return {"unknown option " + dashed(name) + "; --help lists all"};
  return {"unknown option " + dashed(name) + "; did you mean --" + std::string(suggestion) + "?"};
}

const OptionName* find(std::span<const OptionName> table, std::string_view name) {
  for (const OptionName& option : table) {
    if (option.name == name || (name.size() == 1 && option.letter == name[0])) return &option;
  }
  return nullptr;
}

Error missing_value(const std::string& name, std::span<const OptionName> table) {
  const OptionName* option = find(table, name);
  const std::string argument(option == nullptr ? "a value" : option->argument);
  return {dashed(name) + " needs " + argument + " behind it"};
}

cxxopts::Options declare(std::span<const OptionName> table) {
  cxxopts::Options options("");
  for (const OptionName& option : table) {
    std::string names(option.name);
    if (option.letter != 0) names = std::string(1, option.letter) + "," + names;
    std::shared_ptr<cxxopts::Value> value = cxxopts::value<std::string>();
    if (option.argument.empty()) value->implicit_value("");
    options.add_options()(names, "", value);
  }
  return options;
}

/// Where an argument has the value of an option: the end of it when that is the next argument.
struct Place {
  const OptionName* option = nullptr;  ///< none: it has no value
  std::size_t offset = 0;
};

Place value_place(std::span<const OptionName> table, std::string_view argument) {
  if (argument.starts_with("--")) {
    const std::size_t equals = std::min(argument.find('='), argument.size());
    const OptionName* option = find(table, argument.substr(2, equals - 2));
    if (option == nullptr || option->argument.empty()) return {};
    return {option, std::min(equals + 1, argument.size())};
  }
  if (!argument.starts_with('-')) return {};
  for (std::size_t i = 1; i < argument.size(); ++i) {
    const OptionName* option = find(table, argument.substr(i, 1));
    if (option != nullptr && !option->argument.empty()) return {option, i + 1};
  }
  return {};
}

}  // namespace

std::expected<std::vector<Given>, Error> parse_arguments(std::span<const OptionName> table,
                                                         std::span<char* const> arguments,
                                                         std::vector<std::string>* operands) {
  try {
    auto options = declare(table);
    const auto parsed = options.parse(static_cast<int>(arguments.size()), arguments.data());
    if (operands != nullptr) {
      *operands = parsed.unmatched();
    } else if (!parsed.unmatched().empty()) {
      return std::unexpected(Error{"unexpected argument \"" + parsed.unmatched().front() +
                                   "\"; every value needs an option in front"});
    }
    std::vector<Given> given;
    for (const auto& one : parsed.arguments()) {
      const auto row = static_cast<std::size_t>(find(table, one.key()) - table.data());
      if (table[row].argument.empty() && !one.value().empty()) {
        return std::unexpected(Error{label(table[row]) + " takes no value"});
      }
      given.push_back({row, one.value()});
    }
    return given;
  } catch (const cxxopts::exceptions::no_such_option& failure) {
    return std::unexpected(unknown_option(quoted(failure.what()), arguments, table));
  } catch (const cxxopts::exceptions::missing_argument& failure) {
    return std::unexpected(missing_value(quoted(failure.what()), table));
  } catch (const cxxopts::exceptions::exception& failure) {
    return std::unexpected(
        Error{"cannot make sense of " + quoted(failure.what()) + "; --help lists all options"});
  }
}

std::string label(const OptionName& option) {
  if (option.letter != 0) return std::string("-") + option.letter;
  return "--" + std::string(option.name);
}

void wipe(std::span<const OptionName> table, std::string_view name,
          std::span<char* const> arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--") return;
    const Place place = value_place(table, argument);
    if (place.option == nullptr) continue;
    char* value = arguments[i] + place.offset;
    if (place.offset == argument.size()) {
      if (++i == arguments.size()) return;
      value = arguments[i];
    }
    if (place.option->name == name) std::memset(value, 'x', std::strlen(value));
  }
}

}  // namespace mq::cli

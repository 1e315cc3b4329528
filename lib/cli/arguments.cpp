#include "cli/arguments.hpp"

// The parser would otherwise build regular expressions at every start.
#define CXXOPTS_NO_REGEX
#include <algorithm>
#include <cstring>
#include <cxxopts.hpp>
#include <deque>
#include <limits>

#include "base/nearest.hpp"
#include "cli/number.hpp"

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

Error missing_value(const std::string& shown, const OptionName* option) {
  const std::string argument(option == nullptr ? "a value" : option->argument);
  return {shown + " needs " + argument + " behind it"};
}

bool may_be_on(std::span<char* const> arguments, const OptionName& option) {
  return std::ranges::any_of(arguments, [&](std::string_view argument) {
    if (argument.starts_with("--")) return argument.substr(2).starts_with(option.name);
    return option.letter != 0 && argument.starts_with('-') && argument.contains(option.letter);
  });
}

/// Only the options that a command line may have: to declare all is most of a short run's work.
cxxopts::Options declare(std::span<const OptionName> table, std::span<char* const> arguments) {
  cxxopts::Options options("");
  for (const OptionName& option : table) {
    if (!may_be_on(arguments, option)) continue;
    std::string names(option.name);
    if (option.letter != 0) names = std::string(1, option.letter) + "," + names;
    std::shared_ptr<cxxopts::Value> value = cxxopts::value<std::string>();
    if (option.argument.empty()) value->implicit_value("");
    if (option.values == Values::number_or_none) {
      value->implicit_value(std::string(option.default_value));
    }
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

bool is_number(std::string_view text) {
  return parse_number<double>(text, 0.0, std::numeric_limits<double>::max()).has_value();
}

/// The arguments that stand for the values of an option, from the one that names it.
std::size_t span_of(const Place& place, std::span<char* const> arguments) {
  const bool is_begun = place.offset < std::string_view(arguments[0]).size();
  const auto at = [&](std::size_t i) {  // the i-th value
    if (is_begun && i == 0) return std::string_view(arguments[0]).substr(place.offset);
    const std::size_t index = is_begun ? i : i + 1;
    return index < arguments.size() ? std::string_view(arguments[index]) : std::string_view();
  };
  std::size_t values = 1;
  if (place.option->values == Values::property) values = at(1) == "user-property" ? 4 : 3;
  if (place.option->values == Values::number_or_none && !is_begun) values = is_number(at(0));
  return values + (is_begun ? 0 : 1);
}

/// A command line on which every option has one value or none, as the library wants it: those of
/// several values have the number of a list instead.
struct Gathered {
  std::deque<std::string> texts;  ///< that arguments point to
  std::vector<char*> arguments;
  std::vector<std::string> lists;

  void add(std::string text) { arguments.push_back(texts.emplace_back(std::move(text)).data()); }
  void add(std::span<char* const> more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
  }
  /// `given` names the option and has its values behind it.
  void add_option(const Place& place, std::span<char* const> given);
};

void Gathered::add_option(const Place& place, std::span<char* const> given) {
  const std::string_view first = given[0];
  if (place.option->values == Values::property) {
    std::string list(first.substr(place.offset));
    for (const char* value : given.subspan(1)) {
      if (!list.empty()) list += kJoint;
      list += value;
    }
    std::string name(first.substr(0, place.offset));
    if (name.ends_with('=')) name.pop_back();
    add(std::move(name));
    add(std::to_string(lists.size()));
    lists.push_back(std::move(list));
  } else if (place.option->values == Values::number_or_none && given.size() > 1) {
    add(std::string(first) + "=" + given[1]);
  } else if (!first.starts_with("--") && place.offset < first.size()) {
    add(std::string(first.substr(0, place.offset)));  // the library takes only letters and digits
    add(std::string(first.substr(place.offset)));     // right behind a letter
  } else {
    add(given);
  }
}

std::expected<Gathered, Error> gather(std::span<const OptionName> table,
                                      std::span<char* const> arguments) {
  Gathered out;
  out.add(arguments.first(1));
  for (std::size_t i = 1; i < arguments.size();) {
    if (std::string_view(arguments[i]) == "--") {
      out.add(arguments.subspan(i));
      break;
    }
    const auto rest = arguments.subspan(i);
    const Place place = value_place(table, arguments[i]);
    std::size_t count = place.option == nullptr ? 1 : span_of(place, rest);
    if (count > rest.size() && place.option->values == Values::property) {
      return std::unexpected(missing_value(label(*place.option), place.option));
    }
    count =
        std::min(count, rest.size());  // a single value that is missing is the library's to find
    if (place.option == nullptr) {
      out.add(rest.first(1));
    } else {
      out.add_option(place, rest.first(count));
    }
    i += count;
  }
  return out;
}

}  // namespace

std::expected<std::vector<Given>, Error> parse_arguments(std::span<const OptionName> table,
                                                         std::span<char* const> arguments,
                                                         std::vector<std::string>* operands) {
  const auto gathered = gather(table, arguments);
  if (!gathered) return std::unexpected(gathered.error());
  try {
    auto options = declare(table, gathered->arguments);
    const auto parsed =
        options.parse(static_cast<int>(gathered->arguments.size()), gathered->arguments.data());
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
      const bool is_list = table[row].values == Values::property;
      given.push_back({row, is_list ? gathered->lists[std::stoul(one.value())] : one.value()});
    }
    return given;
  } catch (const cxxopts::exceptions::no_such_option& failure) {
    return std::unexpected(unknown_option(quoted(failure.what()), arguments, table));
  } catch (const cxxopts::exceptions::missing_argument& failure) {
    const std::string name = quoted(failure.what());
    return std::unexpected(missing_value(dashed(name), find(table, name)));
  } catch (const cxxopts::exceptions::exception& failure) {
    return std::unexpected(
        Error{"cannot make sense of " + quoted(failure.what()) + "; --help lists all options"});
  }
}

std::string label(const OptionName& option) {
  if (option.letter != 0) return std::string("-") + option.letter;
  return "--" + std::string(option.name);
}

std::string shown(const OptionName& option, std::string_view value) {
  if (option.secrecy == Secrecy::secret) return label(option);
  std::string words(value);
  std::ranges::replace(words, kJoint, ' ');
  return label(option) + " " + words;
}

void wipe_secrets(std::span<const OptionName> table, std::span<char* const> arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--") return;
    const Place place = value_place(table, argument);
    if (place.option == nullptr) continue;
    const std::size_t last = i + span_of(place, arguments.subspan(i)) - 1;
    if (last >= arguments.size()) return;
    if (place.option->secrecy == Secrecy::secret) {
      char* value = last == i ? arguments[i] + place.offset : arguments[last];
      std::memset(value, 'x', std::strlen(value));
    }
    i = last;
  }
}

}  // namespace mq::cli

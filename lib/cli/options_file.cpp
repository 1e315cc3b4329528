#include "cli/options_file.hpp"

#include <algorithm>
#include <filesystem>

#include "cli/payload.hpp"

namespace mq::cli {

namespace {

/// Whether only one of these options may be given. They are named by their long names.
bool are_rivals(std::string_view one, std::string_view other) {
  static const std::vector<std::string_view> kGroups[] = {
      {"pw", "pw-file", "pw-env"},
      {"id", "id-prefix"},
      {"message", "file", "stdin-file", "stdin-line", "json-lines", "null-message"}};
  return std::ranges::any_of(kGroups, [&](const auto& names) {
    return std::ranges::count(names, one) > 0 && std::ranges::count(names, other) > 0;
  });
}

/// The words of "COMMAND NAME VALUE": the last one has the rest of the line.
std::vector<std::string> words_of_property(std::string_view rest) {
  std::vector<std::string> words;
  std::size_t count = 3;
  while (words.size() + 1 < count) {
    const std::size_t space = rest.find(' ');
    if (space == rest.npos) break;
    words.emplace_back(rest.substr(0, space));
    rest.remove_prefix(space + 1);
    if (words.size() == 2 && words[1] == "user-property") count = 4;
  }
  words.emplace_back(rest);
  return words;
}

const OptionName* find(std::span<const OptionName> table, std::string_view argument) {
  for (const OptionName& option : table) {
    if (argument == "--" + std::string(option.name)) return &option;
    if (option.letter != 0 && argument == std::string{'-', option.letter}) return &option;
  }
  return nullptr;
}

/// One line as a command line.
std::vector<std::string> arguments_of(std::span<const OptionName> table, std::string_view line) {
  const std::size_t space = line.find(' ');
  std::vector<std::string> arguments = {"", std::string(line.substr(0, space))};
  if (space == line.npos) return arguments;
  const std::string_view rest = line.substr(space + 1);
  const OptionName* option = find(table, arguments[1]);
  if (option != nullptr && option->values == Values::property) {
    std::ranges::move(words_of_property(rest), std::back_inserter(arguments));
  } else if (option == nullptr || !option->argument.empty() || !rest.empty()) {
    arguments.emplace_back(rest);
  }
  return arguments;
}

std::expected<std::vector<Given>, Error> parse_line(std::span<const OptionName> table,
                                                    std::string_view line) {
  if (!line.starts_with('-')) {
    return std::unexpected(Error{"must begin with an option, such as -h"});
  }
  auto arguments = arguments_of(table, line);
  std::vector<char*> pointers;
  pointers.reserve(arguments.size());
  for (auto& argument : arguments) pointers.push_back(argument.data());
  return parse_arguments(table, pointers);
}

}  // namespace

std::vector<std::string> default_options_files(std::string_view program, std::string_view other,
                                               const char* config_home, const char* home) {
  std::string directory;
  if (config_home != nullptr && *config_home != '\0') {
    directory = config_home;
  } else if (home != nullptr && *home != '\0') {
    directory = std::string(home) + "/.config";
  } else {
    return {};
  }
  return {directory + "/" + std::string(program), directory + "/" + std::string(other)};
}

std::expected<std::vector<Given>, Error> parse_options_file(std::span<const OptionName> table,
                                                            std::string_view text,
                                                            const std::string& path) {
  std::vector<Given> all;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const std::string place = path + ":" + std::to_string(number) + ": ";
    if (line.contains('\0')) return std::unexpected(Error{place + "has a NUL in it"});
    auto given = parse_line(table, line);
    if (!given) return std::unexpected(Error{place + given.error().message});
    for (Given& one : *given) {
      if (table[one.row].name == kOptionsFile) {
        return std::unexpected(Error{place + "a file of options cannot name another one"});
      }
      one.origin = place;
      all.push_back(std::move(one));
    }
  }
  return all;
}

std::expected<std::vector<Given>, Error> given_by_file(std::span<const OptionName> table,
                                                       std::span<const Given> command_line,
                                                       std::span<const std::string> default_files) {
  std::string path;
  for (const Given& one : command_line) {
    const std::string_view name = table[one.row].name;
    if (name == "help" || name == "version") return {};
    if (name == kOptionsFile) path = one.value;
  }
  if (path.empty()) {
    const auto exists = [](const std::string& file) {
      std::error_code ignored;
      return std::filesystem::exists(file, ignored);
    };
    const auto file = std::ranges::find_if(default_files, exists);
    if (file == default_files.end()) return {};
    path = *file;
  }
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  auto given = parse_options_file(table, *text, path);
  if (!given) return given;
  std::erase_if(*given, [&](const Given& one) {
    return std::ranges::any_of(command_line, [&](const Given& other) {
      return are_rivals(table[one.row].name, table[other.row].name);
    });
  });
  return given;
}

}  // namespace mq::cli

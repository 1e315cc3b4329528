#include "cli/db_options.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "base/nearest.hpp"

namespace mq::cli {
namespace {

using Task = DbOptions::Task;

constexpr std::string_view kForm =
    "mqbroker db verify|dump|stats FILE, or mqbroker db backup FILE TO";
constexpr std::array<std::string_view, 4> kTasks{"verify", "dump", "stats", "backup"};

}  // namespace

std::expected<DbOptions, Error> parse_db(std::span<char* const> arguments) {
  if (arguments.size() < 2) return std::unexpected(Error{fmt::format("db needs more: {}", kForm)});
  const std::string_view word = arguments[1];
  DbOptions options;
  options.wants_help = word == "-h" || word == "--help";
  if (options.wants_help) return options;
  std::size_t task = 0;
  while (task < kTasks.size() && kTasks[task] != word) ++task;
  if (task == kTasks.size()) {
    const auto meant = nearest(word, kTasks);
    return std::unexpected(
        Error{fmt::format("db does not know \"{}\"{}: {}", word,
                          meant.empty() ? "" : fmt::format(" ({}?)", meant), kForm)});
  }
  options.task = static_cast<Task>(task);
  const std::size_t wanted = options.task == Task::backup ? 4 : 3;
  if (arguments.size() != wanted) {
    return std::unexpected(Error{
        fmt::format("db {} takes {}: {}", word, wanted == 4 ? "two files" : "one file", kForm)});
  }
  options.file = arguments[2];
  if (wanted == 4) options.to = arguments[3];
  return options;
}

std::string db_help() {
  return "mqbroker db looks at a file with a broker's state, also while the broker runs.\n"
         "\n"
         "  mqbroker db verify FILE       say what is wrong with it; exit with 1 if anything is\n"
         "  mqbroker db dump FILE         print all that is in it: JSON, an object a line\n"
         "  mqbroker db stats FILE        print how much is in it: JSON\n"
         "  mqbroker db backup FILE TO    copy it\n"
         "\n"
         "  -h, --help                    show this text and exit\n";
}

}  // namespace mq::cli

#include "server/config_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "base/nearest.hpp"
#include "base/printable.hpp"
#include "server/config_options.hpp"
#include "server/config_substitute.hpp"
#include "server/text_file.hpp"
#include "wire/utf8.hpp"

// A line is a name, a blank and the rest. '#' opens a comment in the first column, and behind a
// value that is no text of its own: a text may contain it. Each file starts over: what stands
// before its first `listener` is about the default listener, wherever the file was included.

namespace mq::server {
namespace {

using Path = std::filesystem::path;

/// As mosquitto sorts them: by letters whatever their case, and capitals first where that ties.
bool comes_before(const Path& a, const Path& b) {
  const std::string left = a.filename().string();
  const std::string right = b.filename().string();
  const int order = strcasecmp(left.c_str(), right.c_str());
  return order != 0 ? order < 0 : left < right;
}

std::expected<std::vector<Path>, Error> files_in(const std::string& directory) {
  std::error_code code;
  std::vector<Path> files;
  std::filesystem::directory_iterator entries(directory, code);
  for (; !code && entries != std::filesystem::directory_iterator(); entries.increment(code)) {
    if (entries->path().extension() == ".conf") files.push_back(entries->path());
  }
  if (code) {
    return std::unexpected(Error{fmt::format("cannot read {}: {}", directory, code.message())});
  }
  std::ranges::sort(files, comes_before);
  return files;
}

std::string_view without_comment(std::string_view value) {
  for (std::size_t at = 0; at < value.size(); ++at) {
    const bool is_behind_blank = at == 0 || kBlanks.contains(value[at - 1]);
    if (value[at] == '#' && is_behind_blank) return trimmed(value.substr(0, at));
  }
  return value;
}

std::string unknown(std::string_view name) {
  constexpr std::size_t kShown = 60;
  const std::string shown = printable(name.substr(0, kShown));
  std::vector<std::string_view> names;
  for (const ConfigOption& option : config_options()) names.push_back(option.name);
  const std::string_view meant = nearest(name, names);
  if (meant.empty()) return fmt::format("unknown option \"{}\" (see mqbroker.conf(5))", shown);
  return fmt::format("unknown option \"{}\" (did you mean {}?)", shown, meant);
}

class Reader {
 public:
  explicit Reader(ConfigDraft& draft) : draft_(draft) {}

  std::expected<void, Error> read(std::string_view text, const std::string& name);

 private:
  std::expected<void, Error> read_line(std::string_view line, const std::string& place);
  std::string objection_to(const ConfigOption& option, std::string_view value,
                           const std::string& place);
  /// Which listener or bridge an option is about that stands here.
  std::size_t owner_of(const ConfigOption& option) const;
  std::expected<void, Error> include(const std::string& directory, const std::string& place);

  ConfigDraft& draft_;
  bool is_included_ = false;
};

std::expected<void, Error> Reader::read(std::string_view text, const std::string& name) {
  draft_.current = 0;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (auto done = read_line(line, fmt::format("{}:{}", name, number)); !done) return done;
  }
  return {};
}

std::expected<void, Error> Reader::read_line(std::string_view line, const std::string& place) {
  if (line.starts_with('#')) return {};
  line = trimmed(line);
  if (line.empty()) return {};
  const auto mistake = [&place](const std::string& words) {
    return std::unexpected(Error{fmt::format("{}: {}", place, words)});
  };
  if (!wire::is_utf8_string(bytes_of(line))) return mistake("the line is not UTF-8 text");
  const std::string_view name = line.substr(0, line.find_first_of(kBlanks));
  const ConfigOption* option = find_option(name);
  if (option == nullptr) return mistake(unknown(name));
  const std::string_view written = trimmed(line.substr(name.size()));
  const bool is_text = std::holds_alternative<Text>(option->kind);
  const auto value = substituted(is_text ? written : without_comment(written));
  draft_.name = name;
  if (const auto words = value ? objection_to(*option, *value, place) : value.error().message;
      !words.empty()) {
    return mistake(fmt::format("{}: {}", name, words));
  }
  if (draft_.include_dir.empty()) return {};
  return include(std::exchange(draft_.include_dir, {}), place);
}

std::string Reader::objection_to(const ConfigOption& option, std::string_view value,
                                 const std::string& place) {
  if (value.empty()) return fmt::format("its value is missing ({})", form_of(option));
  if (option.scope == Scope::bridge && draft_.bridges.empty()) {
    return "it belongs below the connection that it is about";
  }
  const auto [first, is_first] = draft_.places.try_emplace({option.name, owner_of(option)}, place);
  if (!is_first && !option.may_repeat) {
    return fmt::format("it was given before, at {}", first->second);
  }
  if (option.reload == Reload::at_start && value != option.default_value) {
    draft_.config.at_start[std::string(option.name)] = value;
  }
  draft_.place = fmt::format("{}: {}", place, draft_.name);
  return apply(option, value, draft_);
}

std::size_t Reader::owner_of(const ConfigOption& option) const {
  if (option.scope == Scope::bridge) return draft_.bridges.size();
  const bool is_for_one =
      option.scope == Scope::listener || (option.scope == Scope::either && draft_.is_per_listener);
  return is_for_one ? draft_.current : 0;
}

std::expected<void, Error> Reader::include(const std::string& directory, const std::string& place) {
  const auto mistake = [&place](const std::string& words) {
    return std::unexpected(Error{fmt::format("{}: include_dir: {}", place, words)});
  };
  if (is_included_) return mistake("an included file cannot include others");
  const auto files = files_in(directory);
  if (!files) return mistake(files.error().message);
  const auto listener = draft_.current;
  is_included_ = true;
  for (const Path& path : *files) {
    const auto text = contents_of(path.string());
    if (!text) return mistake(text.error().message);
    if (auto done = read(*text, path.string()); !done) return done;
  }
  is_included_ = false;
  draft_.current = listener;
  return {};
}

}  // namespace

std::expected<Config, Error> parse_config(std::string_view text, const std::string& name,
                                          const std::vector<std::uint16_t>& ports) {
  ConfigDraft draft;
  draft.listener().place = name;
  if (auto done = Reader(draft).read(text, name); !done) return std::unexpected(done.error());
  return std::move(draft).finish(ports);
}

std::expected<Config, Error> read_config_file(const std::string& path,
                                              const std::vector<std::uint16_t>& ports) {
  const auto text = contents_of(path);
  if (!text) return std::unexpected(text.error());
  return parse_config(*text, path, ports);
}

Config local_config(const std::vector<std::uint16_t>& ports) {
  return *ConfigDraft().finish(ports);
}

}  // namespace mq::server

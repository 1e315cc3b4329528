#include "server/config_plugins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/printable.hpp"
#include "server/text_file.hpp"

namespace mq::server {
namespace {

constexpr std::string_view kKnown =
    "mqbroker loads no plugins; of mosquitto's it knows acl-file, password-file and "
    "persist-sqlite, which are built in";

/// mosquitto_acl_file.so, /usr/lib/mosquitto-acl-file.so.1 …
std::optional<Plugin> plugin_at(std::string_view path) {
  std::string name(path.substr(path.find_last_of('/') + 1));
  std::ranges::replace(name, '-', '_');
  constexpr std::array<std::pair<std::string_view, Plugin>, 3> kPlugins{
      {{"acl_file", Plugin::acl_file},
       {"password_file", Plugin::password_file},
       {"persist_sqlite", Plugin::persist_sqlite}}};
  for (const auto& [word, plugin] : kPlugins) {
    if (name.find(word) != std::string::npos) return plugin;
  }
  return std::nullopt;
}

Objection unknown(std::string_view path) {
  const bool is_dynamic = path.find("dynamic") != std::string_view::npos;
  return fmt::format("\"{}\": {}{}", printable(path), kKnown,
                     is_dynamic ? " (users and rules: password_file, acl_file)" : "");
}

Objection use(ConfigDraft& draft, Plugin plugin, std::optional<std::size_t> listener) {
  draft.plugin = plugin;
  draft.plugin_listener = listener;
  if (plugin == Plugin::persist_sqlite) draft.is_persistent = true;
  return {};
}

std::optional<std::size_t> listener_above(const ConfigDraft& draft) {
  return draft.is_per_listener ? std::optional(draft.current) : std::nullopt;
}

Objection set_file(ConfigDraft& draft, std::string_view value) {
  const bool is_acl = draft.plugin == Plugin::acl_file;
  NamedFile& of_all = is_acl ? draft.acl_file : draft.password_file;
  NamedFile* file = &of_all;
  if (draft.plugin_listener) {
    ListenerDraft& listener = draft.listeners[*draft.plugin_listener];
    file = is_acl ? &listener.acl_file : &listener.password_file;
  }
  *file = {std::string(value), draft.place};
  return {};
}

/// Theirs is another format, so ours stands beside it.
Objection set_database(ConfigDraft& draft, std::string_view value) {
  draft.persistence_location = value.substr(0, value.find_last_of('/') + 1);
  return {};
}

}  // namespace

Objection use_plugin(ConfigDraft& draft, std::string_view value) {
  const auto plugin = plugin_at(value);
  return plugin ? use(draft, *plugin, listener_above(draft)) : unknown(value);
}

Objection use_global_plugin(ConfigDraft& draft, std::string_view value) {
  const auto plugin = plugin_at(value);
  return plugin ? use(draft, *plugin, std::nullopt) : unknown(value);
}

Objection load_plugin(ConfigDraft& draft, std::string_view value) {
  std::string_view path = value;
  const std::string_view name = next_word(path);
  const auto plugin = plugin_at(path);
  if (path.empty()) return "the plugin's file is missing (NAME PATH)";
  if (!plugin) return unknown(path.substr(path.find_first_not_of(kBlanks)));
  draft.loaded_plugins.emplace_back(name, *plugin);
  return use(draft, *plugin, std::nullopt);
}

Objection use_loaded_plugin(ConfigDraft& draft, std::string_view value) {
  const auto& loaded = draft.loaded_plugins;
  const auto found = std::ranges::find(loaded, value, &std::pair<std::string, Plugin>::first);
  if (found != loaded.end()) return {};  // what was loaded is there for every listener
  return fmt::format("no plugin \"{}\" was named by plugin_load", printable(value));
}

Objection set_plugin_option(ConfigDraft& draft, std::string_view value) {
  const std::string_view name = std::string_view(draft.name).substr(draft.name.find("_opt_") + 5);
  if (!draft.plugin) return "it belongs behind the plugin that it is about";
  if (*draft.plugin == Plugin::acl_file && name == "acl_file") return set_file(draft, value);
  if (*draft.plugin == Plugin::password_file && name == "password_file") {
    return set_file(draft, value);
  }
  constexpr std::array<std::string_view, 4> kSqlite{"db_file", "flush_period", "page_size", "sync"};
  if (*draft.plugin == Plugin::persist_sqlite &&
      std::ranges::find(kSqlite, name) != kSqlite.end()) {
    if (name == "db_file") return set_database(draft, value);
    draft.config.warnings.push_back(
        draft.place + ": it has no effect: mqbroker has a file of its own (see persistence_sync)");
    return {};
  }
  return fmt::format("mosquitto's plugin has no option \"{}\"", printable(name));
}

bool is_plugin_option(std::string_view name) {
  return name.starts_with("plugin_opt_") || name.starts_with("auth_opt_");
}

}  // namespace mq::server

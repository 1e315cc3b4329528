#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/config_draft.hpp"
#include "server/config_values.hpp"

namespace mq::server {

struct Flag {
  void (*set)(ConfigDraft&, bool value);
};
struct Number {
  std::uint64_t min;
  std::uint64_t max;
  void (*set)(ConfigDraft&, std::uint64_t value);
};
struct Text {
  std::string_view form;  ///< as the manual shows it: "FILE"
  Objection (*set)(ConfigDraft&, std::string_view value);
};

/// A choice, or words in a form of their own: unlike a text, a comment may follow.
struct Words {
  std::string_view form;
  Objection (*set)(ConfigDraft&, std::string_view value);
};
/// It only stands in files for mosquitto: who gives it is warned.
struct Ignored {
  std::string_view why;
};

enum class Scope : std::uint8_t {
  broker,    ///< the process; the last line counts
  listener,  ///< the `listener` above it
  bridge,    ///< the `connection` above it
  either,    ///< the process, but with per_listener_settings the `listener` above it
};

/// When a change of the file counts for a broker that runs.
enum class Reload : std::uint8_t {
  at_once,   ///< at the next SIGHUP
  at_start,  ///< when it is started again
};

/// One option of mqbroker.conf: the parser, the manual and the tests know it from here.
struct ConfigOption {
  std::string_view name;
  std::variant<Flag, Number, Text, Words, Ignored> kind;
  std::string_view default_value;  ///< "": there is none
  Scope scope;
  std::string_view help;
  bool may_repeat = true;  ///< a second one adds to the first, or replaces it
  Reload reload = Reload::at_once;
};

/// In the order of the manual.
const std::vector<ConfigOption>& config_options();

/// nullptr for a name that is not in the table. Knows mosquitto's second names, too.
const ConfigOption* find_option(std::string_view name);

/// Does what a line says.
Objection apply(const ConfigOption& option, std::string_view value, ConfigDraft& draft);

/// "true|false", "0-65535", "FILE".
std::string form_of(const ConfigOption& option);

}  // namespace mq::server

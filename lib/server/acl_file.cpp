#include "server/acl_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/nearest.hpp"
#include "base/printable.hpp"
#include "server/text_file.hpp"
#include "topic/name.hpp"
#include "wire/utf8.hpp"

namespace mq::server {
namespace {

using broker::AccessRule;
using broker::AccessRules;
using broker::Right;

constexpr auto kRead = static_cast<std::uint8_t>(Right::read);
constexpr auto kWrite = static_cast<std::uint8_t>(Right::write);
constexpr std::array<std::pair<std::string_view, std::uint8_t>, 4> kAccess{
    {{"read", kRead}, {"write", kWrite}, {"readwrite", kRead | kWrite}, {"deny", 0}}};
constexpr std::array<std::string_view, 3> kKeywords{"user", "topic", "pattern"};

std::unexpected<std::string> wrong(std::string words) {
  return std::unexpected(std::move(words));
}

/// What stands behind `topic` or `pattern`. A filter with blanks needs the access in front.
std::expected<AccessRule, std::string> rule_of(std::string_view text, std::uint32_t line) {
  AccessRule rule{.filter = {}, .rights = kRead | kWrite, .line = line};
  std::string_view filter = text;
  if (const auto blank = text.find_first_of(kBlanks); blank != std::string_view::npos) {
    const std::string_view word = text.substr(0, blank);
    const auto* access =
        std::ranges::find(kAccess, word, &std::pair<std::string_view, std::uint8_t>::first);
    if (access == kAccess.end()) {
      return wrong(
          fmt::format("\"{}\" should be read, write, readwrite or deny, which also a "
                      "filter with blanks needs in front of it",
                      printable(word)));
    }
    rule.rights = access->second;
    filter = trimmed(text.substr(blank));
  }
  if (filter.empty())
    return wrong("the filter is missing ([read | write | readwrite | deny] FILTER)");
  if (!topic::is_filter(filter) || topic::share_of(filter)) {
    return wrong(
        fmt::format("\"{}\" is no topic filter: + and # must be whole levels, and # the "
                    "last one",
                    printable(filter)));
  }
  rule.filter = filter;
  return rule;
}

std::string unknown(std::string_view word) {
  const std::string_view meant = nearest(word, kKeywords);
  if (meant.empty()) {
    return fmt::format("unknown word \"{}\" (user, topic or pattern)", printable(word));
  }
  return fmt::format("unknown word \"{}\" (did you mean {}?)", printable(word), meant);
}

class Reader {
 public:
  explicit Reader(AccessRules& rules) : rules_(rules), topics_(&rules.anonymous) {}

  /// Fails  what is wrong with the line
  std::expected<void, std::string> read_line(std::string_view line, std::uint32_t number) {
    if (!wire::is_utf8_string(bytes_of(line))) return wrong("the line is not UTF-8 text");
    const auto word = line.substr(0, line.find_first_of(kBlanks));
    const auto rest = trimmed(line.substr(word.size()));
    if (word == "user") {
      if (rest.empty()) return wrong("user: the name is missing");
      topics_ = &rules_.users[rest];
      return {};
    }
    if (word != "topic" && word != "pattern") return wrong(unknown(word));
    auto rule = rule_of(rest, number);
    if (!rule) return wrong(fmt::format("{}: {}", word, rule.error()));
    if (word == "topic") {
      topics_->add(*std::move(rule));
    } else {
      rules_.patterns.push_back(*std::move(rule));
    }
    return {};
  }

 private:
  AccessRules& rules_;
  broker::RuleList* topics_;  ///< where those go that follow
};

}  // namespace

std::expected<AccessRules, Error> parse_acl_file(std::string_view text, const std::string& name) {
  AccessRules rules{.file = name, .anonymous = {}, .users = {}, .patterns = {}};
  Reader reader(rules);
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const auto line = trimmed(take_line(text));
    if (line.empty() || line.starts_with('#')) continue;
    if (const auto read = reader.read_line(line, number); !read) {
      return std::unexpected(Error{fmt::format("{}:{}: {}", name, number, read.error())});
    }
  }
  return rules;
}

}  // namespace mq::server

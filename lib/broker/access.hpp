#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_map.hpp"
#include "base/time.hpp"

namespace mq::broker {

namespace fact {
struct Denied;
}

enum class Right : std::uint8_t {
  read = 1,   ///< to be sent what is published to a topic
  write = 2,  ///< to publish to it
};

/// A line of an ACL file.
struct AccessRule {
  std::string filter;
  std::uint8_t rights = 0;  ///< the sum of what it grants; 0: it denies everything
  std::uint32_t line = 0;

  bool is_denial() const { return rights == 0; }
  bool grants(Right right) const { return (rights & static_cast<std::uint8_t>(right)) != 0; }
};

/// Rules of equal rank: a denial that matches beats every grant.
///
/// Cost  one look-up, and one match for each rule with a wildcard
class RuleList {
 public:
  void add(AccessRule rule);
  /// The rule that decides about a topic; nullptr where none does.
  const AccessRule* find(Right right, std::string_view topic) const;
  const std::vector<AccessRule>& rules() const { return rules_; }
  /// A denial of everything that the filter matches; nullptr: there is none.
  const AccessRule* denial_of(std::string_view filter) const;
  /// Of its rules, those with a wildcard.
  std::size_t wild() const { return wild_denials_.size() + wild_grants_.size(); }

 private:
  std::vector<AccessRule> rules_;
  TextMap<std::vector<std::uint32_t>> exact_;  ///< by topic, denials first
  std::vector<std::uint32_t> wild_denials_;
  std::vector<std::uint32_t> wild_grants_;
};

/// An ACL file.
struct AccessRules {
  std::string file;
  RuleList anonymous;  ///< for those without a user name only
  TextMap<RuleList> users;
  /// For everybody, after those above; a level that is %u or %c is the user name or client id.
  std::vector<AccessRule> patterns;
};

/// What one client may do. What no rule allows is denied.
class Access {
 public:
  /// user_name  empty: anonymous
  Access(std::shared_ptr<const AccessRules> rules, std::string_view user_name,
         std::string_view client_id);

  struct Decision {
    bool is_allowed = false;
    const AccessRule* rule = nullptr;  ///< none: no rule matches
    std::size_t tried = 0;             ///< how many rules were, at most
  };
  Decision decide(Right right, std::string_view topic) const;
  /// Whether a subscription is of any use: some topic that it could match may be read.
  Decision decide_subscription(std::string_view filter) const;
  const std::string& file() const { return rules_->file; }

  /// Denials of one kind are told once a second, with the number of those that were not.
  struct Telling {
    Instant next{};
    std::uint32_t untold = 0;
    std::shared_ptr<const fact::Denied> last{};  ///< of these, but for those to read
  };
  Telling reads, others;

 private:
  std::shared_ptr<const AccessRules> rules_;
  const RuleList* own_ = nullptr;  ///< of the user; none: there are no rules about it
  RuleList patterns_;              ///< the names filled in
};

}  // namespace mq::broker

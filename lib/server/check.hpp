#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "broker/access.hpp"
#include "server/access_files.hpp"
#include "server/config.hpp"

namespace mq::server {

/// Whom and what the configuration names and this machine does not have, a line each. No file that
/// it names is opened for that.
std::vector<std::string> missing_here(const Config& config);

/// What a look at the files shows that a configuration names.
struct Findings {
  std::vector<std::string> mistakes;  ///< what would keep the broker from starting, a line each
  std::vector<std::string> warnings;
  std::vector<std::string> listeners;  ///< of each: where it is, who comes in, and what they may do
  AccessFiles files;                   ///< when there are no mistakes
};
Findings look_into(const Config& config);

/// May a client do something?
struct Question {
  std::string user;    ///< empty: without a user name
  std::string client;  ///< empty: none in particular
  broker::Right right{};
  std::string topic;  ///< a filter, where it is about reading
};
struct Answer {
  bool is_allowed = false;
  std::string words;  ///< one line, which names the rule and its place
};
/// listener  index into config.listeners
Answer answer(const Config& config, const AccessFiles& files, std::size_t listener,
              const Question& asked);

/// The listeners, by index, that are on this port or path; all for an empty name.
///
/// Fails  there is none: the words name those that there are
std::expected<std::vector<std::size_t>, Error> listeners_named(const Config& config,
                                                               const std::string& name);

}  // namespace mq::server

#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "broker/access.hpp"

namespace mq::server {

/// Reads an ACL file in mosquitto's format: lines of `user NAME`, `topic [ACCESS] FILTER` and
/// `pattern [ACCESS] FILTER`, where ACCESS is read, write, readwrite or deny.
///
/// name   what lines of log and errors call it
/// Fails  an unknown word, a malformed filter; the line names the place and what would be right
std::expected<broker::AccessRules, Error> parse_acl_file(std::string_view text,
                                                         const std::string& name);

}  // namespace mq::server

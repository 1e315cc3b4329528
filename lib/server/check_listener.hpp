#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/access_files.hpp"
#include "server/config.hpp"

namespace mq::server {

/// "port 1883 of localhost", or the path of a Unix socket.
std::string place_of(const Listener& listener);
/// "readwrite", "deny": as an ACL file writes it.
std::string_view word_for(const broker::AccessRule& rule);
/// Whether TLS, or the proxy in front, says under which name a client comes in.
bool is_proving(const Listener& listener);

/// Who comes in at a listener, how, and what they may read and write: a line for the listener, and
/// indented ones below it.
std::vector<std::string> lines_about(const Listener& listener,
                                     const broker::ListenerConfig& granted,
                                     const AccessFiles::Entry& files);

}  // namespace mq::server

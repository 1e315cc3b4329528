#pragma once

#include <string>
#include <string_view>

#include "broker/fact.hpp"
#include "server/log.hpp"

/// The lines that tell an operator what happened. Names that clients chose can neither break them
/// nor speak in them: they come as as_word() shows them.
namespace mq::server {

/// What `log_type` decides about.
LogType type_of(const broker::Fact& fact);

/// Whether another line has said it before.
bool is_told_already(const broker::Fact& fact);

/// Whether `connection_messages` decides about it, too.
bool tells_connection(const broker::Fact& fact);

/// peer  where the client is, as far as it is known
std::string line_of(const broker::Fact& fact, std::string_view peer);

/// A client is about to come in.
///
/// listener  "port 1883", or the path of a Unix socket
std::string opened_line(std::string_view peer, std::string_view listener);

}  // namespace mq::server

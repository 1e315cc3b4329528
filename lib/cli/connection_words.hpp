#pragma once

#include <string>
#include <string_view>

#include "cli/connect_options.hpp"
#include "client/endpoint.hpp"
#include "client/event.hpp"

/// What the programs say about their connection, and the exit codes that go with it.
namespace mq::cli {

/// "localhost port 1883", "Unix socket /run/mq.sock".
std::string place(const client::Endpoint& endpoint);

/// One line without the program's name.
std::string words_of(const client::Lost& lost, const ConnectOptions& options);
std::string words_of(const client::Refused& refused, const client::Endpoint& endpoint);

int exit_code_of(const client::Lost& lost);

/// "Not authorized" for a code of SUBACK, in the words of its version.
std::string_view words_of_subscription_code(Byte code);

}  // namespace mq::cli

#pragma once

#include <span>
#include <string>
#include <vector>

#include "server/config_draft.hpp"
#include "server/config_options.hpp"

/// Bridges: `connection NAME` and the options below it. This version reads and checks them, and
/// leaves them out.
namespace mq::server {

/// The rows of the table of options that are about bridges.
std::span<const ConfigOption> bridge_options();

/// What is missing or does not fit together, once the file is read, with its place in front; empty:
/// nothing.
Objection objection_to(const std::vector<BridgeDraft>& bridges);

/// A line for each of them, that it is left out.
std::vector<std::string> warnings_about(const std::vector<BridgeDraft>& bridges);

}  // namespace mq::server

#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/option.hpp"

namespace mq::cli {

/// What was typed behind `mqbroker cert`.
struct CertOptions {
  std::string directory;
  std::vector<std::string> hosts;
  std::vector<std::string> clients;
  bool wants_help = false;
};

/// arguments  as main() gets them, without the program's name: "cert" first
/// Fails      one line that names the option and the remedy
std::expected<CertOptions, Error> parse_cert(std::span<char* const> arguments);

/// What --help prints.
std::string cert_help();

/// What broker, subscriber and publisher have to be told, a line each.
std::string commands_for(const CertOptions& options);

/// A configuration for the broker that uses the certificates.
std::string configuration_for(const CertOptions& options);

}  // namespace mq::cli

#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"
#include "base/filter.hpp"
#include "crypto/tls_options.hpp"

namespace mq::crypto {

/// Reads the files that the options name, once for all connections.
///
/// host   whom the server's certificate must be for, and what it is asked for (SNI)
/// Fails  the file, or the option, and what is wrong with it
std::expected<MakeFilter, Error> tls_client(const TlsClientOptions& options,
                                            const std::string& host);

/// Reads the files that the options name, once for all connections.
///
/// Fails  the file, or the option, and what is wrong with it
std::expected<MakeFilter, Error> tls_server(const TlsServerOptions& options);

}  // namespace mq::crypto

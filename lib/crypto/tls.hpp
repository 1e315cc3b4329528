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

struct TlsServerError {
  std::string TlsServerOptions::* option;  ///< which of them is wrong
  std::string message;                     ///< the file, or the value, and what is wrong with it
};

/// Reads the files that the options name, once for all connections.
std::expected<MakeFilter, TlsServerError> tls_server(const TlsServerOptions& options);

/// What tls_server() would say about ciphers, without any file.
std::expected<void, Error> check_ciphers(const std::string& list);
std::expected<void, Error> check_ciphersuites(const std::string& list);

}  // namespace mq::crypto

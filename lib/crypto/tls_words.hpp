#pragma once

#include <string>

#include "crypto/openssl.hpp"

/// What OpenSSL knows, in words. Only lib/crypto's own sources include it.
namespace mq::crypto {

/// Why the last call failed.
std::string openssl_words();

/// "CN = localhost, O = Example".
std::string text_of(const X509_NAME* name, unsigned long form = XN_FLAG_ONELINE);

/// "localhost, 127.0.0.1": whom a certificate is for.
std::string hosts_of(const X509* certificate);

/// What is wrong with a certificate of a chain that was shown.
///
/// host  whom it should be for
std::string verification_words(const X509* certificate, int error, const std::string& host);

}  // namespace mq::crypto

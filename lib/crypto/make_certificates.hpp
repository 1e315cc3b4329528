#pragma once

#include <expected>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace mq::crypto {

struct NewCertificates {
  std::string directory;             ///< made when it is not there
  std::vector<std::string> hosts;    ///< names and addresses that the server's is for
  std::vector<std::string> clients;  ///< common names, which are file names, too
  int days = 825;
};

/// Makes a CA, and certificates of it for a server and for clients: ca.crt, ca.key, server.crt,
/// server.key, and NAME.crt, NAME.key for each client. Only their owner may read the keys.
///
/// Fails  a file that is there already, so that no key is lost, or that cannot be written
std::expected<void, Error> make_certificates(const NewCertificates& wanted);

}  // namespace mq::crypto

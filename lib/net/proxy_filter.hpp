#pragma once

#include <cstdint>

#include "base/filter.hpp"

namespace mq::net {

/// What a listener wants of the proxy in front of it.
struct ProxyOptions {
  std::uint8_t version = 0;  ///< of the PROXY protocol; 0: there is no proxy
  // Of version 2 only:
  bool requires_tls = false;          ///< between client and proxy
  bool requires_certificate = false;  ///< that the proxy has verified
  bool names_user = false;            ///< the certificate's common name is the user name
  bool operator==(const ProxyOptions&) const = default;
};

/// Takes the PROXY header off the front of a connection; then bytes pass as they are.
MakeFilter proxy_header(ProxyOptions options);

}  // namespace mq::net

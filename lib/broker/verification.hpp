#pragma once

#include <cstdint>
#include <string>

#include "broker/connection.hpp"

namespace mq::broker {

/// Somebody says who he is: a request to the driver, which answers it with Core::on_verified(),
/// and the connection is its ticket.
struct Verification {
  ConnectionId connection;
  std::uint16_t listener = 0;
  std::string user_name;
  std::string password;  ///< empty without one: nobody has that
};

enum class Verdict : std::uint8_t { right, wrong };

}  // namespace mq::broker

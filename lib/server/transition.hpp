#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "server/config.hpp"

namespace mq::server {

/// From the configuration that a broker runs by to the one that its file has now. Connections know
/// their listeners by index, so these stay where they are.
struct Transition {
  Config config;              ///< a listener that is gone stays, as far as others have no say in it
  std::vector<bool> is_open;  ///< by listener, from now on
  std::vector<std::size_t> opened;
  std::vector<std::size_t> kept;
  std::vector<std::size_t> closed;
  std::vector<std::string> postponed;  ///< options that count at the next start only
};

/// running  what holds now
/// is_open  which of its listeners are open
/// wanted   what the file says
Transition transition(const Config& running, const std::vector<bool>& is_open, Config wanted);

}  // namespace mq::server

#pragma once

#include <string>

namespace mq {

/// A failure of the world (disk full, port taken, bad configuration): one line for a person that
/// names the thing, the place and the way out.
struct Error {
  std::string message;
};

}  // namespace mq

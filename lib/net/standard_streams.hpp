#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace mq::net {

/// Puts /dev/null in the place of standard streams that are closed: else the next descriptor that
/// the program opens, a socket perhaps, would be taken for one.
inline void fill_standard_streams() {
  int descriptor = 0;
  do {
    descriptor = open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor >= 0) close(descriptor);
}

}  // namespace mq::net

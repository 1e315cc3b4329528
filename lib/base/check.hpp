#pragma once

#include <cstdio>
#include <cstdlib>

/// A rule of our own that must hold. On in every build: one line, then abort.
/// Never for what a peer, a file or a disk hands us.
#define MQ_CHECK(condition)                                                             \
  do {                                                                                  \
    if (!(condition)) [[unlikely]] {                                                    \
      std::fprintf(stderr, "%s:%d: rule broken: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                     \
    }                                                                                   \
  } while (false)

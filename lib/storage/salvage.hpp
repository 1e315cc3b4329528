#pragma once

#include <cstddef>
#include <cstdint>

#include "storage/database.hpp"
#include "storage/store.hpp"

namespace mq::storage {

/// What could be read of a damaged file, and how much is known to be lost.
struct Salvaged {
  Snapshot state{};
  std::size_t lost_queued = 0;
  std::size_t lost_retained = 0;
};

/// Reads of every table what can be read, and leaves out what refers to something that is lost.
///
/// format  of the file, which may be an older one
/// Throws  DatabaseError, for anything but damage
void load_some(const Database& database, std::int64_t format, Salvaged& salvaged);

}  // namespace mq::storage

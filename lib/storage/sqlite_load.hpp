#pragma once

#include "storage/database.hpp"
#include "storage/store.hpp"

namespace mq::storage {

/// Reads every table. Throws DatabaseError; also for content that makes no sense.
void load_all(const Database& database, Snapshot& snapshot);

/// Reads of every table what can be read, and leaves out what refers to something that is lost.
void load_some(const Database& database, Snapshot& snapshot);

}  // namespace mq::storage

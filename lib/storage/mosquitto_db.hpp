#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"
#include "storage/store.hpp"

namespace mq::storage {

/// What a mosquitto.db held that is taken over.
struct MosquittoState {
  Snapshot state;
  /// QoS 2 messages that a client had sent and not released yet: they are left behind.
  std::size_t unreleased = 0;
};

/// Whether the file begins as mosquitto's do.
bool is_mosquittos(const std::string& path);

/// Reads mosquitto's own file, of version 5 or 6 (mosquitto 1.6 to 2.0). It is left as it is.
///
/// Fails  it cannot be read, is of another version, or ends where it should not: with the place
std::expected<MosquittoState, Error> read_mosquitto_db(const std::string& path);

}  // namespace mq::storage

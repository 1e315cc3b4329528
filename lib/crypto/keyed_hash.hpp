#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/bytes.hpp"

namespace mq::crypto {

using Digest = std::array<Byte, 32>;

/// HMAC with SHA-256: without the key a digest says nothing about the text, and nothing else has
/// the same one.
Digest keyed_hash(std::span<const Byte> key, std::string_view text);

/// A key that nobody knows.
Digest random_key();

}  // namespace mq::crypto
